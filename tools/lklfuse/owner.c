// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps between the owners in an image and the users here.
 */
#include <stdlib.h>
#include <string.h>

#include <lkl.h>
#include <lkl/linux/posix_acl.h>
#include <lkl/linux/posix_acl_xattr.h>

#include "lklfuse.h"
#include "../common/tool.h"

static uint32_t next_id(char **text, const char *what)
{
	return tool_number(strsep(text, ":"), UINT32_MAX - 1, what);
}

void owner_parse(struct owner_map *map, const char *text, const char *what)
{
	char *copy = tool_alloc(NULL, strlen(text) + 1);
	char *rest = strcpy(copy, text);

	while (rest) {
		struct owner_pair *p;

		map->pairs =
			tool_alloc(map->pairs, (map->count + 1) * sizeof(*p));
		p = &map->pairs[map->count++];
		p->image = next_id(&rest, what);
		if (!rest)
			tool_usage_error("invalid %s: '%s'", what, text);
		p->here = next_id(&rest, what);
	}
	free(copy);
}

void owner_default(struct lklfuse *lf)
{
	static const char *const types[] = { "vfat", "msdos", "exfat", "hfs" };

	for (size_t n = 0; n < sizeof(types) / sizeof(*types); n++) {
		if (lf->img.inspect || strcmp(lf->img.type, types[n]))
			continue;
		if (!lf->uids.all)
			lf->uids.to = lf->user;
		if (!lf->gids.all)
			lf->gids.to = lf->group;
		lf->uids.all = lf->gids.all = true;
	}
}

uint32_t owner_out(const struct owner_map *map, uint32_t id)
{
	for (size_t n = 0; n < map->count; n++) {
		if (map->pairs[n].image == id)
			return map->pairs[n].here;
	}
	return map->all ? map->to : id;
}

uint32_t owner_in(const struct owner_map *map, uint32_t id)
{
	for (size_t n = 0; n < map->count; n++) {
		if (map->pairs[n].here == id)
			return map->pairs[n].image;
	}
	return id;
}

void owner_acl(const struct lklfuse *lf, void *acl, size_t size,
	       uint32_t (*map)(const struct owner_map *map, uint32_t id))
{
	struct lkl_posix_acl_xattr_entry *e =
		(void *)((struct lkl_posix_acl_xattr_header *)acl + 1);

	for (; (char *)(e + 1) <= (char *)acl + size; e++) {
		if (e->e_tag == LKL_ACL_USER)
			e->e_id = map(&lf->uids, e->e_id);
		else if (e->e_tag == LKL_ACL_GROUP)
			e->e_id = map(&lf->gids, e->e_id);
	}
}
