// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl write - put the standard input into a file
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/tool.h"
#include "mode.h"
#include "replace.h"

#define CHUNK (1 << 20)

/* With --append, what there is already. */
static bool copy_old(const struct session *s, struct replace *r, char *buf,
		     off_t *off)
{
	int fd = s->fs->open_file(r->wp.dir, r->wp.open);
	long n = fd;

	while (n >= 0 && (n = s->fs->pread(fd, buf, CHUNK, *off)) > 0) {
		if (!replace_write(s, r, buf, n, off))
			return false;
	}
	if (n < 0)
		path_error(s, "error reading", r->path, n);
	if (fd >= 0)
		s->fs->close(fd);
	return !n;
}

static bool copy_input(const struct session *s, struct replace *r, char *buf,
		       off_t *off)
{
	ssize_t n;

	while (tool_wait_input(STDIN_FILENO)) {
		n = read(STDIN_FILENO, buf, CHUNK);
		if (!n)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			tool_error("error reading the standard input: %s",
				   strerror(errno));
			return false;
		}
		if (!replace_write(s, r, buf, n, off))
			return false;
	}
	return !tool_signal;
}

int write_run(struct session *s, const struct args *a)
{
	struct mode_change *mode = NULL;
	struct replace r;
	off_t off = 0;
	char *buf;
	bool good;

	if (a->value[OPT_MODE] && !(mode = mode_parse(a->value[OPT_MODE])))
		return args_bad("invalid mode: '%s'", a->value[OPT_MODE]);
	if (replace_begin(s, a->operand[0], &r)) {
		free(mode);
		return TOOL_FAILED;
	}
	if (mode) {
		r.old.st_mode = mode_apply(mode, r.exists ? r.old.st_mode
							  : S_IFREG | 0644);
		r.new_mode = true;
	}
	buf = tool_alloc(NULL, CHUNK);
	good = !a->given['a'] || !r.exists || copy_old(s, &r, buf, &off);
	good = good && copy_input(s, &r, buf, &off);
	free(buf);
	free(mode);
	return replace_end(s, &r, good) ? TOOL_FAILED : session_status();
}
