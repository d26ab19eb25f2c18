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

#include "../common/tool.h"
#include "run.h"

#define SECTOR 512
#define NAME 256
#define LINE_END "  %-17s  %-16s  %-36s  %s\n"

/* A text of an image that is not trusted, without control characters. */
static const char *printable(const char *text, char buf[NAME])
{
	if (!*text || blkid_safe_string(text, buf, NAME))
		return "-";
	return buf;
}

/* The image again, or another part of it; unmounting frees it. */
static struct image copy_image(const struct image *how, unsigned int part,
			       const char *lv)
{
	struct image img = {
		.file = how->file,
		.options = how->options,
		.part = part,
		.whole = !part,
		.lv = lv,
		.mem = how->mem,
		.verbose = how->verbose,
		.trust = how->trust,
		.sector = how->disks->sector,
		.readonly = true,
	};

	key_copy(&img.key, &how->key);
	for (unsigned int i = 1; i < how->count; i++) {
		optarg = (char *)how->disks[i].file;
		image_option(&img, 'D');
	}
	return img;
}

/* How many bytes are used in the file system, or -1. */
static double used_space(const struct image *how, unsigned int part,
			 const char *lv)
{
	struct image img = copy_image(how, part, lv);
	struct lkl_statfs st;
	double used = -1;

	if (!image_mount(&img) && !lkl_sys_statfs(img.mnt, &st))
		used = (double)(st.f_blocks - st.f_bfree) *
		       (st.f_frsize ? st.f_frsize : st.f_bsize);
	image_unmount(&img);
	return used;
}

/* What comes behind the first two columns. */
static void put_line(const struct image *img, unsigned int part, const char *lv,
		     unsigned long long size, const struct probe *found,
		     const char *name)
{
	char buf[TOOL_SIZE], text[4][NAME];
	double used = -1;

	if (*found->type && !found->other)
		used = used_space(img, part, lv);
	printf("  %8s", tool_size(size, buf));
	printf("  %8s", used < 0 ? "-" : tool_size(used, buf));
	printf(LINE_END, printable(found->type, text[0]),
	       printable(found->label, text[1]),
	       printable(found->uuid, text[2]), printable(name, text[3]));
}

/*
 * A line for each volume in a partition; what is in an array or behind a key
 * has no name.
 */
static void put_volumes(const struct image *how, unsigned int part)
{
	struct image img = copy_image(how, part, NULL);
	struct volume *all = NULL;
	size_t count = 0;

	if (!image_open(&img))
		all = image_volumes(&img, &count);
	image_unmount(&img);
	for (size_t i = 0; i < count; i++) {
		struct volume *v = &all[i];

		printf("%4s  %11s", "-", "-");
		put_line(how, part, *v->name ? v->name : NULL, v->size,
			 &v->found, v->name);
	}
	free(all);
}

/* A partition, 0 for the whole disk. */
static void put_part(const struct image *img, unsigned int part, off_t off,
		     off_t size, const char *name)
{
	struct probe found;

	probe_at(img->disks->fd, off, size, &found);
	if (part)
		printf("%4u", part);
	else
		printf("%4s", "-");
	printf("  %11lld", (long long)off / SECTOR);
	put_line(img, part, NULL, size, &found, name);
	/* a list does not ask for passphrases */
	if (layers_known(&found) &&
	    (img->key.text || strcmp(found.type, "crypto_LUKS")))
		put_volumes(img, part);
}

static void put_disk(struct image *img)
{
	blkid_probe pr = blkid_new_probe();
	blkid_partlist list;
	blkid_parttable table = NULL;
	struct probe whole;
	char buf[TOOL_SIZE];

	if (!pr)
		tool_no_memory();
	probe_at(img->disks->fd, 0, img->disks->size, &whole);
	list = probe_partitions(pr, img->disks->fd, &img->disks->sector);
	if (list)
		table = blkid_partlist_get_table(list);
	printf("%s: %s", img->file, tool_size(img->disks->size, buf));
	if (table)
		printf(", partition table %s", blkid_parttable_get_type(table));
	if (img->disks->sector > SECTOR)
		printf(", sectors of %u bytes", img->disks->sector);
	printf("\n%4s  %11s  %8s  %8s" LINE_END, "PART", "START", "SIZE",
	       "USED", "TYPE", "LABEL", "UUID", "NAME");
	if (*whole.type || !list || !blkid_partlist_numof_partitions(list))
		put_part(img, 0, 0, img->disks->size, "");
	for (int i = 0; list && i < blkid_partlist_numof_partitions(list);
	     i++) {
		blkid_partition p = blkid_partlist_get_partition(list, i);
		const char *name = blkid_partition_get_name(p);

		put_part(img, blkid_partition_get_partno(p),
			 blkid_partition_get_start(p) * SECTOR,
			 blkid_partition_get_size(p) * SECTOR,
			 name ? name : "");
	}
	blkid_free_probe(pr);
}

int info_main(const struct verb *v, int argc, char **argv)
{
	struct image img = { .readonly = true };
	int status = TOOL_FAILED;
	struct args a;
	int err = args_read(v, argc, argv, &img, &a);

	if (err)
		return err < 0 ? TOOL_FAILED : TOOL_OK;
	if (a.count != 1)
		return args_bad(a.count ? "one image at a time"
					: "missing image");
	img.file = a.operand[0];
	/* which may be a pipe, that is read once */
	if (!(img.key.file && key_get(&img.key, img.file, "-K")) &&
	    !image_open(&img) && !image_look(&img)) {
		put_disk(&img);
		status = tool_status();
	}
	image_unmount(&img);
	return status;
}
