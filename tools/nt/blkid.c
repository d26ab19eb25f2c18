// SPDX-License-Identifier: GPL-2.0-only
/*
 * The functions of libblkid that the tools use, by what is written in images.
 *
 * A type is known by a word at some place of its superblock.  As with libblkid,
 * nothing is found where two types could be meant.  Everything read is checked
 * for being there; no number of an image is used as an index.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <blkid/blkid.h>

#include "nt_file.h"

#define SECTOR 512
/* Reads are of whole blocks, as raw disks want them. */
#define BLOCK 4096
#define MAX_PARTITIONS 128

/* In units of 512 bytes. */
struct blkid_partition {
	int number;
	int64_t start;
	int64_t size;
	char name[36 * 3 + 1];
};

struct blkid_partlist {
	bool gpt;
	int count;
	struct blkid_partition list[MAX_PARTITIONS];
};

/*
 * @last, @block: what was read last
 */
struct blkid_probe {
	int fd;
	int64_t off, size;
	unsigned int sector;
	int64_t last;
	unsigned char block[BLOCK];
	char type[32], version[32], label[256], uuid[64];
	bool other;
	struct blkid_partlist parts;
};

blkid_probe blkid_new_probe(void)
{
	return calloc(1, sizeof(struct blkid_probe));
}

void blkid_free_probe(blkid_probe pr)
{
	free(pr);
}

int blkid_probe_set_device(blkid_probe pr, int fd, int64_t off, int64_t size)
{
	memset(pr, 0, sizeof(*pr));
	pr->fd = fd;
	pr->off = off;
	pr->size = size;
	pr->last = -1;
	pr->sector = SECTOR;
	return 0;
}

int blkid_probe_set_sectorsize(blkid_probe pr, unsigned int size)
{
	pr->sector = size;
	return 0;
}

int blkid_probe_enable_superblocks(blkid_probe pr, int on)
{
	(void)pr;
	(void)on;
	return 0;
}

int blkid_probe_set_superblocks_flags(blkid_probe pr, int flags)
{
	(void)pr;
	(void)flags;
	return 0;
}

int blkid_probe_enable_partitions(blkid_probe pr, int on)
{
	(void)pr;
	(void)on;
	return 0;
}

/* Bytes of what is looked at; zeros behind its end. */
static void get(blkid_probe pr, int64_t pos, void *to, size_t len)
{
	unsigned char *out = to;

	memset(to, 0, len);
	for (; len && (!pr->size || pos < pr->size); len--, pos++) {
		int64_t at = pr->off + pos;

		if (pr->last != at / BLOCK) {
			memset(pr->block, 0, BLOCK);
			if (pread(pr->fd, pr->block, BLOCK,
				  at / BLOCK * BLOCK) <= 0)
				return;
			pr->last = at / BLOCK;
		}
		*out++ = pr->block[at % BLOCK];
	}
}

static bool is(blkid_probe pr, int64_t pos, const char *what, size_t len)
{
	char have[16];

	get(pr, pos, have, len);
	return !memcmp(have, what, len);
}

static uint64_t number(blkid_probe pr, int64_t pos, size_t len)
{
	uint64_t n = 0;

	get(pr, pos, &n, len);
	return n;
}

static void set_uuid(blkid_probe pr, int64_t pos)
{
	unsigned char u[16];
	char *p = pr->uuid;

	get(pr, pos, u, sizeof(u));
	for (int i = 0; i < 16; i++)
		p += sprintf(p, "%s%02x",
			     i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
			     u[i]);
}

static void set_label(blkid_probe pr, int64_t pos, size_t len)
{
	get(pr, pos, pr->label, len);
	while (len && (!pr->label[len - 1] || pr->label[len - 1] == ' '))
		pr->label[--len] = 0;
}

/* The three differ in their features. */
static bool is_ext(blkid_probe pr)
{
	uint32_t compat, incompat, ro;

	if (!is(pr, 0x438, "\x53\xef", 2))
		return false;
	compat = number(pr, 0x45c, 4);
	incompat = number(pr, 0x460, 4);
	ro = number(pr, 0x464, 4);
	if (incompat & 8)
		strcpy(pr->type, "jbd");
	else if (incompat & ~0x16u || ro & ~7u)
		strcpy(pr->type, "ext4");
	else
		strcpy(pr->type, compat & 4 ? "ext3" : "ext2");
	pr->other = incompat & 8;
	sprintf(pr->version, "1.0");
	set_uuid(pr, 0x468);
	set_label(pr, 0x478, 16);
	return true;
}

