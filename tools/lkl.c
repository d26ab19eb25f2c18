// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl - one command for all that can be done with images
 *
 * What is a tool of its own is executed; the rest is in the folder lkl/, where
 * verb.h says how it hangs together.
 */
#include <stdio.h>
#include <string.h>

#include "common/tool.h"
#include "lkl/run.h"

static void help(void)
{
	printf("Usage: lkl VERB [OPTION]... ARGUMENT...\n"
	       "Linux as a library: use file systems without mounting them.\n"
	       "\n");
	for (size_t i = 0; i < verb_count; i++)
		printf("  %-9s %s\n", verbs[i].name, verbs[i].what);
	printf("\n"
	       "'lkl VERB --help' tells more.\n"
	       "\n"
	       "Examples:\n"
	       "  lkl info disk.img\n"
	       "  lkl ls -l disk.img /etc\n"
	       "  lkl cp disk.img:/var/log ./logs\n"
	       "  lkl write disk.img /etc/hostname <<<box\n");
}

int main(int argc, char **argv)
{
	static char name[32];
	const struct verb *v;
	const char *nearest;

	tool_init(argv[0]);
	if (argc < 2)
		tool_usage_error("missing verb");
	if (!strcmp(argv[1], "--help")) {
		help();
		return TOOL_OK;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("lkl %s\n", LKL_VERSION);
		return TOOL_OK;
	}
	v = verb_find(argv[1]);
	if (!v) {
		nearest = verb_nearest(argv[1]);
		if (nearest)
			tool_usage_error("no such verb: '%s'; did you mean "
					 "'%s'?",
					 argv[1], nearest);
		tool_usage_error("no such verb: '%s'", argv[1]);
	}
	if (v->program) {
		argv[1] = (char *)v->program;
		return execute(v->program, argv + 1);
	}
	snprintf(name, sizeof(name), "lkl %s", v->name);
	tool_name = argv[1] = name;
	tool_exit(v->main ? v->main(v, argc - 1, argv + 1)
			  : session_main(v, argc - 1, argv + 1));
}
