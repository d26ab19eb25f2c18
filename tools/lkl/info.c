// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkl info - what is on a disk
 *
 * Partitions, types, labels and UUIDs are what libblkid sees.  How much of a
 * file system is used only the kernel knows: each is mounted for a moment.
 */
#include <blkid/blkid.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/confined.h"
#include "../common/tool.h"
#include "json.h"
#include "path.h"
#include "run.h"

#define SECTOR 512
#define LINE_END "  %-17s  %-16s  %-36s  %s\n"

/* The image again, or another part of it; unmounting frees it. */
static struct image copy_image(const struct image *how, unsigned int part,
			       const char *lv)
{
	struct image img = {
		.options = how->options,
		.part = part,
		.whole = !part,
		.lv = lv,
		.verbose = how->verbose,
		.readonly = true,
	};

	image_again(&img, how);
	key_copy(&img.key, &how->key);
	img.key.elsewhere = true;
	return img;
}

/* How many bytes are used in the file system, or -1. */
static double used_space(const struct image *how, unsigned int part,
			 const char *lv)
{
	struct image img = copy_image(how, part, lv);
	struct lkl_statfs st;
	double used = -1;

	if (!image_start(&img) && !lkl_sys_statfs(img.mnt, &st))
		used = (double)(st.f_blocks - st.f_bfree) *
		       (st.f_frsize ? st.f_frsize : st.f_bsize);
	image_unmount(&img);
	return used;
}

/*
 * struct item - a partition, or a volume in one
 *
 * @part: the partition, 0 for the whole disk
 * @volume: whether it is a volume, and then its name, or ""
 * @start: where it is on the disk, if it is a partition
 */
struct item {
	unsigned int part;
	const char *volume;
	off_t start;
	unsigned long long size;
	struct probe found;
	const char *name;
};

static void add_number(json_object *o, const char *key, uint64_t value)
{
	json_object_object_add(o, key, json_object_new_uint64(value));
}

/* What is not there has no member. */
static void add_text(json_object *o, const char *key, const char *text)
{
	if (*text)
		json_add_name(o, key, text);
}

static json_object *item_json(const struct item *i, double used)
{
	json_object *o = json_object_new_object();

	if (i->part && !i->volume)
		add_number(o, "partition", i->part);
	if (!i->volume)
		add_number(o, "start", i->start);
	add_number(o, "size", i->size);
	if (used >= 0)
		add_number(o, "used", used);
	add_text(o, "type", i->found.type);
	add_text(o, "label", i->found.label);
	add_text(o, "uuid", i->found.uuid);
	add_text(o, "name", i->name);
	return o;
}

static void item_line(const struct item *i, double used)
{
	char buf[TOOL_SIZE], text[4][FACT];

	if (i->part && !i->volume)
		printf("%4u", i->part);
	else
		printf("%4s", "-");
	if (i->volume)
		printf("  %11s", "-");
	else
		printf("  %11lld", (long long)i->start / SECTOR);
	printf("  %8s", tool_size(i->size, buf));
	printf("  %8s", used < 0 ? "-" : tool_size(used, buf));
	printf(LINE_END, output_fact(i->found.type, text[0]),
	       output_fact(i->found.label, text[1]),
	       output_fact(i->found.uuid, text[2]),
	       output_fact(i->name, text[3]));
}

/* Print a line, or add an object to @list, which is returned. */
static json_object *put_item(const struct image *img, const struct item *i,
			     json_object *list)
{
	double used = -1;
	json_object *o;

	if (*i->found.type && !i->found.other)
		used = used_space(img, i->part,
				  i->volume && *i->volume ? i->volume : NULL);
	if (!list) {
		item_line(i, used);
		return NULL;
	}
	o = item_json(i, used);
	json_object_array_add(list, o);
	return o;
}

/* Each volume in a partition; what is in an array or behind a key has no name.
 */
static void put_volumes(const struct image *how, unsigned int part,
			json_object *list)
{
	struct image img = copy_image(how, part, NULL);
	struct volume *all = NULL;
	size_t count = 0;

	all = image_volumes(&img, &count);
	if (img.key.wanted)
		tool_warn("'%s' has something encrypted, which is shown with "
			  "-K only",
			  how->file);
	image_unmount(&img);
	for (size_t n = 0; n < count; n++) {
		struct item i = {
			.part = part,
			.volume = all[n].name,
			.size = all[n].size,
			.found = all[n].found,
			.name = all[n].name,
		};

		put_item(how, &i, list);
	}
	free(all);
}

