// SPDX-License-Identifier: GPL-2.0-only
/* Verbs of lkl that ask for what is there on Linux only, and say so. */
#include "../common/tool.h"
#include "../lkl/run.h"

static int refuse(void)
{
	tool_error("this verb is there on Linux only");
	return TOOL_FAILED;
}

#define RUN(name)                                                              \
	int name(struct session *s, const struct args *a)                      \
	{                                                                      \
		(void)s;                                                       \
		(void)a;                                                       \
		return refuse();                                               \
	}

#define MAIN(name)                                                             \
	int name(const struct verb *v, int argc, char **argv)                  \
	{                                                                      \
		(void)v;                                                       \
		(void)argc;                                                    \
		(void)argv;                                                    \
		return refuse();                                               \
	}

RUN(find_run)
RUN(inspect_run)
MAIN(diff_main)
MAIN(edit_main)
MAIN(serve_main)
MAIN(sh_main)
