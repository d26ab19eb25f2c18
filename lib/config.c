// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration by a JSON file and by environment variables.
 *
 * A setting is a row of a table: key, variable, where its string is kept, and
 * how to check it.  All strings have been checked when they are kept, so the
 * later steps only fail for reasons of the host or the kernel.
 *
 * json-c parses in its strict mode, after commas before a closing bracket,
 * which people's files have, were replaced by spaces; so positions in messages
 * are those of the file.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lkl.h>
#include <lkl_config.h>

#include "rtnl.h"

#define DEFAULT_FILE "lkl-hijack.json"
#define FILE_VARIABLE "LKL_HIJACK_CONFIG_FILE"
/* Before there was IFTYPE: the name of a tap. */
#define TAP_VARIABLE "LKL_HIJACK_NET_TAP"
/* Nobody needs a larger file. */
#define FILE_MAX (1 << 20)

#define MAGIC 0x6c6b6c2063666721UL

/*
 * Checks of values: NULL, or what is wrong
 */

static const char *check_any(const char *value)
{
	(void)value;
	return NULL;
}

/* Whether it is a number, which is at most @max. */
static int is_number(const char *value, int base, unsigned long max)
{
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(value, &end, base);
	/* strtoul() takes signs and spaces, too */
	return strspn(value, "0123456789abcdefABCDEFx") == strlen(value) &&
	       end != value && !*end && !errno && number <= max;
}

static const char *check_number(const char *value)
{
	return is_number(value, 0, UINT32_MAX) ? NULL : "not a number";
}

static const char *check_mask(const char *value)
{
	return is_number(value, 16, UINT32_MAX) ? NULL : "not a hex mask";
}

static const char *check_singlecpu(const char *value)
{
	return is_number(value, 10, 2) ? NULL : "not 0, 1 or 2";
}

static const char *check_mtu(const char *value)
{
	return is_number(value, 10, 65535) ? NULL : "not a number up to 65535";
}

static const char *check_masklen(const char *value)
{
	return is_number(value, 10, 32) ? NULL : "not a number up to 32";
}

static const char *check_masklen6(const char *value)
{
	return is_number(value, 10, 128) ? NULL : "not a number up to 128";
}

static const char *check_ipv4(const char *value)
{
	unsigned char addr[4];

	return inet_pton(AF_INET, value, addr) == 1 ? NULL
						    : "not an IPv4 address";
}

static const char *check_ipv6(const char *value)
{
	unsigned char addr[16];

	return inet_pton(AF_INET6, value, addr) == 1 ? NULL
						     : "not an IPv6 address";
}

static int parse_mac(const char *value, unsigned char mac[6])
{
	int end = 0;

	return sscanf(value, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", mac,
		      mac + 1, mac + 2, mac + 3, mac + 4, mac + 5, &end) == 6 &&
	       !value[end];
}

static const char *check_mac(const char *value)
{
	unsigned char mac[6];

	if (!parse_mac(value, mac))
		return "not a MAC address";
	return mac[0] & 1 ? "a multicast address" : NULL;
}

static const char *const types[] = { "tap", "raw",  "macvtap", "pipe",
				     "vde", "user", "fd",      "dpdk" };

static const char *check_type(const char *value)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (!strcmp(types[i], value))
			return NULL;
	return "not one of tap raw macvtap pipe vde user fd dpdk";
}

/* "ip|mac", and to whom it is told: ifindex, or 0 for nobody */
static int neighbour(char *entry, void *arg)
{
	char *bar = strchr(entry, '|');
	unsigned char ip[16], mac[6];
	int af, ifindex = *(int *)arg;

	if (!bar)
		return -LKL_EINVAL;
	*bar = 0;
	af = strchr(entry, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(af, entry, ip) != 1 || !parse_mac(bar + 1, mac))
		return -LKL_EINVAL;
	return ifindex ? lkl_add_neighbor(ifindex, af, ip, mac) : 0;
}

static const char *check_neigh(const char *value)
{
	int nobody = 0;

	return rtnl_entries(value, neighbour, &nobody) ? "not a list of IP|MAC"
						       : NULL;
}

/* Entries with a given character in them. */
static int has_char(char *entry, void *arg)
{
	return strchr(entry, *(char *)arg) ? 0 : -LKL_EINVAL;
}

static const char *check_sysctl(const char *value)
{
	return rtnl_entries(value, has_char, "=") ? "not a list of KEY=VALUE"
						  : NULL;
}

