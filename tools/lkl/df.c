// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl df - the space in a file system
 */
#include <stdio.h>
#include <string.h>

#include "../common/tool.h"
#include "json.h"
#include "path.h"
#include "text.h"

enum { NAME, TYPE, ALL, USED, LEFT, PERCENT, COLUMNS };

/* As statfs() has it, in bytes. */
struct space {
	uint64_t all, used, left;
	uint64_t inodes, inodes_used, inodes_left;
};

struct column {
	const char *title;
	int width;
	char text[4096];
};

static void put_json(const struct session *s, const struct space *sp)
{
	json_object *o = json_object_new_object();

	json_add_name(o, "image", s->img.file);
	json_add_name(o, "type", s->img.type);
	json_object_object_add(o, "size", json_object_new_uint64(sp->all));
	json_object_object_add(o, "used", json_object_new_uint64(sp->used));
	json_object_object_add(o, "available",
			       json_object_new_uint64(sp->left));
	json_object_object_add(o, "inodes", json_object_new_uint64(sp->inodes));
	json_object_object_add(o, "inodes_used",
			       json_object_new_uint64(sp->inodes_used));
	json_begin();
	json_item(o);
	json_end();
}

/* As GNU's df has it, rounded up. */
static void percent(uint64_t used, uint64_t left, char *text)
{
	uint64_t all = used + left;

	if (!all)
		strcpy(text, "-");
	else
		sprintf(text, "%u%%",
			(unsigned int)((used * 100 + all - 1) / all));
}

static void put_line(const struct column *c, bool title)
{
	for (int i = 0; i < COLUMNS; i++) {
		const char *text = title ? c[i].title : c[i].text;
		int width = strlen(c[i].text), pad;

		if (!c[i].title)
			continue;
		if (c[i].width > width)
			width = c[i].width;
		pad = width - strlen(text);
		if (i <= TYPE) {
			put_name(text);
			printf("%*s ", pad > 0 ? pad : 0, "");
		} else {
			printf("%*s%s ", pad > 0 ? pad : 0, "", text);
		}
	}
	puts(title ? "Mounted on" : "/");
}

static void put_table(const struct session *s, const struct args *a,
		      const struct space *sp)
{
	bool inodes = a->given['i'], units;
	struct column c[COLUMNS] = {
		[NAME] = { "Filesystem", 14 },
		[TYPE] = { a->given['T'] ? "Type" : NULL, 4 },
		[USED] = { inodes ? "IUsed" : "Used", 5 },
		[PERCENT] = { inodes ? "IUse%" : "Use%", 4 + inodes },
	};
	unsigned int size;

	text_unit(a, &size, &units);
	if (inodes && !units)
		size = 1;
	c[ALL].title = inodes ? "Inodes" : units ? "Size" : "1K-blocks";
	c[LEFT].title = inodes ? "IFree" : units ? "Avail" : "Available";
	c[ALL].width = units && !inodes ? 5 : strlen(c[ALL].title);
	c[LEFT].width = strlen(c[LEFT].title);
	snprintf(c[NAME].text, sizeof(c->text), "%s", s->img.file);
	snprintf(c[TYPE].text, sizeof(c->text), "%s", s->img.type);
	text_size(inodes ? sp->inodes : sp->all, size, units, c[ALL].text);
	text_size(inodes ? sp->inodes_used : sp->used, size, units,
		  c[USED].text);
	text_size(inodes ? sp->inodes_left : sp->left, size, units,
		  c[LEFT].text);
	percent(inodes ? sp->inodes_used : sp->used,
		inodes ? sp->inodes_left : sp->left, c[PERCENT].text);
	put_line(c, true);
	put_line(c, false);
}

int df_run(struct session *s, const struct args *a)
{
	struct lkl_statfs st;
	uint64_t block, blocks, nfree, avail;
	struct space sp;
	int err = lkl_sys_statfs(s->img.mnt, &st);

	if (err) {
		path_error(s, "cannot stat the file system at", "/", err);
		return TOOL_FAILED;
	}
	block = st.f_frsize ? st.f_frsize : st.f_bsize;
	blocks = st.f_blocks;
	nfree = st.f_bfree;
	avail = st.f_bavail;
	sp = (struct space){
		.all = blocks * block,
		.used = (blocks - nfree) * block,
		.left = avail * block,
		.inodes = st.f_files,
		.inodes_used = st.f_files - st.f_ffree,
		.inodes_left = st.f_ffree,
	};
	if (a->given[OPT_JSON])
		put_json(s, &sp);
	else
		put_table(s, a, &sp);
	return session_status();
}
