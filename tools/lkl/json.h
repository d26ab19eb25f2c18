/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Output as JSON.
 */
#ifndef LKL_JSON_H
#define LKL_JSON_H

#include <json-c/json.h>
#include <sys/stat.h>

#include "verb.h"

/**
 * json_add_name() - add a string that may have any bytes
 * @o: object it goes into
 * @key: its name there
 * @text: the string
 *
 * Bytes that are not UTF-8 become U+FFFD, each; then KEY_base64 has the string
 * as it is.
 */
void json_add_name(json_object *o, const char *key, const char *text);

/**
 * json_add_time() - add a time, in UTC, as RFC 3339 has it
 * @o: object it goes into
 * @key: its name there
 * @ts: the time
 */
void json_add_time(json_object *o, const char *key, const struct timespec *ts);

/**
 * json_file() - what stat() says of a file
 * @s: the session
 * @dir: directory it is in
 * @name: its name there
 * @path: its path, to be told
 * @st: its properties
 *
 * Return: the object
 */
json_object *json_file(const struct session *s, int dir, const char *name,
		       const char *path, const struct stat *st);

/**
 * json_begin() - print the start of a list of objects
 */
void json_begin(void);

/**
 * json_item() - print an object of the list, and free it
 * @o: the object
 */
void json_item(json_object *o);

/**
 * json_end() - print the end of the list
 */
void json_end(void);

#endif /* LKL_JSON_H */