static const char *check_qdisc(const char *value)
{
	return rtnl_entries(value, has_char, "|") ? "not a list of WHERE|WHAT"
						  : NULL;
}

/**
 * struct setting - a setting
 * @key: its name in a file
 * @variable: its name in the environment behind LKL_HIJACK_, or NULL
 * @offset: where its string is kept
 * @check: NULL for a good value, else what is wrong
 */
struct setting {
	const char *key;
	const char *variable;
	size_t offset;
	const char *(*check)(const char *value);
};

#define GLOBAL(key, variable, check)                                           \
	{                                                                      \
#key, variable, offsetof(struct lkl_config, key), check        \
	}
#define IFACE(key, variable, check)                                            \
	{                                                                      \
#key, variable, offsetof(struct lkl_config_iface, key), check  \
	}

static const struct setting settings[] = {
	GLOBAL(gateway, "NET_GATEWAY", check_ipv4),
	GLOBAL(gateway6, "NET_GATEWAY6", check_ipv6),
	GLOBAL(debug, "DEBUG", check_number),
	GLOBAL(singlecpu, "SINGLE_CPU", check_singlecpu),
	GLOBAL(sysctl, "SYSCTL", check_sysctl),
	GLOBAL(boot_cmdline, "BOOT_CMDLINE", check_any),
	GLOBAL(mount, "MOUNT", check_any),
	GLOBAL(dump, "DUMP", check_any),
	GLOBAL(delay_main, NULL, check_number),
	GLOBAL(nameserver, NULL, check_any),
	GLOBAL(policy, "POLICY", check_any),
	{ 0 },
};

static const struct setting iface_settings[] = {
	IFACE(type, "NET_IFTYPE", check_type),
	IFACE(param, "NET_IFPARAMS", check_any),
	IFACE(mtu, "NET_MTU", check_mtu),
	IFACE(mac, "NET_MAC", check_mac),
	IFACE(ip, "NET_IP", check_ipv4),
	IFACE(masklen, "NET_NETMASK_LEN", check_masklen),
	IFACE(ipv6, "NET_IPV6", check_ipv6),
	IFACE(masklen6, "NET_NETMASK6_LEN", check_masklen6),
	IFACE(ifgateway, NULL, check_ipv4),
	IFACE(ifgateway6, NULL, check_ipv6),
	IFACE(neigh, "NET_NEIGHBOR", check_neigh),
	IFACE(qdisc, "NET_QDISC", check_qdisc),
	IFACE(offload, "OFFLOAD", check_mask),
	{ 0 },
};

/* Where the string of a setting is. */
static char **value_of(const void *base, const struct setting *setting)
{
	return (char **)((char *)base + setting->offset);
}

static void free_settings(void *base, const struct setting *setting)
{
	for (; setting->key; setting++)
		free(*value_of(base, setting));
}

static void free_config(struct lkl_config *cfg)
{
	struct lkl_config_iface *iface;

	while ((iface = cfg->ifaces)) {
		cfg->ifaces = iface->next;
		free_settings(iface, iface_settings);
		free(iface);
	}
	free_settings(cfg, settings);
	memset(cfg, 0, sizeof(*cfg));
}

/* An interface behind the others, or NULL. */
static struct lkl_config_iface *new_iface(struct lkl_config *cfg)
{
	struct lkl_config_iface **last = &cfg->ifaces;

	while (*last)
		last = &(*last)->next;
	*last = calloc(1, sizeof(**last));
	if (*last)
		(*last)->id = -1;
	return *last;
}

/*
 * JSON
 */

/**
 * struct source - what is being read
 * @name: of the file
 * @where: in it, like "interfaces[0]: "
 */
struct source {
	const char *name;
	char where[40];
};

static int no_memory(const char *name)
{
	fprintf(stderr, "lkl: %s: %s\n", name, lkl_strerror(-LKL_ENOMEM));
	return -LKL_ENOMEM;
}

static int load_interfaces(const struct source *src, struct lkl_config *cfg,
			   struct json_object *value);

/*
 * Keep the settings of an object.  @cfg is there for the one that may have
 * interfaces.
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
		*value_of(base, s) = strdup(text);
		if (!*value_of(base, s))
			return no_memory(src->name);
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
		struct lkl_config_iface *iface = new_iface(cfg);

		if (!iface)
			return no_memory(src->name);
		snprintf(element.where, sizeof(element.where),
			 "interfaces[%zu]: ", i);
		err = load_object(&element, iface, iface_settings, NULL,
				  json_object_array_get_idx(value, i));
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
		no_memory(name);
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

/* Have a configuration that is valid, if empty. */
static void prepare(struct lkl_config *cfg)
{
	if (cfg->magic == MAGIC)
		return;
	memset(cfg, 0, sizeof(*cfg));
	cfg->magic = MAGIC;
}

