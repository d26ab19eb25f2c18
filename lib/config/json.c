// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration by a JSON file.
 *
 * json-c parses in its strict mode, after commas before a closing bracket,
 * which people's files have, were replaced by spaces; so positions in messages
 * are those of the file.
 *
 * Nothing else needs json-c.  In liblkl.a this file is an object of its own, so
 * that a program that does not read such a file links without that library.  It
 * uses only functions whose names begin with lkl_ for that.
 */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lkl.h>

#include "config.h"

#define DEFAULT_FILE "lkl-hijack.json"
#define FILE_VARIABLE "LKL_HIJACK_CONFIG_FILE"
/* Nobody needs a larger file. */
#define FILE_MAX (1 << 20)

/**
 * struct source - what is being read
 * @name: of the file
 * @where: in it, like "interfaces[0]: "
 */
struct source {
	const char *name;
	char where[40];
};

static int load_interfaces(const struct source *src, struct lkl_config *cfg,
			   struct json_object *value);

/*
 * Keep the lkl_config_settings of an object.  @cfg is there for the one that
 * may have interfaces.
 */
static int load_object(const struct source *src, void *base,
		       const struct setting *table, struct lkl_config *cfg,
		       struct json_object *object)
{
	if (!json_object_is_type(object, json_type_object)) {
		fprintf(stderr, "lkl: %s: %snot an object\n", src->name,
			src->where);
		return -LKL_EINVAL;
	}
	json_object_object_foreach(object, key, value)
	{
		const struct setting *s = table;
		const char *text, *wrong = NULL;
		int err;

		if (cfg && !strcmp(key, "interfaces")) {
			err = load_interfaces(src, cfg, value);
			if (err)
				return err;
			continue;
		}
		while (s->key && strcmp(s->key, key))
			s++;
		text = json_object_get_string(value);
		if (!s->key)
			wrong = "unknown key";
		else if (!json_object_is_type(value, json_type_string))
			wrong = "the value is not a string";
		else if (strlen(text) !=
			 (size_t)json_object_get_string_len(value))
			wrong = "there is a NUL in the value";
		if (wrong) {
			fprintf(stderr, "lkl: %s: %s'%s': %s\n", src->name,
				src->where, key, wrong);
			return -LKL_EINVAL;
		}
		/* what is empty is left out */
		if (!*text)
			continue;
		wrong = s->check(text);
		if (wrong) {
			fprintf(stderr, "lkl: %s: %s'%s': '%s' is %s\n",
				src->name, src->where, key, text, wrong);
			return -LKL_EINVAL;
		}
		*lkl_config_value(base, s) = strdup(text);
		if (!*lkl_config_value(base, s))
			return lkl_config_no_memory(src->name);
	}
	return 0;
}

static int load_interfaces(const struct source *src, struct lkl_config *cfg,
			   struct json_object *value)
{
	struct source element = { .name = src->name };
	int err = 0;

	if (!json_object_is_type(value, json_type_array)) {
		fprintf(stderr, "lkl: %s: 'interfaces' is not an array\n",
			src->name);
		return -LKL_EINVAL;
	}
	for (size_t i = 0; !err && i < json_object_array_length(value); i++) {
		struct lkl_config_iface *iface = lkl_config_new_iface(cfg);

		if (!iface)
			return lkl_config_no_memory(src->name);
		snprintf(element.where, sizeof(element.where),
			 "interfaces[%zu]: ", i);
		err = load_object(&element, iface, lkl_config_iface_settings,
				  NULL, json_object_array_get_idx(value, i));
	}
	return err;
}

/* Replace commas between a value and a closing bracket by spaces. */
static void drop_commas(char *text)
{
	char *comma = NULL, last = ',';
	int quoted = 0;

	for (char *p = text; *p; p++) {
		if (quoted) {
			if (*p == '\\' && p[1])
				p++;
			else if (*p == '"')
				quoted = 0;
			continue;
		}
		if (strchr("}]", *p) && comma)
			*comma = ' ';
		if (strchr(" \t\r\n", *p))
			continue;
		comma = *p == ',' && !strchr(",[{:", last) ? p : NULL;
		last = *p;
		quoted = *p == '"';
	}
}

