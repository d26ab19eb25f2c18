// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl find - look for files
 *
 * The expression becomes a tree of nodes, which is evaluated for each file.
 */
#include <limits.h>
#include <string.h>

#include "../common/tool.h"
#include "find.h"
#include "json.h"

static void look_at(struct find *f, const struct tree_entry *e)
{
	if (f->quit || e->depth < f->min || tool_signal)
		return;
	if ((!f->expression || find_eval(f, f->expression, e)) && !f->acts)
		find_print(f, e);
}

static bool find_enter(struct tree *t, const struct tree_entry *e)
{
	struct find *f = t->arg;

	if (!e->depth)
		f->start_len = strlen(e->path);
	f->prune = false;
	if (!f->depth_first)
		look_at(f, e);
	return !f->quit && !f->prune && e->depth < f->max;
}

static void find_leave(struct tree *t, const struct tree_entry *e)
{
	struct find *f = t->arg;

	if (f->depth_first)
		look_at(f, e);
}

/* Does the expression begin here? */
static bool is_expression(const char *arg)
{
	return (*arg == '-' && arg[1]) || !strcmp(arg, "!") ||
	       !strcmp(arg, "(");
}

int find_run(struct session *s, const struct args *a)
{
	struct find f = {
		.s = s,
		.args = a->operand,
		.json = a->given[OPT_JSON],
		.max = ULONG_MAX,
	};
	struct tree t = {
		.s = s,
		.enter = find_enter,
		.leave = find_leave,
		.arg = &f,
	};
	char *here = s->cwd, **paths = a->operand;
	int count = 0;

	while (*f.args && !is_expression(*f.args)) {
		f.args++;
		count++;
	}
	clock_gettime(CLOCK_REALTIME, &f.now);
	if (*f.args) {
		f.expression = find_parse(&f);
		if (!f.expression)
			return TOOL_FAILED;
	}
	if (f.json && f.acts) {
		args_bad("--json and -print exclude each other");
		find_free(f.expression);
		return TOOL_FAILED;
	}
	if (!count) {
		paths = &here;
		count = 1;
	}
	t.one = f.one;
	if (f.json)
		json_begin();
	for (int i = 0; i < count && !f.quit && !tool_signal; i++)
		tree_walk(&t, paths[i]);
	if (f.json)
		json_end();
	find_free(f.expression);
	return session_status();
}