static int load_text(struct lkl_config *cfg, const char *name, char *text,
		     size_t len)
{
	struct lkl_config new = { .magic = MAGIC };
	struct source src = { .name = name };
	struct json_object *object;
	int err;

	object = parse(name, text, len);
	if (!object)
		return -LKL_EINVAL;
	err = load_object(&src, &new, settings, &new, object);
	json_object_put(object);
	if (err) {
		free_config(&new);
		return err;
	}
	prepare(cfg);
	free_config(cfg);
	*cfg = new;
	return 0;
}

int lkl_load_config_json(struct lkl_config *cfg, const char *json_text)
{
	char *text = strdup(json_text);
	int err;

	if (!text)
		return no_memory("configuration");
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
		return no_memory(path);
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

/*
 * The environment
 */

/*
 * A variable's value without the quotes that it may have, in memory to be
 * freed, or NULL when it is not set.
 */
static char *variable(const char *name)
{
	const char *value = getenv(name);
	size_t len;

	if (!value)
		return NULL;
	len = strlen(value);
	if (len >= 2 && (*value == '"' || *value == '\'') &&
	    value[len - 1] == *value) {
		value++;
		len -= 2;
	}
	return len ? strndup(value, len) : NULL;
}

/* Take settings from the environment that are not set; or only check those. */
static int load_variables(void *base, const struct setting *s, int keep)
{
	const char *wrong = NULL;

	for (; s->key && !wrong; s++) {
		char name[64], *value;

		if (!s->variable || *value_of(base, s))
			continue;
		snprintf(name, sizeof(name), "LKL_HIJACK_%s", s->variable);
		value = variable(name);
		if (!value)
			continue;
		wrong = s->check(value);
		if (wrong)
			fprintf(stderr, "lkl: %s: '%s' is %s\n", name, value,
				wrong);
		if (keep && !wrong)
			*value_of(base, s) = value;
		else
			free(value);
	}
	return wrong ? -LKL_EINVAL : 0;
}

int lkl_load_config_env(struct lkl_config *cfg)
{
	static struct lkl_config_iface none;
	struct lkl_config_iface *iface;
	char *tap = variable(TAP_VARIABLE);
	int err;

	prepare(cfg);
	iface = cfg->ifaces;
	/* Nothing is kept unless all is right. */
	err = load_variables(cfg, settings, 0);
	if (!err)
		err = load_variables(iface ? iface : &none, iface_settings, 0);
	if (err) {
		free(tap);
		return err;
	}
	if (!iface && (tap || getenv("LKL_HIJACK_NET_IFTYPE") ||
		       getenv("LKL_HIJACK_NET_IFPARAMS")))
		iface = new_iface(cfg);
	load_variables(cfg, settings, 1);
	if (iface)
		load_variables(iface, iface_settings, 1);
	if (tap && iface && !iface->type && !iface->param) {
		iface->type = strdup("tap");
		iface->param = tap;
		tap = NULL;
	}
	free(tap);
	return 0;
}

int lkl_load_config(struct lkl_config *cfg)
{
	char *path = variable(FILE_VARIABLE);
	struct lkl_config new = { 0 };
	int err = 0;

	if (path || !access(DEFAULT_FILE, F_OK))
		err = lkl_load_config_file(&new, path ? path : DEFAULT_FILE);
	free(path);
	if (!err)
		err = lkl_load_config_env(&new);
	if (err) {
		free_config(&new);
		return err;
	}
	prepare(cfg);
	free_config(cfg);
	*cfg = new;
	return 0;
}

/*
 * Before the boot
 */

/* A setting that needs another one. */
static const struct {
	const char *key, *needs;
	size_t key_offset, needs_offset;
} pairs[] = {
#define PAIR(a, b)                                                             \
	{                                                                      \
#a, #b, offsetof(struct lkl_config_iface, a),                  \
			offsetof(struct lkl_config_iface, b)                   \
	}
	PAIR(ip, masklen),    PAIR(masklen, ip),   PAIR(ipv6, masklen6),
	PAIR(masklen6, ipv6), PAIR(ifgateway, ip), PAIR(ifgateway6, ipv6),
};

static int check_iface(const struct lkl_config_iface *iface, int n)
{
	if (!iface->type) {
		fprintf(stderr, "lkl: interfaces[%d]: 'type' is missing\n", n);
		return -LKL_EINVAL;
	}
	if (!iface->param && strcmp(iface->type, "user")) {
		fprintf(stderr, "lkl: interfaces[%d]: 'param' is missing\n", n);
		return -LKL_EINVAL;
	}
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		const char *base = (const char *)iface;

		if (!*(char **)(base + pairs[i].key_offset) ||
		    *(char **)(base + pairs[i].needs_offset))
			continue;
		fprintf(stderr, "lkl: interfaces[%d]: '%s' needs '%s'\n", n,
			pairs[i].key, pairs[i].needs);
		return -LKL_EINVAL;
	}
	return 0;
}

