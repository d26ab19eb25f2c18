// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a verb on the image that the command line names.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../common/tool.h"
#include "path.h"
#include "verb.h"

int session_status(void)
{
	return tool_status();
}

/* What a verb has printed must have gone somewhere. */
static int finish_output(int status)
{
	if (!output_end() && status == TOOL_OK)
		status = TOOL_PARTIAL;
	return status;
}

int session_main(const struct verb *v, int argc, char **argv)
{
	struct session s = { .cwd = "/" };
	int status = TOOL_FAILED, count;
	struct args a;
	int err = args_read(v, argc, argv, &s.img, &a);

	if (err)
		return err < 0 ? TOOL_FAILED : TOOL_OK;
	if (!a.count)
		return args_bad("missing image");
	s.img.file = a.operand[0];
	a.operand++;
	count = --a.count;
	if (count < v->min)
		return args_bad(count ? "missing operand after '%s'"
				      : "missing operand",
				count ? a.operand[count - 1] : "");
	if (v->max >= 0 && count > v->max)
		return args_bad("extra operand '%s'", a.operand[v->max]);
	s.img.readonly = !(v->flags & VERB_CHANGES);
	/* nothing has to be put in order, and a reader may be slow */
	if (s.img.readonly)
		tool_mortal();
	else
		signal(SIGPIPE, SIG_IGN);
	tzset();
	if (!image_mount(&s.img)) {
		s.fs = s.img.fs;
		status = finish_output(v->run(&s, &a));
	}
	if (image_unmount(&s.img) && status == TOOL_OK)
		status = TOOL_PARTIAL;
	return status;
}
