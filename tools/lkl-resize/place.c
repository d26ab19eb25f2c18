// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a file system is: the partition and the file around it.
 *
 * sfdisk writes the partition table anew from what it has told about the old
 * one, with another size: so a GPT has its copy at the new end of the image.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/confined.h"
#include "../common/contents.h"
#include "../common/device.h"
#include "../common/layers.h"
#include "../common/program.h"
#include "../common/tool.h"
#include "../lkl-fsck/list.h"
#include "resize.h"

#define MIB (1ULL << 20)
/* Code that starts a computer, before the table. */
#define BOOT_CODE 440

static int find_partition(struct place *p, const struct disk *d)
{
	blkid_probe pr = blkid_new_probe();
	unsigned int sector = d->sector;
	blkid_partlist list;
	blkid_partition part;
	int ret = -1;

	if (!pr)
		tool_no_memory();
	list = probe_partitions(pr, d->fd, &sector);
	part = blkid_partlist_get_partition_by_partno(list, p->part);
	p->gpt = !strcmp(
		blkid_parttable_get_type(blkid_partlist_get_table(list)),
		"gpt");
	p->start = blkid_partition_get_start(part) * DISK_SECTOR;
	p->size = blkid_partition_get_size(part) * DISK_SECTOR;
	for (int i = 0; i < blkid_partlist_numof_partitions(list); i++) {
		blkid_partition other = blkid_partlist_get_partition(list, i);

		if (blkid_partition_get_start(other) * DISK_SECTOR >
		    (off_t)p->start)
			p->last = false;
	}
	if (sector != DISK_SECTOR)
		tool_error("'%s' has sectors of %u bytes, which sfdisk would "
			   "not know",
			   p->file, sector);
	else
		ret = 0;
	p->logical = !p->gpt && p->part > 4;
	blkid_free_probe(pr);
	return ret;
}

/* Unlock what is encrypted: it becomes larger and smaller with its partition.
 */
static int look_inside(struct place *p, struct image *img, char type[32])
{
	struct device dev;

	if (image_attach(img))
		return -1;
	if (img->layers.count != 1) {
		tool_error("'%s' contains LVM, which cannot be resized",
			   img->file);
		return -1;
	}
	if (!device_open(&dev, img->disks->dev))
		return -1;
	p->extra = p->size - dev.size;
	p->size = dev.size;
	device_close(&dev);
	snprintf(type, 32, "%s", img->type);
	return 0;
}

static int look(struct place *p, struct image *img, char type[32])
{
	struct disk *d = img->disks;
	struct probe found;

	if (d->remote || !S_ISREG(d->st.st_mode)) {
		tool_error("'%s' is no raw image file, and cannot be resized",
			   img->file);
		return -1;
	}
	if (contents_find(d, &img->part, img->type, img->whole, false, &found))
		return -1;
	if (layers_known(&found) && strcmp(found.type, "crypto_LUKS")) {
		tool_error("'%s' contains %s, which cannot be resized",
			   img->file, found.type);
		return -1;
	}
	*p = (struct place){
		.file = img->file,
		.file_size = d->size,
		.part = img->part,
		.size = d->size,
		.last = true,
		.no_sandbox = img->no_sandbox,
	};
	strcpy(type, found.type);
	if (img->part && find_partition(p, d))
		return -1;
	return layers_known(&found) ? look_inside(p, img, type) : 0;
}

/* What the process that looks at the image tells. */
struct told {
	struct place place;
	char type[32];
	unsigned int part;
};

static int find(struct image *img, void *arg)
{
	struct told *t = arg;

	if (look(&t->place, img, t->type))
		return TOOL_FAILED;
	t->part = img->part;
	return TOOL_OK;
}

int place_find(struct place *p, struct image *img, char type[32])
{
	struct told *t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct image copy = image_copy(img);
	struct confined c = {
		.img = &copy,
		.unmounted = true,
		.run = find,
		.arg = t,
		.keep_key = true,
	};
	int status;

	if (t == MAP_FAILED)
		tool_no_memory();
	status = confined_run(&c);
	key_forget(&img->key);
	img->key = copy.key;
	*p = t->place;
	p->file = img->file;
	memcpy(type, t->type, sizeof(t->type));
	type[sizeof(t->type) - 1] = 0;
	img->part = t->part;
	img->whole = !t->part;
	munmap(t, sizeof(*t));
	return status ? -1 : 0;
}

/* What sfdisk tells about the table; NULL when it has said why not. */
static char *dump(const char *file, bool no_sandbox)
{
	struct program p;
	char *text;

	program_begin(&p, "sfdisk", "fdisk");
	program_add(&p, "--dump");
	program_add(&p, file);
	p.output = true;
	p.file = no_sandbox ? NULL : file;
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

static int restore(const char *file, const char *script, bool no_sandbox)
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
	p.file = no_sandbox ? NULL : file;
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

/* How large the image is to be. */
static uint64_t whole_size(const struct place *p, uint64_t size)
{
	uint64_t end = p->start + p->extra + size + (p->gpt ? MIB : 0);

	if (!p->part)
		return size + p->extra;
	if (!p->last)
		return p->file_size;
	/* what was free behind the partition is taken before the file grows */
	return size > p->size && end < p->file_size ? p->file_size : end;
}

static int set_table(const struct place *p, int fd, uint64_t size)
{
	char *text = dump(p->file, p->no_sandbox), *script, *same,
	     code[BOOT_CODE];
	int err;

	if (!text)
		return -1;
	script = edit(text, p, size + p->extra);
	same = edit(text, p, 0);
	err = pread(fd, code, BOOT_CODE, 0) != BOOT_CODE ||
	      ftruncate(fd, whole_size(p, size));
	if (err)
		tool_file_error("cannot resize", NULL, p->file, -errno);
	else
		err = restore(p->file, script, p->no_sandbox);
	/* as it was */
	if (err && !ftruncate(fd, p->file_size))
		restore(p->file, same, p->no_sandbox);
	if (pwrite(fd, code, BOOT_CODE, 0) != BOOT_CODE)
		err = -1;
	free(same);
	free(script);
	free(text);
	return err ? -1 : 0;
}

static int set_logical(const struct place *p, int fd, uint64_t size)
{
	uint64_t sectors = (size + p->extra) / DISK_SECTOR;
	int err = ftruncate(fd, whole_size(p, size)) ? -errno : 0;

	if (!err)
		err = logical_set(fd, p->part, sectors, p->last);
	if (!err)
		return 0;
	tool_file_error("cannot resize", NULL, p->file, err);
	/* as it was */
	if (!ftruncate(fd, p->file_size))
		logical_set(fd, p->part, (p->size + p->extra) / DISK_SECTOR,
			    p->last);
	return -1;
}

int place_set(struct place *p, uint64_t size)
{
	int fd = open(p->file, O_RDWR | O_CLOEXEC), err;

	if (fd < 0) {
		tool_file_error("cannot open", NULL, p->file, -errno);
		return -1;
	}
	if (p->logical) {
		err = set_logical(p, fd, size);
	} else if (p->part) {
		err = set_table(p, fd, size);
	} else {
		err = ftruncate(fd, whole_size(p, size));
		if (err)
			tool_file_error("cannot resize", NULL, p->file, -errno);
	}
	if (!err) {
		p->file_size = whole_size(p, size);
		p->size = size;
	}
	close(fd);
	return err;
}
