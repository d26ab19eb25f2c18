// SPDX-License-Identifier: GPL-2.0-only
/*
 * Images by what POSIX says: files, and devices where one can seek to the end
 * of them.  Nothing confines a process, so the work is done in the one that was
 * started.  Servers, formats of qemu and what lies between a disk and a file
 * system take what there is on Linux only.
 */
#include <errno.h>
#include <fcntl.h>
#include <lkl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "../common/confined.h"
#include "../common/contents.h"
#include "../common/disk.h"
#include "../common/image.h"
#include "../common/tool.h"
#include "../elsewhere/elsewhere.h"

#define LOCK_STEP_MS 20

/* Lock it for this process; other locks than those of POSIX are not seen. */
static int lock(const struct disk *d, bool readonly, unsigned int ms)
{
	struct flock whole = { .l_type = readonly ? F_RDLCK : F_WRLCK,
			       .l_whence = SEEK_SET };

	while (fcntl(d->fd, F_SETLK, &whole)) {
		if (errno != EACCES && errno != EAGAIN) {
			tool_file_error("cannot lock", NULL, d->file, -errno);
			return -1;
		}
		if (ms < LOCK_STEP_MS) {
			tool_error("'%s' is in use by another program",
				   d->file);
			return -1;
		}
		poll(NULL, 0, LOCK_STEP_MS);
		ms -= LOCK_STEP_MS;
	}
	return 0;
}

int disk_open(struct disk *d, bool readonly, bool trust, unsigned int lock_ms)
{
	(void)trust;
	if (refuse_server(d))
		return -1;
	d->fd = open(d->file,
		     (readonly ? O_RDONLY : O_RDWR) | O_NONBLOCK | O_CLOEXEC);
	if (d->fd < 0 || fstat(d->fd, &d->st)) {
		tool_file_error("cannot open", NULL, d->file, -errno);
		return -1;
	}
	if (S_ISDIR(d->st.st_mode)) {
		tool_file_error("cannot open", NULL, d->file, -EISDIR);
		return -1;
	}
	d->size = lseek(d->fd, 0, SEEK_END);
	if (!S_ISREG(d->st.st_mode) && d->size + 1 < 2) {
		tool_error("'%s' is neither a file nor a block device",
			   d->file);
		return -1;
	}
	if (!d->locked && lock(d, readonly, lock_ms))
		return -1;
	if (d->size < DISK_SECTOR) {
		tool_error("'%s' is empty", d->file);
		return -1;
	}
	return refuse_format(d) ? -1 : 0;
}

int disk_close(struct disk *d, bool sync)
{
	int err = 0;

	disk_free(d);
	if (d->fd >= 0 && sync && fsync(d->fd)) {
		err = -errno;
		tool_file_error("cannot sync", NULL, d->file, err);
	}
	if (d->fd >= 0)
		close(d->fd);
	return err;
}
