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

#define LOCK_STEP_MS 20

/* Formats that take qemu to read, by how they begin. */
static const struct {
	const char *name;
	const char *word;
	size_t len;
} formats[] = {
	{ "qcow2", "QFI\xfb", 4 },
	{ "vmdk", "KDMV", 4 },
	{ "vdi", "<<< ", 4 },
	{ "vhdx", "vhdxfile", 8 },
};

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

/* Is it one that is not read here? */
static int check_format(const struct disk *d)
{
	char head[16] = "";

	if (pread(d->fd, head, sizeof(head), 0) < 0) {
		tool_file_error("error reading", NULL, d->file, -errno);
		return -1;
	}
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		if (memcmp(head, formats[i].word, formats[i].len))
			continue;
		tool_error("cannot open '%s': it has the format %s of qemu, "
			   "which is not read here",
			   d->file, formats[i].name);
		return -1;
	}
	return 0;
}

int disk_open(struct disk *d, bool readonly, bool trust, unsigned int lock_ms)
{
	(void)trust;
	if (!strncmp(d->file, "nbd", 3) && strstr(d->file, "://")) {
		tool_error("cannot open '%s': there is no NBD here", d->file);
		return -1;
	}
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
	return check_format(d);
}

int disk_look(struct disk *d)
{
	(void)d;
	return 0;
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

/* Only the types are known. */
bool layers_known(const struct probe *found)
{
	return !strcmp(found->type, "crypto_LUKS") ||
	       !strcmp(found->type, "LVM2_member") ||
	       !strcmp(found->type, "linux_raid_member");
}

bool layers_open(struct layers *l, struct probe *found)
{
	(void)found;
	tool_error("'%s' has encryption, logical volumes or RAID, which cannot "
		   "be opened here",
		   l->image);
	return false;
}

struct volume *layers_list(struct layers *l, size_t *count)
{
	*count = 0;
	layers_open(l, NULL);
	return NULL;
}

void layers_close(struct layers *l)
{
	(void)l;
}

/* What would ask for it is not opened. */
int key_get(struct key *k, const char *image, const char *option)
{
	(void)k;
	tool_error("'%s': %s cannot be used here", image, option);
	return -1;
}

void key_copy(struct key *to, const struct key *from)
{
	*to = *from;
}

void key_forget(struct key *k)
{
	(void)k;
}

int inspect_open(struct inspect *in, const char *where)
{
	(void)in;
	(void)where;
	tool_error("--inspect cannot be used here");
	return -1;
}

long inspect_close(struct inspect *in)
{
	(void)in;
	return 0;
}

bool confined_possible(void)
{
	return false;
}

int confined_run(const struct confined *c)
{
	int status = TOOL_FAILED;

	if (!image_open(c->img) &&
	    !(c->unmounted ? image_look(c->img) : image_start(c->img)))
		status = c->run(c->img, c->arg);
	if (image_unmount(c->img) && status == TOOL_OK)
		status = TOOL_PARTIAL;
	return status;
}
