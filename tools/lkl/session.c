// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a verb on the image that the command line names.
 */
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "../common/confined.h"
#include "../common/tool.h"
#include "path.h"
#include "verb.h"

int session_status(void)
{
	return tool_status();
}

struct work {
	const struct verb *v;
	struct session s;
	struct args a;
};

static int run_verb(struct image *img, void *arg)
{
	struct work *w = arg;
	int status;

	w->s.fs = img->fs;
	status = w->v->run(&w->s, &w->a);
	/* what was printed must have gone somewhere */
	if (!output_end() && status == TOOL_OK)
		status = TOOL_PARTIAL;
	return status;
}

int session_main(const struct verb *v, int argc, char **argv)
{
	struct work w = { .v = v, .s.cwd = "/" };
	struct image *img = &w.s.img;
	struct args *a = &w.a;
	struct confined c = {
		.img = img,
		.input = v->flags & VERB_INPUT,
		.run = run_verb,
		.arg = &w,
	};
	int err = args_read(v, argc, argv, img, a);

	if (err)
		return err < 0 ? TOOL_FAILED : TOOL_OK;
	if (!a->count)
		return args_bad("missing image");
	img->file = a->operand[0];
	a->operand++;
	a->count--;
	if (a->count < v->min)
		return args_bad(a->count ? "missing operand after '%s'"
					 : "missing operand",
				a->count ? a->operand[a->count - 1] : "");
	if (v->max >= 0 && a->count > v->max)
		return args_bad("extra operand '%s'", a->operand[v->max]);
	img->readonly = !(v->flags & VERB_CHANGES);
	/* nothing has to be put in order, and a reader may be slow */
	if (img->readonly)
		tool_mortal();
	else
		signal(SIGPIPE, SIG_IGN);
	img->inspect |= v->flags & VERB_INSPECT;
	/* lines that it prints would be in the way */
	if (!isatty(STDOUT_FILENO) ||
	    (v->flags & VERB_CHANGES && !a->given['v'] &&
	     !(v->flags & VERB_INPUT)))
		c.what = v->name;
	/* what cannot be found out later */
	tzset();
	output_begin(isatty(STDOUT_FILENO));
	return confined_run(&c);
}
