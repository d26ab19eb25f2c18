// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules for owners, as the command line gives them.
 */
#include <stdbool.h>
#include <string.h>

#include "idmap.h"
#include "tool.h"

/* The owner @from, or everybody (@any), becomes @to. */
struct idrule {
	bool any;
	uint32_t from;
	uint32_t to;
};

void idmap_parse(struct idmap *map, char *text, const char *what)
{
	char *save;

	for (char *part = strtok_r(text, ",", &save); part;
	     part = strtok_r(NULL, ",", &save)) {
		char *colon = strchr(part, ':');
		struct idrule rule = {
			.any = !colon || !strncmp(part, "*:", 2),
		};

		if (colon)
			*colon = 0;
		if (!rule.any)
			rule.from = tool_number(part, UINT32_MAX - 1, what);
		rule.to = tool_number(colon ? colon + 1 : part, UINT32_MAX - 1,
				      what);
		map->rules =
			tool_alloc(map->rules, (map->count + 1) * sizeof(rule));
		map->rules[map->count++] = rule;
	}
	if (!map->count)
		tool_usage_error("invalid %s: ''", what);
}

uint32_t idmap_get(const struct idmap *map, uint32_t id)
{
	for (size_t i = 0; i < map->count; i++) {
		if (map->rules[i].any || map->rules[i].from == id)
			return map->rules[i].to;
	}
	return id;
}
