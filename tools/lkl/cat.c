// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl cat - print files
 */
#include <errno.h>
#include <stdlib.h>

#include "../common/tool.h"
#include "path.h"

#define CHUNK (1 << 20)

/* Print a file; false when nothing more can be printed. */
static bool cat(const struct session *s, const char *path, char *buf)
{
	int fd = path_open(s, path, LKL_O_RDONLY | LKL_O_NONBLOCK);
	bool go_on = true;
	struct stat st;
	off_t off = 0;
	long n = fd;

	if (fd >= 0 && !s->fs->stat(fd, "", &st) && !S_ISREG(st.st_mode))
		n = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	while (n >= 0 && go_on && !tool_signal) {
		n = s->fs->pread(fd, buf, CHUNK, off);
		if (n <= 0)
			break;
		go_on = output_write(buf, n);
		off += n;
	}
	if (n < 0)
		path_error(s, off || fd >= 0 ? "error reading" : "cannot open",
			   path, n);
	if (fd >= 0)
		s->fs->close(fd);
	return go_on;
}

int cat_run(struct session *s, const struct args *a)
{
	char *buf = tool_alloc(NULL, CHUNK);

	for (char **path = a->operand; *path; path++) {
		if (!cat(s, *path, buf))
			break;
	}
	free(buf);
	return session_status();
}