/* Keep a default unless something has been set. */
static int set_default(char **value, const char *text)
{
	if (!*value)
		*value = strdup(text);
	return *value ? 0 : no_memory("interfaces");
}

/* What the network behind a wire without set-up is like. */
static int set_defaults(struct lkl_config *cfg, struct lkl_config_iface *iface)
{
	int err;

	if (strcmp(iface->type, "user") || iface->ip)
		return 0;
	err = set_default(&iface->ip, "10.0.2.15");
	if (!err)
		err = set_default(&iface->masklen, "24");
	if (!err)
		err = set_default(&cfg->gateway, "10.0.2.2");
	if (!err)
		err = set_default(&cfg->nameserver, "10.0.2.3");
	return err;
}

/* The wire of an interface, or NULL after a message. */
static struct lkl_netdev *create(const struct lkl_config_iface *iface,
				 unsigned int offload, unsigned char *mac)
{
	const char *type = iface->type, *param = iface->param;

	if (!strcmp(type, "tap"))
		return lkl_netdev_tap_create(param, offload);
	if (!strcmp(type, "raw"))
		return lkl_netdev_raw_create(param);
	if (!strcmp(type, "macvtap"))
		return lkl_netdev_macvtap_create(param, offload);
	if (!strcmp(type, "pipe"))
		return lkl_netdev_pipe_create(param, offload);
	if (!strcmp(type, "vde"))
		return lkl_netdev_vde_create(param);
	if (!strcmp(type, "user"))
		return lkl_netdev_user_create(param);
	if (!strcmp(type, "dpdk"))
		return lkl_netdev_dpdk_create(param, offload, mac);
	if (is_number(param, 10, INT32_MAX))
		return lkl_netdev_fd_create(atoi(param), offload);
	fprintf(stderr, "lkl: fd '%s': not a number\n", param);
	return NULL;
}

static int add_device(struct lkl_config_iface *iface)
{
	struct lkl_netdev_args args = { 0 };
	unsigned char mac[6];

	if (iface->offload)
		args.offload = strtoul(iface->offload, NULL, 16);
	if (iface->mac) {
		parse_mac(iface->mac, mac);
		args.mac = mac;
	}
	iface->nd = create(iface, args.offload, args.mac);
	if (!iface->nd)
		return -LKL_ENODEV;
	iface->id = lkl_netdev_add(iface->nd, &args);
	if (iface->id < 0)
		fprintf(stderr, "lkl: %s '%s': %s\n", iface->type,
			iface->param ? iface->param : "",
			lkl_strerror(iface->id));
	return iface->id < 0 ? iface->id : 0;
}

static void remove_devices(struct lkl_config *cfg)
{
	for (struct lkl_config_iface *i = cfg->ifaces; i; i = i->next) {
		if (i->nd)
			lkl_netdev_free(i->nd);
		i->nd = NULL;
		i->id = -1;
	}
}

