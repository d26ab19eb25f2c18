// SPDX-License-Identifier: GPL-2.0-only
/*
 * All that is on the disks of an image.
 *
 * Each layer is opened by itself: an array and a volume group with all that is
 * of the same type, something encrypted alone.
 */
#include <lkl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sources.h"
#include "tool.h"

bool source_mountable(const struct source *source)
{
	return *source->found.type && !source->found.other;
}

const char *source_name(const struct source *source)
{
	static char text[320];

	if (*source->volume)
		return source->volume;
	if (!source->part)
		return "the disk";
	snprintf(text, sizeof(text), "%spartition %u",
		 *source->holder ? "encrypted " : "", source->part);
	return text;
}

static struct source *add(struct sources *s)
{
	s->list = tool_alloc(s->list, (s->count + 1) * sizeof(*s->list));
	s->list[s->count] = (struct source){ 0 };
	return &s->list[s->count++];
}

static void add_part(struct sources *s, unsigned int disk, blkid_partition p)
{
	const struct disk *d = &s->disks[disk];
	int part = p ? blkid_partition_get_partno(p) : 0;
	off_t start = p ? blkid_partition_get_start(p) * DISK_SECTOR : 0;
	off_t size = p ? blkid_partition_get_size(p) * DISK_SECTOR
		       : (off_t)d->size;
	struct source *new;
	uint32_t dev;

	if (lkl_get_virtio_blkdev(d->id, part, &dev))
		return;
	new = add(s);
	new->disk = disk;
	new->part = part;
	new->dev = dev;
	probe_at(d->fd, start, size, &new->found);
	if (!p)
		return;
	snprintf(new->part_uuid, sizeof(new->part_uuid), "%s",
		 blkid_partition_get_uuid(p) ?: "");
	snprintf(new->part_name, sizeof(new->part_name), "%s",
		 blkid_partition_get_name(p) ?: "");
}

static void add_disk(struct sources *s, unsigned int disk)
{
	struct disk *d = &s->disks[disk];
	blkid_probe pr = blkid_new_probe();
	blkid_partlist list;
	int count;

	if (!pr)
		tool_no_memory();
	list = probe_partitions(pr, d->fd, &d->sector);
	count = list ? blkid_partlist_numof_partitions(list) : 0;
	if (!count)
		add_part(s, disk, NULL);
	for (int i = 0; i < count; i++)
		add_part(s, disk, blkid_partlist_get_partition(list, i));
	blkid_free_probe(pr);
}

/* What can be opened together with @n; itself is the first. */
static struct layers_disk *gather(const struct sources *s, size_t n,
				  size_t *which, unsigned int *count)
{
	const struct source *head = &s->list[n];
	bool alone = !strcmp(head->found.type, "crypto_LUKS");
	struct layers_disk *disks =
		tool_alloc(NULL, LAYERS_MAX * sizeof(*disks));

	*count = 0;
	for (size_t i = n; i < s->count && *count < LAYERS_MAX / 2; i++) {
		const struct source *other = &s->list[i];

		if (i != n && (alone || other->opened ||
			       strcmp(other->found.type, head->found.type)))
			continue;
		which[*count] = i;
		disks[(*count)++] =
			(struct layers_disk){ s->disks[other->disk].file,
					      other->dev };
	}
	return disks;
}

/* Open a layer, and add what is in it. */
static int open_layer(struct sources *s, size_t n)
{
	struct layers *l = &s->layers[s->layer_count];
	const struct source head = s->list[n];
	size_t which[LAYERS_MAX], count;
	struct volume *all;

	if (s->layer_count == SOURCES_LAYERS) {
		tool_error("'%s' has too many layers", s->image);
		return -1;
	}
	s->layer_count++;
	*l = (struct layers){
		.image = s->image,
		.key = s->key,
		.readonly = s->readonly,
		.writable = s->writable,
	};
	l->disks = gather(s, n, which, &l->disk_count);
	all = layers_list(l, &count);
	s->list[n].opened = true;
	/* those that are a part of it now */
	for (unsigned int i = 1; i < l->disk_count; i++)
		s->list[which[i]].opened |= !l->disks[i].dev;
	for (size_t i = 0; i < count; i++) {
		struct source *new = add(s);

		new->disk = head.disk;
		new->part = head.part;
		new->dev = all[i].dev;
		new->found = all[i].found;
		strcpy(new->volume, all[i].name);
		strcpy(new->holder, head.found.uuid);
	}
	free(all);
	return s->key->wanted ? -1 : 0;
}

/* Open all layers, which may hold others. */
static int open_layers(struct sources *s, bool unlock)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct source *source = &s->list[i];

		if (source->opened || !source->dev ||
		    !layers_known(&source->found) ||
		    (!unlock && !strcmp(source->found.type, "crypto_LUKS")))
			continue;
		if (open_layer(s, i))
			return -1;
	}
	return 0;
}

int sources_open(struct sources *s)
{
	for (unsigned int i = 0; i < s->disk_count; i++) {
		if (disk_look(&s->disks[i]))
			return -1;
		add_disk(s, i);
	}
	return open_layers(s, s->key->text || s->key->file);
}

bool sources_locked(const struct sources *s)
{
	for (size_t i = 0; i < s->count; i++) {
		if (!s->list[i].opened &&
		    !strcmp(s->list[i].found.type, "crypto_LUKS"))
			return true;
	}
	return false;
}

int sources_unlock(struct sources *s)
{
	return open_layers(s, true);
}

void sources_close(struct sources *s)
{
	/* the last may be in those before */
	while (s->layer_count) {
		struct layers *l = &s->layers[--s->layer_count];

		layers_close(l);
		free(l->disks);
	}
	free(s->list);
	s->list = NULL;
	s->count = 0;
}
