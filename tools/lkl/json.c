// SPDX-License-Identifier: GPL-2.0-only
/*
 * Output as JSON: a list that is printed object by object, so that a large tree
 * needs no memory.
 */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "../common/tool.h"
#include "ids.h"
#include "json.h"
#include "text.h"

static bool some;

/* The length of the character of UTF-8 at @p, or 0 if it is none. */
static size_t utf8_length(const unsigned char *p)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = *p < 0x80	 ? 1
		     : *p < 0xc2 ? 0
		     : *p < 0xe0 ? 2
		     : *p < 0xf0 ? 3
		     : *p < 0xf5 ? 4
				 : 0;
	uint32_t c = len < 2 ? *p : *p & (0x7f >> len);

	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (len > 1 &&
	    (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)))
		return 0;
	return len;
}

static char *base64(const unsigned char *p, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	char *text = tool_alloc(NULL, (len + 2) / 3 * 4 + 1), *to = text;

	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t v = p[i] << 16 | (left > 1 ? p[i + 1] << 8 : 0) |
			     (left > 2 ? p[i + 2] : 0);

		*to++ = digits[v >> 18];
		*to++ = digits[v >> 12 & 63];
		*to++ = left > 1 ? digits[v >> 6 & 63] : '=';
		*to++ = left > 2 ? digits[v & 63] : '=';
	}
	*to = 0;
	return text;
}

void json_add_name(json_object *o, const char *key, const char *text)
{
	const unsigned char *p = (const void *)text;
	size_t len = strlen(text);
	char *clean = tool_alloc(NULL, 3 * len + 1), *to = clean;
	bool valid = true;
	char other[64], *coded;

	while (*p) {
		size_t n = utf8_length(p);

		if (n) {
			memcpy(to, p, n);
			to += n;
			p += n;
		} else {
			to = stpcpy(to, "\xef\xbf\xbd");
			p++;
			valid = false;
		}
	}
	*to = 0;
	json_object_object_add(o, key, json_object_new_string(clean));
	if (!valid) {
		snprintf(other, sizeof(other), "%s_base64", key);
		coded = base64((const void *)text, len);
		json_object_object_add(o, other, json_object_new_string(coded));
		free(coded);
	}
	free(clean);
}

void json_add_time(json_object *o, const char *key, const struct timespec *ts)
{
	char text[64];
	struct tm tm;
	size_t n;

	if (!gmtime_r(&ts->tv_sec, &tm))
		return;
	n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, sizeof(text) - n, ".%09ldZ", ts->tv_nsec);
	json_object_object_add(o, key, json_object_new_string(text));
}

static void add_number(json_object *o, const char *key, uint64_t value)
{
	json_object_object_add(o, key, json_object_new_uint64(value));
}

json_object *json_file(const struct session *s, int dir, const char *name,
		       const char *path, const struct stat *st)
{
	json_object *o = json_object_new_object();
	char mode[8], target[PATH_MAX];
	const char *user = ids_name(s, IDS_USERS, st->st_uid);
	const char *group = ids_name(s, IDS_GROUPS, st->st_gid);

	json_add_name(o, "path", path);
	json_object_object_add(o, "type",
			       json_object_new_string(text_type(st->st_mode)));
	snprintf(mode, sizeof(mode), "%04o", st->st_mode & 07777);
	json_object_object_add(o, "mode", json_object_new_string(mode));
	add_number(o, "inode", st->st_ino);
	add_number(o, "links", st->st_nlink);
	add_number(o, "uid", st->st_uid);
	add_number(o, "gid", st->st_gid);
	if (user)
		json_add_name(o, "user", user);
	if (group)
		json_add_name(o, "group", group);
	add_number(o, "size", st->st_size);
	add_number(o, "allocated", (uint64_t)st->st_blocks * 512);
	if (S_ISBLK(st->st_mode) || S_ISCHR(st->st_mode)) {
		add_number(o, "major", major(st->st_rdev));
		add_number(o, "minor", minor(st->st_rdev));
	}
	json_add_time(o, "atime", &st->st_atim);
	json_add_time(o, "mtime", &st->st_mtim);
	json_add_time(o, "ctime", &st->st_ctim);
	if (S_ISLNK(st->st_mode) && !text_link(s, dir, name, target))
		json_add_name(o, "target", target);
	return o;
}

void json_begin(void)
{
	putchar('[');
	some = false;
}

void json_item(json_object *o)
{
	printf("%s\n%s", some ? "," : "",
	       json_object_to_json_string_ext(o,
					      JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	some = true;
}

void json_end(void)
{
	puts("\n]");
}