/* Stay on the host's CPU that we are on, with threads that begin later. */
static void pin(void)
{
	int cpu = sched_getcpu();
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu > 0 ? cpu : 0, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static int single_cpu(const struct lkl_config *cfg)
{
	return cfg->singlecpu ? atoi(cfg->singlecpu) : 0;
}

int lkl_load_config_pre(struct lkl_config *cfg)
{
	struct lkl_config_iface *iface;
	int n = 0, err = 0;

	prepare(cfg);
	for (iface = cfg->ifaces; iface && !err; iface = iface->next)
		err = check_iface(iface, n++);
	for (iface = cfg->ifaces; iface && !err; iface = iface->next)
		err = set_defaults(cfg, iface);
	if (err)
		return err;
	if (!cfg->debug || !strtoul(cfg->debug, NULL, 0))
		lkl_host_ops.print = NULL;
	for (iface = cfg->ifaces; iface && !err; iface = iface->next)
		err = add_device(iface);
	if (err)
		remove_devices(cfg);
	else if (single_cpu(cfg) == 2)
		pin(); /* before the threads of devices begin */
	return err;
}

/*
 * After the boot
 */

/* Say what could not be done with what; returns the error. */
static int failed(const char *key, const char *value, int err)
{
	if (err)
		fprintf(stderr, "lkl: %s '%s': %s\n", key, value,
			lkl_strerror(err));
	return err;
}

static int mount_all(const char *list)
{
	char *copy = strdup(list), *rest = copy, *type;
	int err = copy ? 0 : -LKL_ENOMEM;

	while (err >= 0 && (type = strsep(&rest, ", ")))
		if (*type)
			err = lkl_mount_fs(type);
	free(copy);
	return failed("mount", list, err < 0 ? err : 0);
}

/* The library kernel's own /etc/resolv.conf. */
static int write_resolv_conf(const char *servers)
{
	char *copy = strdup(servers), *rest = copy, *server, line[300];
	int fd, len, err = copy ? 0 : -LKL_ENOMEM;

	lkl_sys_mkdirat(LKL_AT_FDCWD, "/etc", 0755);
	fd = lkl_sys_openat(LKL_AT_FDCWD, "/etc/resolv.conf",
			    LKL_O_WRONLY | LKL_O_CREAT | LKL_O_TRUNC, 0644);
	if (fd < 0)
		err = fd;
	while (!err && (server = strsep(&rest, ", "))) {
		if (!*server)
			continue;
		len = snprintf(line, sizeof(line), "nameserver %.256s\n",
			       server);
		len -= lkl_sys_write(fd, line, len);
		err = len ? -LKL_EIO : 0;
	}
	if (fd >= 0)
		lkl_sys_close(fd);
	free(copy);
	return failed("nameserver", servers, err);
}

/* Addresses of an interface; IPv6 ones are not ready yet. */
static int set_addresses(const struct lkl_config_iface *iface, int ifindex)
{
	unsigned char addr[16];
	uint32_t ip;
	int err = 0;

	if (iface->mtu)
		err = failed("mtu", iface->mtu,
			     lkl_if_set_mtu(ifindex, atoi(iface->mtu)));
	if (!err)
		err = failed("up", iface->type, lkl_if_up(ifindex));
	if (!err && iface->qdisc)
		err = rtnl_qdiscs(ifindex, iface->qdisc);
	if (!err && iface->ip) {
		inet_pton(AF_INET, iface->ip, &ip);
		err = failed(
			"ip", iface->ip,
			lkl_if_set_ipv4(ifindex, ip, atoi(iface->masklen)));
	}
	if (!err && iface->ipv6) {
		inet_pton(AF_INET6, iface->ipv6, addr);
		err = lkl_if_add_ip(ifindex, LKL_AF_INET6, addr,
				    atoi(iface->masklen6));
		err = failed("ipv6", iface->ipv6, err == -LKL_EEXIST ? 0 : err);
	}
	return err;
}

static int set_routes(const struct lkl_config_iface *iface, int ifindex)
{
	unsigned char addr[16], gw6[16];
	uint32_t ip, gw;
	int err = 0;

	/* Unless a gateway is told, which will replace it. */
	if (iface->nd->flags & LKL_NETDEV_NOARP) {
		if (iface->ip)
			err = rtnl_default_route(ifindex, LKL_AF_INET);
		if (!err && iface->ipv6)
			err = rtnl_default_route(ifindex, LKL_AF_INET6);
		failed("default route", iface->type, err);
	}
	if (!err && iface->ifgateway) {
		inet_pton(AF_INET, iface->ip, &ip);
		inet_pton(AF_INET, iface->ifgateway, &gw);
		err = failed("ifgateway", iface->ifgateway,
			     lkl_if_set_ipv4_gateway(ifindex, ip,
						     atoi(iface->masklen), gw));
	}
	if (!err && iface->ifgateway6) {
		inet_pton(AF_INET6, iface->ipv6, addr);
		inet_pton(AF_INET6, iface->ifgateway6, gw6);
		err = failed("ifgateway6", iface->ifgateway6,
			     lkl_if_set_ipv6_gateway(ifindex, addr,
						     atoi(iface->masklen6),
						     gw6));
	}
	if (!err && iface->neigh)
		err = failed("neigh", iface->neigh,
			     rtnl_entries(iface->neigh, neighbour, &ifindex));
	return err;
}

/* Wait until an interface's IPv6 address can be used. */
static int wait_address(const struct lkl_config_iface *iface, int ifindex)
{
	unsigned char addr[16];
	int err;

	if (!iface->ipv6)
		return 0;
	inet_pton(AF_INET6, iface->ipv6, addr);
	err = lkl_if_wait_ipv6_dad(ifindex, addr);
	/* Without link it will be ready some time after there is one. */
	return failed("ipv6", iface->ipv6, err == -LKL_ENETDOWN ? 0 : err);
}

/* A step for all interfaces. */
static int for_ifaces(const struct lkl_config *cfg,
		      int (*fn)(const struct lkl_config_iface *iface,
				int ifindex))
{
	int ifindex, err = 0;

	for (struct lkl_config_iface *i = cfg->ifaces; i && !err; i = i->next) {
		ifindex = lkl_netdev_get_ifindex(i->id);
		err = ifindex < 0 ? failed("interface", i->type, ifindex)
				  : fn(i, ifindex);
	}
	return err;
}

static int set_down(const struct lkl_config_iface *iface, int ifindex)
{
	(void)iface;
	lkl_if_down(ifindex);
	return 0;
}

static int configure(const struct lkl_config *cfg)
{
	unsigned char gw6[16];
	uint32_t gw;
	int err = 0;

	if (cfg->mount)
		err = mount_all(cfg->mount);
	if (!err && cfg->nameserver)
		err = write_resolv_conf(cfg->nameserver);
	if (!err && cfg->sysctl)
		err = rtnl_sysctls(cfg->sysctl);
	if (!err)
		err = failed("interface", "lo", lkl_if_up(1));
	/* Addresses of all are under test at the same time. */
	if (!err)
		err = for_ifaces(cfg, set_addresses);
	if (!err)
		err = for_ifaces(cfg, set_routes);
	if (!err && cfg->gateway) {
		inet_pton(AF_INET, cfg->gateway, &gw);
		err = failed("gateway", cfg->gateway, lkl_set_ipv4_gateway(gw));
	}
	if (!err && cfg->gateway6) {
		inet_pton(AF_INET6, cfg->gateway6, gw6);
		err = failed("gateway6", cfg->gateway6,
			     lkl_set_ipv6_gateway(gw6));
	}
	if (!err)
		err = for_ifaces(cfg, wait_address);
	return err;
}

int lkl_load_config_post(struct lkl_config *cfg)
{
	int err;

	prepare(cfg);
	if (single_cpu(cfg) == 1)
		pin();
	err = configure(cfg);
	if (err)
		for_ifaces(cfg, set_down);
	return err;
}

/*
 * At the end
 */

static void dump_file(const char *path)
{
	char buf[4096];
	long fd, len = 0;

	fd = lkl_sys_openat(LKL_AT_FDCWD, path, LKL_O_RDONLY, 0);
	if (fd >= 0) {
		fprintf(stderr, "==> %s <==\n", path);
		while ((len = lkl_sys_read(fd, buf, sizeof(buf))) > 0)
			fwrite(buf, 1, len, stderr);
		lkl_sys_close(fd);
	}
	if (fd < 0 || len < 0)
		failed("dump", path, fd < 0 ? fd : len);
}

int lkl_unload_config(struct lkl_config *cfg)
{
	char *rest = cfg->dump, *path;

	if (cfg->magic != MAGIC)
		return 0;
	if (lkl_is_running())
		while ((path = strsep(&rest, ", ")))
			if (*path)
				dump_file(path);
	remove_devices(cfg);
	free_config(cfg);
	return 0;
}

static void show_settings(const char *prefix, const void *base,
			  const struct setting *s)
{
	for (; s->key; s++)
		if (*value_of(base, s))
			fprintf(stderr, "%s%s: %s\n", prefix, s->key,
				*value_of(base, s));
}

void lkl_show_config(const struct lkl_config *cfg)
{
	char prefix[40];
	int n = 0;

	if (cfg->magic != MAGIC)
		return;
	show_settings("", cfg, settings);
	for (struct lkl_config_iface *i = cfg->ifaces; i; i = i->next) {
		snprintf(prefix, sizeof(prefix), "interfaces[%d].", n++);
		show_settings(prefix, i, iface_settings);
	}
}
