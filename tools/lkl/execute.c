// SPDX-License-Identifier: GPL-2.0-only
/*
 * Run another of the tools.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "../common/remote.h"
#include "../common/tool.h"
#include "run.h"

int execute(const char *program, char **argv)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path));
	char *slash;

	/* the other tools are beside this one */
	if (len > 0 && len < (ssize_t)(sizeof(path) - strlen(program) - 1)) {
		path[len] = 0;
		slash = strrchr(path, '/');
		strcpy(slash + 1, program);
		execv(path, argv);
	}
	tool_file_error("cannot execute", NULL, program, -errno);
	return TOOL_FAILED;
}

size_t colon_length(const char *name)
{
	return remote_is_uri(name) ? strcspn(name, ":") + 1 : 0;
}
