// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a file system is: the partition and the file around it.
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
#include "../common/remote.h"
#include "../common/tool.h"
#include "../lkl-fsck/list.h"
#include "resize.h"

#define MIB (1ULL << 20)

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

	const char *format = d->remote && d->remote->file >= 0
				     ? remote_format(d->remote->file)
				     : NULL;

	if (d->remote ? !format : !S_ISREG(d->st.st_mode)) {
		tool_error("'%s' is no image file, and cannot be resized",
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
	};
	if (format)
		strcpy(p->format, format);
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
	/* it came from a process that is not trusted */
	*p = t->place;
	p->file = img->file;
	p->img = img;
	p->format[sizeof(p->format) - 1] = 0;
	memcpy(type, t->type, sizeof(t->type));
	type[sizeof(t->type) - 1] = 0;
	img->part = t->part;
	img->whole = !t->part;
	munmap(t, sizeof(*t));
	return status ? -1 : 0;
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

/* The file of an image, which qemu-img knows how to resize unless it is raw. */
static int set_file_size(const struct place *p, uint64_t size)
{
	struct program prog;
	char text[32];
	int err;

	if (!*p->format) {
		err = truncate(p->file, size) ? -errno : 0;
		if (err)
			tool_file_error("cannot resize", NULL, p->file, err);
		return err;
	}
	program_begin(&prog, "qemu-img", "qemu-utils");
	program_add(&prog, "resize");
	program_add(&prog, "-q");
	program_add2(&prog, "-f", p->format);
	if (size < p->file_size)
		program_add(&prog, "--shrink");
	program_add(&prog, p->file);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)size);
	program_add(&prog, text);
	prog.file = p->img->no_sandbox || p->img->trust ? NULL : p->file;
	err = program_run(&prog);
	free(prog.said);
	return err;
}

int place_set(struct place *p, uint64_t size)
{
	uint64_t whole = whole_size(p, size);
	struct ptable t;

	if (p->part && ptable_get(p, &t))
		return -1;
	if (set_file_size(p, whole)) {
		if (p->part)
			ptable_free(&t);
		return -1;
	}
	if (p->part && ptable_set(p, &t, size)) {
		/* as it was */
		if (!set_file_size(p, p->file_size))
			ptable_set(p, &t, 0);
		ptable_free(&t);
		return -1;
	}
	if (p->part)
		ptable_free(&t);
	p->file_size = whole;
	p->size = size;
	return 0;
}
