// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds all file systems of an image.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../common/confined.h"
#include "../common/layers.h"
#include "../common/probe.h"
#include "../common/tool.h"
#include "list.h"

struct image image_copy(const struct image *how)
{
	struct image img = *how;

	img.disks = tool_alloc(NULL, img.count * sizeof(*img.disks));
	if (img.count)
		memcpy(img.disks, how->disks, img.count * sizeof(*img.disks));
	key_copy(&img.key, &how->key);
	return img;
}

static void add(struct places *p, unsigned int part, const char *lv,
		const struct probe *found)
{
	size_t n = p->count;

	if (n == PLACES || !*found->type || found->other)
		return;
	p->at[n].part = part;
	strcpy(p->at[n].lv, lv);
	strcpy(p->at[n].type, probe_kernel_type(found->type));
	p->count++;
}

/* What is in the layers above a partition. */
static void add_volumes(const struct image *open, unsigned int part,
			struct places *p)
{
	struct image img = {
		.file = open->file,
		.part = part,
		.whole = !part,
		.sector = open->sector,
		.mem = open->mem,
		.readonly = true,
	};
	struct volume *all;
	size_t count;

	image_again(&img, open);
	key_copy(&img.key, &open->key);
	img.key.elsewhere = true;
	all = image_volumes(&img, &count);
	if (img.key.wanted)
		tool_warn("'%s' has something encrypted, which is left out "
			  "without -K",
			  open->file);
	image_unmount(&img);
	for (size_t n = 0; n < count; n++)
		add(p, part, all[n].name, &all[n].found);
	free(all);
}

static void add_part(const struct image *img, unsigned int part, off_t start,
		     off_t size, struct places *p)
{
	struct probe found;

	probe_at(img->disks->fd, start, size, &found);
	if (layers_known(&found))
		add_volumes(img, part, p);
	else
		add(p, part, "", &found);
}

static int find(struct image *img, void *arg)
{
	blkid_probe pr = blkid_new_probe();
	struct places *p = arg;
	blkid_partlist list;
	int count;

	if (!pr)
		tool_no_memory();
	list = probe_partitions(pr, img->disks->fd, &img->disks->sector);
	count = list ? blkid_partlist_numof_partitions(list) : 0;
	if (!count)
		add_part(img, 0, 0, img->disks->size, p);
	for (int n = 0; n < count; n++) {
		blkid_partition part = blkid_partlist_get_partition(list, n);

		add_part(img, blkid_partition_get_partno(part),
			 blkid_partition_get_start(part) * DISK_SECTOR,
			 blkid_partition_get_size(part) * DISK_SECTOR, p);
	}
	blkid_free_probe(pr);
	return TOOL_OK;
}

struct places *list_places(const struct image *how)
{
	struct places *p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct image img = image_copy(how);
	struct confined c = {
		.img = &img, .unmounted = true, .run = find, .arg = p
	};
	struct places *own = tool_alloc(NULL, sizeof(*own));

	if (p == MAP_FAILED)
		tool_no_memory();
	img.readonly = true;
	if (confined_run(&c)) {
		list_free(own);
		own = NULL;
	} else {
		/* it came from a process that is not trusted */
		*own = *p;
		own->count = own->count < PLACES ? own->count : PLACES;
		for (size_t n = 0; n < own->count; n++) {
			own->at[n].lv[sizeof(own->at[n].lv) - 1] = 0;
			own->at[n].type[sizeof(own->at[n].type) - 1] = 0;
		}
	}
	munmap(p, sizeof(*p));
	return own;
}

void list_free(struct places *p)
{
	free(p);
}