static bool is_fat(blkid_probe pr)
{
	bool big = is(pr, 82, "FAT32   ", 8);

	if (!is(pr, 510, "\x55\xaa", 2) ||
	    (!big && !is(pr, 54, "FAT1", 4) && !is(pr, 54, "FAT     ", 8)))
		return false;
	sprintf(pr->uuid, "%04X-%04X",
		(unsigned int)number(pr, big ? 69 : 41, 2),
		(unsigned int)number(pr, big ? 67 : 39, 2));
	set_label(pr, big ? 71 : 43, 11);
	return true;
}

static bool is_udf(blkid_probe pr)
{
	bool begun = false;

	/* the volume recognition sequence */
	for (int64_t pos = 32768; pos < 32768 + 16 * 2048; pos += 2048) {
		if (is(pr, pos + 1, "BEA01", 5))
			begun = true;
		if (begun && (is(pr, pos + 1, "NSR02", 5) ||
			      is(pr, pos + 1, "NSR03", 5)))
			return true;
	}
	return false;
}

/*
 * @at, @word, @len: where there is what
 * @uuid, @label, @label_len: where the superblock has those, or 0
 * @other: it is no file system
 */
static const struct magic {
	const char *type;
	int64_t at;
	const char *word;
	size_t len;
	int64_t uuid;
	int64_t label;
	size_t label_len;
	bool other;
} magics[] = {
	{ "xfs", 0, "XFSB", 4, 32, 108, 12, false },
	{ "btrfs", 0x10040, "_BHRfS_M", 8, 0x10020, 0x1012b, 255, false },
	{ "exfat", 3, "EXFAT   ", 8, 0, 0, 0, false },
	{ "ntfs", 3, "NTFS    ", 8, 0, 0, 0, false },
	{ "squashfs", 0, "hsqs", 4, 0, 0, 0, false },
	{ "erofs", 1024, "\xe2\xe1\xf5\xe0", 4, 1072, 1088, 16, false },
	{ "f2fs", 1024, "\x10\x20\xf5\xf2", 4, 1132, 0, 0, false },
	{ "crypto_LUKS", 0, "LUKS\xba\xbe", 6, 0, 0, 0, true },
	{ "LVM2_member", 512, "LABELONE", 8, 0, 0, 0, true },
	{ "linux_raid_member", 4096, "\xfc\x4e\x2b\xa9", 4, 0, 0, 0, true },
	{ "swap", 4086, "SWAPSPACE2", 10, 0, 0, 0, true },
};

int blkid_do_safeprobe(blkid_probe pr)
{
	unsigned int found = 0;

	*pr->type = 0;
	for (size_t i = 0; i < sizeof(magics) / sizeof(*magics); i++) {
		const struct magic *m = &magics[i];

		if (!is(pr, m->at, m->word, m->len))
			continue;
		found++;
		strcpy(pr->type, m->type);
		pr->other = m->other;
		if (m->uuid)
			set_uuid(pr, m->uuid);
		if (m->label)
			set_label(pr, m->label, m->label_len);
	}
	found += is_ext(pr);
	if (is_fat(pr)) {
		found++;
		strcpy(pr->type, "vfat");
	}
	/* a disk may be both, and says more as the former */
	if (is_udf(pr)) {
		found++;
		strcpy(pr->type, "udf");
	} else if (is(pr, 32769, "CD001", 5)) {
		found++;
		strcpy(pr->type, "iso9660");
		set_label(pr, 32808, 32);
	}
	if (found == 1)
		return 0;
	*pr->type = 0;
	return found ? -2 : 1;
}

int blkid_probe_lookup_value(blkid_probe pr, const char *name,
			     const char **value, size_t *len)
{
	if (!strcmp(name, "TYPE"))
		*value = pr->type;
	else if (!strcmp(name, "VERSION"))
		*value = pr->version;
	else if (!strcmp(name, "LABEL"))
		*value = pr->label;
	else if (!strcmp(name, "UUID"))
		*value = pr->uuid;
	else if (!strcmp(name, "USAGE"))
		*value = pr->other ? "other" : "filesystem";
	else
		return -1;
	if (len)
		*len = strlen(*value);
	return **value ? 0 : -1;
}

/* Returns the partition, or NULL. */
static struct blkid_partition *add(blkid_probe pr, int no, uint64_t start,
				   uint64_t size)
{
	struct blkid_partlist *l = &pr->parts;
	uint64_t unit = pr->sector / SECTOR;

	/* of a size that can be counted in bytes */
	if (!size || l->count >= MAX_PARTITIONS || start >= 1ULL << 50 ||
	    size >= 1ULL << 50)
		return NULL;
	l->list[l->count] = (struct blkid_partition){
		.number = no,
		.start = start * unit,
		.size = size * unit,
	};
	return &l->list[l->count++];
}