/* One line about text that is not JSON, with line and column. */
static void complain(const char *name, const char *text, size_t at,
		     const char *why)
{
	int line = 1, column = 1;

	for (size_t i = 0; i < at && text[i]; i++) {
		column = text[i] == '\n' ? 1 : column + 1;
		line += text[i] == '\n';
	}
	fprintf(stderr, "lkl: %s:%d:%d: %s\n", name, line, column, why);
}

/* Parse @len bytes with a NUL behind them, which are changed. */
static struct json_object *parse(const char *name, char *text, size_t len)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object;
	enum json_tokener_error error;
	const char *why = NULL;
	size_t end;

	if (!tokener) {
		lkl_config_no_memory(name);
		return NULL;
	}
	drop_commas(text);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT |
						JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, text, len + 1);
	error = json_tokener_get_error(tokener);
	end = json_tokener_get_parse_end(tokener);
	if (error != json_tokener_success)
		why = json_tokener_error_desc(error);
	else if (end < len)
		why = "there is a NUL in the text";
	else if (!object)
		why = "not an object"; /* the word null */
	if (why) {
		complain(name, text, end, why);
		json_object_put(object);
		object = NULL;
	}
	json_tokener_free(tokener);
	return object;
}

/* Put a new configuration in the place of another one, unless there is @err. */
static int replace(struct lkl_config *cfg, struct lkl_config *new, int err)
{
	if (err) {
		lkl_config_free(new);
		return err;
	}
	lkl_config_prepare(cfg);
	lkl_config_free(cfg);
	*cfg = *new;
	return 0;
}

static int load_text(struct lkl_config *cfg, const char *name, char *text,
		     size_t len)
{
	struct lkl_config new = { .magic = CONFIG_MAGIC };
	struct source src = { .name = name };
	struct json_object *object;
	int err;

	object = parse(name, text, len);
	if (!object)
		return -LKL_EINVAL;
	err = load_object(&src, &new, lkl_config_settings, &new, object);
	json_object_put(object);
	return replace(cfg, &new, err);
}

int lkl_load_config_json(struct lkl_config *cfg, const char *json_text)
{
	char *text = strdup(json_text);
	int err;

	if (!text)
		return lkl_config_no_memory("configuration");
	err = load_text(cfg, "configuration", text, strlen(text));
	free(text);
	return err;
}

int lkl_load_config_file(struct lkl_config *cfg, const char *path)
{
	char *text = malloc(FILE_MAX + 1);
	size_t len = 0;
	ssize_t n = 1;
	int fd, err;

	if (!text)
		return lkl_config_no_memory(path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && n > 0 && len < FILE_MAX) {
		n = read(fd, text + len, FILE_MAX - len);
		if (n > 0)
			len += n;
		else if (n < 0 && errno == EINTR)
			n = 1;
	}
	if (fd < 0 || n < 0 || len == FILE_MAX) {
		err = fd < 0 || n < 0 ? errno : EFBIG;
		fprintf(stderr, "lkl: %s: %s\n", path, strerror(err));
		err = -err;
	} else {
		text[len] = 0;
		err = load_text(cfg, path, text, len);
	}
	if (fd >= 0)
		close(fd);
	free(text);
	return err;
}

int lkl_load_config(struct lkl_config *cfg)
{
	char *path = lkl_config_variable(FILE_VARIABLE);
	struct lkl_config new = { 0 };
	int err = 0;

	if (path || !access(DEFAULT_FILE, F_OK))
		err = lkl_load_config_file(&new, path ? path : DEFAULT_FILE);
	free(path);
	if (!err)
		err = lkl_load_config_env(&new);
	return replace(cfg, &new, err);
}
