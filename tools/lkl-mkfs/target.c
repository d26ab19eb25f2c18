// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file that becomes the image.
 *
 * It has a temporary name until it is complete.  Programs make a file system in
 * a file of its own, which is copied while it is empty: to a partition, and
 * without the blocks that they have allocated to be zeros.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mkfs.h"

#define MIB (1ULL << 20)
#define SECTOR 512
/* Where the only partition begins, and what is behind it. */
#define START MIB
#define END MIB
#define COPY (1 << 20)

/* Copy a part that is no hole. */
static int copy_part(int from, int to, off_t pos, off_t end, off_t offset)
{
	char *buf = tool_alloc(NULL, COPY);
	int err = 0;

	while (!err && pos < end) {
		size_t want = end - pos < COPY ? end - pos : COPY;
		ssize_t n = pread(from, buf, want, pos);

		if (n > 0 && pwrite(to, buf, n, pos + offset) == n)
			pos += n;
		else
			err = n ? -errno : -EIO;
	}
	free(buf);
	return err;
}

int target_copy(int from, int to, off_t offset)
{
	off_t data, hole = 0;
	int err = 0;

	while (!err && (data = lseek(from, hole, SEEK_DATA)) >= 0) {
		hole = lseek(from, data, SEEK_HOLE);
		err = hole < 0 ? -errno
			       : copy_part(from, to, data, hole, offset);
	}
	return err ?: errno == ENXIO ? 0 : -errno;
}

int target_partition(const struct plan *plan, const char *file)
{
	struct program p;
	char *script;
	int status;

	if (asprintf(&script,
		     "label: gpt\n%s%s\nstart=%llu, size=%llu, type=%s%s%s\n",
		     *plan->disk_uuid ? "label-id: " : "", plan->disk_uuid,
		     START / SECTOR, (unsigned long long)plan->size / SECTOR,
		     plan->format->part_type, *plan->part_uuid ? ", uuid=" : "",
		     plan->part_uuid) < 0)
		tool_no_memory();
	program_begin(&p, "sfdisk", "fdisk");
	program_add(&p, "-q");
	program_add(&p, "--no-reread");
	program_add(&p, "--no-tell-kernel");
	program_add(&p, file);
	p.input = script;
	status = program_run(&p);
	free(p.said);
	free(script);
	return status;
}

int format_make(const struct plan *plan, int fd, const char *path)
{
	const struct format *f = plan->format;
	const struct options *o = plan->o;
	struct program p;
	char time[64];
	int status;

	if (ftruncate(fd, plan->size)) {
		tool_file_error("cannot create", NULL, o->image, -errno);
		return -1;
	}
	program_begin(&p, f->program, f->package);
	if (o->epoch >= 0) {
		snprintf(time, sizeof(time), "E2FSPROGS_FAKE_TIME=%lld",
			 (long long)o->epoch);
		p.env = time;
	}
	f->add(&p, plan);
	/* those of the user are for the file system that is asked for */
	for (size_t i = 0; f == o->format && i < o->more_count; i++)
		program_add(&p, o->more[i]);
	program_add(&p, path);
	status = program_run(&p);
	free(p.said);
	return status;
}

/* Make the file system in a file of its own, and copy it to its place. */
static int make_and_copy(struct plan *plan, int fd, const char *tmp, bool gpt)
{
	off_t start = gpt ? START : 0, end = gpt ? END : 0;
	char *path;
	int from, err = -1;

	if (asprintf(&path, "%s.fs", tmp) < 0)
		tool_no_memory();
	from = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (from < 0) {
		tool_file_error("cannot create", NULL, path, -errno);
	} else {
		err = format_make(plan, from, path);
		unlink(path);
	}
	if (!err && (ftruncate(fd, start + plan->size + end) ||
		     (errno = -target_copy(from, fd, start)))) {
		tool_file_error("error writing", NULL, plan->o->image, -errno);
		err = -1;
	}
	if (from >= 0)
		close(from);
	free(path);
	plan->offset = start;
	plan->part = gpt;
	return err || !gpt ? err : target_partition(plan, tmp);
}

int target_begin(struct plan *plan, char **tmp)
{
	const struct options *o = plan->o;
	mode_t mask;
	int fd;

	if (asprintf(tmp, "%s.XXXXXX", o->image) < 0)
		tool_no_memory();
	fd = mkostemp(*tmp, O_CLOEXEC);
	if (fd < 0) {
		tool_file_error("cannot create", NULL, o->image, -errno);
		free(*tmp);
		*tmp = NULL;
		return -1;
	}
	plan->file = *tmp;
	mask = umask(0);
	umask(mask);
	fchmod(fd, 0666 & ~mask);
	if (plan->format->packed ||
	    !make_and_copy(plan, fd, *tmp, o->gpt && o->format == plan->format))
		return fd;
	close(fd);
	return -1;
}
