// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl log - what the kernel says of an image
 */
#include <stdlib.h>
#include <string.h>

#include "../common/kernel.h"
#include "../common/tool.h"
#include "path.h"

/* Lines come as "<6>[    0.012345] text". */
int log_run(struct session *s, const struct args *a)
{
	char *log = kernel_log(), *save;

	(void)s;
	for (char *line = strtok_r(log, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *text = *line == '<' ? strchr(line, '>') : NULL;
		int level = text ? atoi(line + 1) & 7 : 6;

		if (a->given['w'] && level > 4)
			continue;
		put_name(text ? text + 1 : line);
		putchar('\n');
	}
	free(log);
	return session_status();
}
