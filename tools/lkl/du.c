// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl du - the space that directories take
 */
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "../common/tool.h"
#include "json.h"
#include "path.h"
#include "text.h"

struct du {
	const struct args *a;
	unsigned int size;
	bool units;
	long depth;
	void *links;
	uint64_t all;
	char *end;
};

struct link {
	dev_t dev;
	ino_t ino;
};

static int by_inode(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

/* Has a file with several names been counted under another? */
static bool counted(struct du *du, const struct stat *st)
{
	struct link *l, **found;

	if (st->st_nlink < 2 || S_ISDIR(st->st_mode) || du->a->given['l'])
		return false;
	l = tool_alloc(NULL, sizeof(*l));
	*l = (struct link){ st->st_dev, st->st_ino };
	found = tsearch(l, &du->links, by_inode);
	if (!found)
		tool_no_memory();
	if (*found == l)
		return false;
	free(l);
	return true;
}

static void du_put(const struct du *du, uint64_t bytes, const char *path)
{
	char text[SIZE_TEXT];

	if (du->a->given[OPT_JSON]) {
		json_object *o = json_object_new_object();

		json_add_name(o, "path", path);
		json_object_object_add(o, "size",
				       json_object_new_uint64(bytes));
		json_item(o);
		return;
	}
	printf("%s\t", text_size(bytes, du->size, du->units, text));
	put_name(path);
	putchar(du->a->given['0'] ? 0 : '\n');
}

static bool du_enter(struct tree *t, const struct tree_entry *e)
{
	uint64_t *sum;

	(void)t;
	if (S_ISDIR(e->st.st_mode)) {
		sum = tool_alloc(NULL, sizeof(*sum));
		*sum = 0;
		((struct tree_entry *)e)->data = sum;
	}
	return true;
}

static void du_leave(struct tree *t, const struct tree_entry *e)
{
	struct du *du = t->arg;
	const struct args *a = du->a;
	bool apparent = a->given[OPT_APPARENT] || a->given['b'];
	bool dir = S_ISDIR(e->st.st_mode);
	uint64_t own = (uint64_t)e->st.st_blocks * 512, below = 0;
	bool skip = counted(du, &e->st);

	if (apparent)
		own = dir || S_ISREG(e->st.st_mode) || S_ISLNK(e->st.st_mode)
			      ? e->st.st_size
			      : 0;
	if (dir) {
		below = *(uint64_t *)e->data;
		free(e->data);
	}
	if (skip)
		return;
	if (!(a->given['S'] && dir) && e->up && e->up->data)
		*(uint64_t *)e->up->data += own + below;
	if (!e->up)
		du->all += own + below;
	if ((dir || a->given['a'] || !e->depth) &&
	    (du->depth < 0 || e->depth <= (unsigned long)du->depth))
		du_put(du, own + below, e->path);
}

static void free_link(void *link)
{
	free(link);
}

int du_run(struct session *s, const struct args *a)
{
	struct du du = { .a = a, .depth = a->given['s'] ? 0 : -1 };
	struct tree t = {
		.s = s,
		.one = a->given['x'],
		.enter = du_enter,
		.leave = du_leave,
		.arg = &du,
	};
	char *here[] = { s->cwd, NULL };

	if (a->value['d'])
		du.depth = strtol(a->value['d'], &du.end, 10);
	if (a->value['d'] && (*du.end || du.depth < 0 || !*a->value['d']))
		return args_bad("invalid maximum depth '%s'", a->value['d']);
	text_unit(a, &du.size, &du.units);
	if (a->given[OPT_JSON])
		json_begin();
	for (char **path = a->count ? a->operand : here; *path && !tool_signal;
	     path++)
		tree_walk(&t, *path);
	if (a->given['c'])
		du_put(&du, du.all, "total");
	if (a->given[OPT_JSON])
		json_end();
	tdestroy(du.links, free_link);
	return session_status();
}
