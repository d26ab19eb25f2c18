// SPDX-License-Identifier: GPL-2.0-only
/*
 * The partition table around a file system.
 *
 * sfdisk writes it anew from what it has told about the old one, with another
 * size: so a GPT has its copy at the new end of the disk.  In an image that is
 * not raw, it sees the disk through FUSE.  What logical.c does is for a logical
 * partition.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/disk.h"
#include "../common/program.h"
#include "../common/tool.h"
#include "../lkl-fsck/list.h"
#include "../lkl-fsck/view.h"
#include "resize.h"

#define NAME "disk"

/* What sfdisk tells about the table; NULL when it has said why not. */
static char *dump(const struct place *where, const char *dir, const char *file)
{
	struct program p;
	char *text;

	program_begin(&p, "sfdisk", "fdisk");
	program_add(&p, "--dump");
	program_add(&p, file);
	p.output = true;
	p.dir = dir;
	p.file = where->img->no_sandbox ? NULL : file;
	p.file_readonly = true;
	if (program_run(&p)) {
		free(p.said);
		return NULL;
	}
	/* it may have warned before, of what it will correct */
	text = strstr(p.said, "label: ");
	if (text)
		memmove(p.said, text, strlen(text) + 1);
	return p.said;
}

static int restore(const struct place *where, const char *dir, const char *file,
		   const char *script)
{
	struct program p;
	int status;

	program_begin(&p, "sfdisk", "fdisk");
	program_add(&p, "-q");
	program_add(&p, "--no-reread");
	program_add(&p, "--no-tell-kernel");
	program_add2(&p, "--wipe", "never");
	program_add2(&p, "--wipe-partitions", "never");
	program_add(&p, file);
	p.input = script;
	p.dir = dir;
	p.file = where->img->no_sandbox ? NULL : file;
	status = program_run(&p);
	free(p.said);
	return status;
}

/* "disk.img2 : start= ..." or "disk1p2 : ...": the number, 0 for other lines.
 */
static unsigned int line_number(const char *line, size_t len)
{
	const char *colon = memmem(line, len, " : start=", 9), *c = colon;
	unsigned int n = 0;

	while (c && c > line && c[-1] >= '0' && c[-1] <= '9')
		c--;
	/* the name of the file may end with digits, and has a p then */
	if (c && c < colon)
		n = strtoul(c, NULL, 10);
	return n;
}

/*
 * The dump with another size of the partition, or 0 for the same, to be freed.
 * The name of the image is not in it, which may look like anything.
 */
static char *edit(const char *text, const struct place *p, uint64_t size)
{
	char *script = NULL;
	size_t script_len;
	FILE *f = open_memstream(&script, &script_len);

	if (!f)
		tool_no_memory();
	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");
		unsigned int part = line_number(line, len);
		const char *from = memmem(line, len, " : start=", 9), *old;
		const char *end = line + len;

		if (part) {
			old = memmem(from, end - from, "size=", 5);
			fprintf(f, "part%u", part);
			if (old && size && part == p->part) {
				fprintf(f, "%.*ssize=%llu", (int)(old - from),
					from,
					(unsigned long long)size / DISK_SECTOR);
				from = old + strcspn(old, ",");
			}
			fprintf(f, "%.*s\n", (int)(end - from), from);
		} else if (strncmp(line, "device:", 7) &&
			   (!size || strncmp(line, "last-lba:", 9))) {
			fprintf(f, "%.*s\n", (int)len, line);
		}
		line += len + !!line[len];
	}
	fclose(f);
	return script;
}

/* What is to be done where the disk is a file. */
struct job {
	const struct place *p;
	struct ptable *t;
	uint64_t size;
	int (*work)(const struct job *j, const char *dir, const char *file,
		    int fd);
	bool readonly;
	int ret;
};

static void do_job(struct job *j, const char *dir, const char *file)
{
	char *path;
	int fd;

	if (asprintf(&path, "%s%s%s", dir ?: "", dir ? "/" : "", file) < 0)
		tool_no_memory();
	fd = open(path, (j->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (fd < 0)
		tool_file_error("cannot open", NULL, path, -errno);
	else
		j->ret = j->work(j, dir, file, fd);
	if (fd >= 0)
		close(fd);
	free(path);
}

static void do_shown(struct view *d, const char *type, unsigned int disks,
		     void *arg)
{
	struct job *j = arg;
	const char *dir = view_show(d, NAME, j->readonly);

	(void)type;
	(void)disks;
	if (!dir)
		return;
	do_job(j, dir, NAME);
	if (view_hide(d) || (!j->readonly && !j->ret && view_commit(d)))
		j->ret = -1;
}

static int run_job(struct job *j)
{
	struct image img;

	j->ret = -1;
	if (!*j->p->format) {
		do_job(j, NULL, j->p->file);
		return j->ret;
	}
	img = image_copy(j->p->img);
	img.part = 0;
	img.whole = true;
	/* whatever that is */
	img.type = NAME;
	return view_run(&img, do_shown, j) ? -1 : j->ret;
}

static int get(const struct job *j, const char *dir, const char *file, int fd)
{
	if (pread(fd, j->t->code, BOOT_CODE, 0) != BOOT_CODE) {
		tool_file_error("error reading", NULL, j->p->file, -errno);
		return -1;
	}
	if (!j->p->logical)
		j->t->text = dump(j->p, dir, file);
	return j->p->logical || j->t->text ? 0 : -1;
}

int ptable_get(const struct place *p, struct ptable *t)
{
	struct job j = { .p = p, .t = t, .work = get, .readonly = true };

	*t = (struct ptable){ 0 };
	return run_job(&j);
}

static int set(const struct job *j, const char *dir, const char *file, int fd)
{
	const struct place *p = j->p;
	uint64_t size = (j->size ?: p->size) + p->extra;
	char *script;
	int err;

	if (p->logical) {
		err = logical_set(fd, p->part, size / DISK_SECTOR, p->last);
		if (err)
			tool_file_error("cannot resize", NULL, p->file, err);
		return err;
	}
	script = edit(j->t->text, p, j->size ? size : 0);
	err = restore(p, dir, file, script);
	free(script);
	if (pwrite(fd, j->t->code, BOOT_CODE, 0) != BOOT_CODE)
		err = -1;
	return err;
}

int ptable_set(const struct place *p, struct ptable *t, uint64_t size)
{
	struct job j = { .p = p, .t = t, .size = size, .work = set };

	return run_job(&j) ? -1 : 0;
}

void ptable_free(struct ptable *t)
{
	free(t->text);
}
