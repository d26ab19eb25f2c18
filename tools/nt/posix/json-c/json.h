/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tools need of json-c, which there is not for Windows: to print
 * (tools/nt/json.c).
 */
#ifndef NT_JSON_H
#define NT_JSON_H

#include <stdint.h>

#define JSON_C_TO_STRING_NOSLASHESCAPE 1

typedef struct json_object json_object;

json_object *json_object_new_object(void);
json_object *json_object_new_array(void);
json_object *json_object_new_string(const char *text);
json_object *json_object_new_uint64(uint64_t value);
int json_object_object_add(json_object *o, const char *key, json_object *value);
int json_object_array_add(json_object *o, json_object *value);
const char *json_object_to_json_string_ext(json_object *o, int flags);
int json_object_put(json_object *o);

#endif /* NT_JSON_H */