/* A name of up to 36 units of UTF-16; one that is none is left out. */
static void set_name(blkid_probe pr, struct blkid_partition *p, int64_t pos)
{
	wchar_t units[36];
	size_t len = 0;

	get(pr, pos, units, sizeof(units));
	while (len < 36 && units[len])
		len++;
	if (nt_narrow(units, len, p->name, sizeof(p->name)) < 0)
		p->name[0] = 0;
}

static bool read_gpt(blkid_probe pr)
{
	int64_t head = pr->sector;
	uint64_t table = number(pr, head + 72, 8);
	uint32_t count = number(pr, head + 80, 4);
	uint32_t size = number(pr, head + 84, 4);
	static const char none[16];

	if (!is(pr, head, "EFI PART", 8) || size < 128 || size > BLOCK ||
	    table > 1ULL << 40)
		return false;
	pr->parts.gpt = true;
	for (uint32_t i = 0; i < count && i < MAX_PARTITIONS; i++) {
		int64_t at = table * pr->sector + (uint64_t)i * size;
		uint64_t first = number(pr, at + 32, 8);
		uint64_t last = number(pr, at + 40, 8);

		struct blkid_partition *p = NULL;

		if (!is(pr, at, none, 16) && last >= first)
			p = add(pr, i + 1, first, last - first + 1);
		if (p)
			set_name(pr, p, at + 56);
	}
	return true;
}

static bool is_extended(unsigned int type)
{
	return type == 5 || type == 15 || type == 0x85;
}

/* A chain of tables, each with one partition and the way to the next table. */
static void read_logical(blkid_probe pr, uint64_t base)
{
	uint64_t at = base;

	for (int no = 5; no < MAX_PARTITIONS; no++) {
		int64_t pos = at * pr->sector;

		if (!is(pr, pos + 510, "\x55\xaa", 2))
			return;
		add(pr, no, at + number(pr, pos + 446 + 8, 4),
		    number(pr, pos + 446 + 12, 4));
		if (!is_extended(number(pr, pos + 462 + 4, 1)))
			return;
		at = base + number(pr, pos + 462 + 8, 4);
	}
}

static bool read_mbr(blkid_probe pr)
{
	if (!is(pr, 510, "\x55\xaa", 2) || is_fat(pr) ||
	    is(pr, 3, "NTFS    ", 8) || is(pr, 3, "EXFAT   ", 8))
		return false;
	for (int i = 0; i < 4; i++) {
		int64_t pos = 446 + 16 * i;

		/* code, not a table */
		if (number(pr, pos, 1) & 0x7f)
			return false;
		if (number(pr, pos + 4, 1))
			add(pr, i + 1, number(pr, pos + 8, 4),
			    number(pr, pos + 12, 4));
	}
	for (int i = 0; i < 4; i++)
		if (is_extended(number(pr, 446 + 16 * i + 4, 1)))
			read_logical(pr, number(pr, 446 + 16 * i + 8, 4));
	return true;
}

blkid_partlist blkid_probe_get_partitions(blkid_probe pr)
{
	memset(&pr->parts, 0, sizeof(pr->parts));
	return read_gpt(pr) || read_mbr(pr) ? &pr->parts : NULL;
}

blkid_parttable blkid_partlist_get_table(blkid_partlist list)
{
	return list;
}

const char *blkid_parttable_get_type(blkid_parttable table)
{
	return table->gpt ? "gpt" : "dos";
}

int blkid_partlist_numof_partitions(blkid_partlist list)
{
	return list->count;
}

blkid_partition blkid_partlist_get_partition(blkid_partlist list, int i)
{
	return &list->list[i];
}

blkid_partition blkid_partlist_get_partition_by_partno(blkid_partlist list,
						       int no)
{
	for (int i = 0; i < list->count; i++)
		if (list->list[i].number == no)
			return &list->list[i];
	return NULL;
}

int blkid_partition_get_partno(blkid_partition p)
{
	return p->number;
}

int64_t blkid_partition_get_start(blkid_partition p)
{
	return p->start;
}

int64_t blkid_partition_get_size(blkid_partition p)
{
	return p->size;
}

const char *blkid_partition_get_name(blkid_partition p)
{
	return *p->name ? p->name : NULL;
}

int blkid_safe_string(const char *text, char *safe, size_t size)
{
	size_t len = 0;

	for (; *text; text++) {
		bool space = strchr(" \t\n\v\f\r", *text);

		/* none at the beginning, one of many */
		if (space && (!len || safe[len - 1] == '_'))
			continue;
		if (len + 1 >= size)
			return -1;
		safe[len++] = space || (unsigned char)*text < ' ' ||
					      *text == 0x7f
				      ? '_'
				      : *text;
	}
	safe[len] = 0;
	return 0;
}