static void put_part(const struct image *img, struct item *i, json_object *list)
{
	json_object *o, *volumes = NULL;

	probe_at(img->disks->fd, i->start, i->size, &i->found);
	o = put_item(img, i, list);
	/* a list does not ask for passphrases */
	if (!layers_known(&i->found) ||
	    (!img->key.text && !strcmp(i->found.type, "crypto_LUKS")))
		return;
	if (o) {
		volumes = json_object_new_array();
		json_object_object_add(o, "volumes", volumes);
	}
	put_volumes(img, i->part, volumes);
}

static void put_parts(struct image *img, blkid_partlist list, json_object *to)
{
	int count = list ? blkid_partlist_numof_partitions(list) : 0;
	struct item whole = { .size = img->disks->size, .name = "" };

	probe_at(img->disks->fd, 0, img->disks->size, &whole.found);
	if (*whole.found.type || !count)
		put_part(img, &whole, to);
	for (int n = 0; n < count; n++) {
		blkid_partition p = blkid_partlist_get_partition(list, n);
		struct item i = {
			.part = blkid_partition_get_partno(p),
			.start = blkid_partition_get_start(p) * SECTOR,
			.size = blkid_partition_get_size(p) * SECTOR,
			.name = blkid_partition_get_name(p) ?: "",
		};

		put_part(img, &i, to);
	}
}

/* The disk itself: a line and the heads of the columns, or an object. */
static json_object *put_disk(const struct image *img, const char *table,
			     bool json)
{
	const struct disk *d = img->disks;
	char buf[TOOL_SIZE];
	json_object *o;

	if (json) {
		o = json_object_new_object();
		json_add_name(o, "image", img->file);
		add_number(o, "size", d->size);
		add_number(o, "sector_size", d->sector);
		add_text(o, "partition_table", table);
		return o;
	}
	printf("%s: %s", img->file, tool_size(d->size, buf));
	if (*table)
		printf(", partition table %s", table);
	if (d->sector > SECTOR)
		printf(", sectors of %u bytes", d->sector);
	printf("\n%4s  %11s  %8s  %8s" LINE_END, "PART", "START", "SIZE",
	       "USED", "TYPE", "LABEL", "UUID", "NAME");
	return NULL;
}

static void put_all(struct image *img, bool json)
{
	blkid_probe pr = blkid_new_probe();
	blkid_partlist list;
	blkid_parttable table = NULL;
	json_object *disk, *parts = NULL;

	if (!pr)
		tool_no_memory();
	list = probe_partitions(pr, img->disks->fd, &img->disks->sector);
	if (list)
		table = blkid_partlist_get_table(list);
	disk = put_disk(img, table ? blkid_parttable_get_type(table) : "",
			json);
	if (disk) {
		parts = json_object_new_array();
		json_object_object_add(disk, "contents", parts);
	}
	put_parts(img, list, parts);
	if (disk) {
		json_begin();
		json_item(disk);
		json_end();
	}
	blkid_free_probe(pr);
}

static int run(struct image *img, void *arg)
{
	const struct args *a = arg;

	put_all(img, a->given[OPT_JSON]);
	if (!output_end())
		return TOOL_PARTIAL;
	return tool_status();
}

int info_main(const struct verb *v, int argc, char **argv)
{
	struct image img = { .readonly = true };
	struct args a;
	struct confined c = {
		.img = &img,
		.unmounted = true,
		.run = run,
		.arg = &a,
	};
	int err = args_read(v, argc, argv, &img, &a);

	if (err)
		return err < 0 ? TOOL_FAILED : TOOL_OK;
	if (a.count != 1)
		return args_bad(a.count ? "one image at a time"
					: "missing image");
	img.file = a.operand[0];
	/* which may be a pipe, that is read once */
	if (img.key.file && key_get(&img.key, img.file, "-K"))
		return TOOL_FAILED;
	img.key.file = NULL;
	tool_mortal();
	output_begin(isatty(STDOUT_FILENO));
	return confined_run(&c);
}
