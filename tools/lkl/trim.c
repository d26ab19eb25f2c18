// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl trim - give the host the space back that a file system does not use
 *
 * The file system discards what is free, and the disk punches that out of the
 * image file.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include <lkl/linux/fs.h>

#include "../common/tool.h"
#include "path.h"
#include "run.h"
#include "text.h"

int trim_run(struct session *s, const struct args *a)
{
	struct lkl_fstrim_range range = { .len = ULLONG_MAX };
	int fd = path_open(s, "/", LKL_O_RDONLY | LKL_O_DIRECTORY);
	char size[SIZE_TEXT];
	uint64_t least;
	long err = fd;

	if (a->value[OPT_MINIMUM]) {
		if (!tool_parse_size(a->value[OPT_MINIMUM], &least)) {
			if (fd >= 0)
				s->fs->close(fd);
			return args_bad("invalid size: '%s'",
					a->value[OPT_MINIMUM]);
		}
		range.minlen = least;
	}
	if (fd >= 0)
		err = lkl_sys_ioctl(fd, LKL_FITRIM, (unsigned long)&range);
	/* what is discarded goes out with the next commit, on some */
	if (!err)
		err = lkl_sys_syncfs(fd);
	if (fd >= 0)
		s->fs->close(fd);
	if (err) {
		path_error(s, "cannot trim", "/",
			   err == -ENOTTY ? -EOPNOTSUPP : err);
		return TOOL_FAILED;
	}
	if (a->given['v'])
		printf("%s (%llu bytes) trimmed\n",
		       text_size(range.len, 1024, true, size),
		       (unsigned long long)range.len);
	return session_status();
}
