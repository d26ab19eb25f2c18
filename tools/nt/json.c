// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON, to be printed.  A value is its text, but for what an object or an array
 * has in it, which may get more.
 */
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/tool.h"

/*
 * @open: the character that an object or an array begins with, or 0
 * @key: the name in the object above, as it is printed, or NULL
 * @text: the value, or what was printed last
 * @first: the first value in it, @last: the last one
 * @next: the next value beside it
 */
struct json_object {
	char open;
	char *key;
	char *text;
	size_t len;
	json_object *first;
	json_object *last;
	json_object *next;
};

static json_object *new_value(char open)
{
	json_object *o = tool_alloc(NULL, sizeof(*o));

	*o = (json_object){ .open = open };
	return o;
}

json_object *json_object_new_object(void)
{
	return new_value('{');
}

json_object *json_object_new_array(void)
{
	return new_value('[');
}

static void append(json_object *o, const char *text, size_t len)
{
	o->text = tool_alloc(o->text, o->len + len + 1);
	memcpy(o->text + o->len, text, len);
	o->len += len;
	o->text[o->len] = 0;
}

static void append_quoted(json_object *o, const char *text)
{
	static const char plain[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";
	char code[8];

	append(o, "\"", 1);
	for (; *text; text++) {
		const char *special = strchr(plain, *text);
		int len;

		if (special)
			len = sprintf(code, "\\%c", letter[special - plain]);
		else if ((unsigned char)*text < ' ')
			len = sprintf(code, "\\u%04x", *text);
		else
			len = sprintf(code, "%c", *text);
		append(o, code, len);
	}
	append(o, "\"", 1);
}

json_object *json_object_new_string(const char *text)
{
	json_object *o = new_value(0);

	append_quoted(o, text);
	return o;
}

json_object *json_object_new_uint64(uint64_t value)
{
	json_object *o = new_value(0);
	char text[24];

	append(o, text, sprintf(text, "%llu", (unsigned long long)value));
	return o;
}

int json_object_array_add(json_object *o, json_object *value)
{
	if (o->last)
		o->last->next = value;
	else
		o->first = value;
	o->last = value;
	return 0;
}

int json_object_object_add(json_object *o, const char *key, json_object *value)
{
	value->key = strdup(key);
	if (!value->key)
		tool_no_memory();
	return json_object_array_add(o, value);
}

/* As json-c has it, with a space between what is beside each other. */
const char *json_object_to_json_string_ext(json_object *o, int flags)
{
	if (!o->open)
		return o->text;
	o->len = 0;
	append(o, &o->open, 1);
	for (json_object *v = o->first; v; v = v->next) {
		const char *text = json_object_to_json_string_ext(v, flags);

		append(o, v == o->first ? "" : ",", v != o->first);
		if (v->key) {
			append_quoted(o, v->key);
			append(o, ":", 1);
		}
		append(o, text, strlen(text));
	}
	append(o, o->open == '{' ? "}" : "]", 1);
	return o->text;
}

int json_object_put(json_object *o)
{
	json_object *next;

	for (json_object *v = o->first; v; v = next) {
		next = v->next;
		json_object_put(v);
	}
	free(o->key);
	free(o->text);
	free(o);
	return 1;
}
