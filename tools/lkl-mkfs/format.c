// SPDX-License-Identifier: GPL-2.0-only
/*
 * The types of file systems: which program makes each, and how large it has to
 * be for what is to go into it.
 *
 * A size need not be exact: what is not used of a file is a hole.  It has to be
 * enough.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "mkfs.h"

#define MIB (1ULL << 20)
#define FAT32_SIZE (260 * MIB)
#define ROOT_MAX 32752
#define LINUX "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
#define BASIC "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"

/* Content, and the blocks of directories, of which half may be empty. */
static uint64_t content(const struct total *t)
{
	return t->bytes + t->dirs * 4096 + 2 * (t->names + 12 * t->objects);
}

/* The tables, with those of the room, and the journal. */
static uint64_t ext4_size(const struct total *t, uint64_t room)
{
	uint64_t size = content(t) + t->objects * 320 + 4 * MIB;
	uint64_t journal = 4 * MIB;

	size += room;
	size += size / 50;
	if (size > 120 * MIB)
		journal = 16 * MIB;
	if (size > 1000 * MIB)
		journal = 32 * MIB;
	if (size > 2000 * MIB)
		journal = 64 * MIB;
	if (size > 16000 * MIB)
		journal = 256 * MIB;
	if (size > 32000 * MIB)
		journal = 1024 * MIB;
	return size + journal;
}

static uint64_t xfs_size(const struct total *t, uint64_t room)
{
	uint64_t size = content(t) + t->objects * 600 + room;

	size += size / 20 + 96 * MIB;
	return size < 300 * MIB ? 300 * MIB : size;
}

/* Metadata is written twice, and space is given out in large parts. */
static uint64_t btrfs_size(const struct total *t, uint64_t room)
{
	uint64_t size = t->bytes + 4 * t->names + t->objects * 3000 + room;

	return size + size / 4 + 128 * MIB;
}

/* Each object has a block, and a part is kept for the cleaning. */
static uint64_t f2fs_size(const struct total *t, uint64_t room)
{
	uint64_t size = content(t) + t->objects * 4200 + room;

	return size + size / 5 + 80 * MIB;
}

/* How many entries all names take, should they be in the root directory. */
static uint64_t vfat_entries(const struct total *t)
{
	return 512 + 3 * t->objects + t->names / 13;
}

/* There are no holes; a long name takes an entry of 32 bytes for 13 letters. */
static uint64_t vfat_size(const struct total *t, uint64_t room)
{
	uint64_t size = content(t) - t->bytes + t->sizes + 5 * t->names +
			t->objects * 96 + room;

	/* small clusters, where the root directory needs tables of 32 bits */
	if (vfat_entries(t) > ROOT_MAX && size < FAT32_SIZE)
		size += size / 64 + 36 * MIB;
	return size + size / 400 + 4 * MIB;
}

static void add_label(struct program *p, const struct plan *plan,
		      const char *option)
{
	program_add2(p, option, plan->o->label);
}

static void add_uuid(struct program *p, const struct plan *plan,
		     const char *option)
{
	program_add2(p, option, *plan->uuid ? plan->uuid : NULL);
}

static void add_ext(struct program *p, const struct plan *plan)
{
	static char number[32], extended[128];
	uint64_t inodes = plan->total->objects * 11 / 10 + 64;
	uint64_t most = plan->size / 16384;

	program_add(p, "-qF");
	program_add2(p, "-b", "4096");
	program_add2(p, "-I", "256");
	snprintf(number, sizeof(number), "%llu",
		 (unsigned long long)(inodes > most ? inodes : most));
	program_add2(p, "-N", number);
	/* the file is all zeros as it is */
	snprintf(extended, sizeof(extended),
		 "lazy_itable_init=0,lazy_journal_init=1%s%s",
		 *plan->seed ? ",hash_seed=" : "", plan->seed);
	program_add2(p, "-E", extended);
	add_label(p, plan, "-L");
	add_uuid(p, plan, "-U");
}

static void add_xfs(struct program *p, const struct plan *plan)
{
	static char uuid[64];

	program_add(p, "-qf");
	add_label(p, plan, "-L");
	snprintf(uuid, sizeof(uuid), "uuid=%s", plan->uuid);
	program_add2(p, "-m", *plan->uuid ? uuid : NULL);
}

static void add_btrfs(struct program *p, const struct plan *plan)
{
	program_add(p, "-qf");
	add_label(p, plan, "-L");
	add_uuid(p, plan, "-U");
}

static void add_f2fs(struct program *p, const struct plan *plan)
{
	program_add(p, "-qf");
	add_label(p, plan, "-l");
	add_uuid(p, plan, "-U");
}

/*
 * Its UUID is a number of 32 bits, "ABCD-1234" as others show it.  A small
 * one has a root directory of a fixed size.
 */
static void add_vfat(struct program *p, const struct plan *plan)
{
	uint64_t count = vfat_entries(plan->total);
	static char id[16], entries[32];
	size_t n = 0;

	for (const char *c = plan->uuid; *c && n < 8; c++) {
		if (*c != '-')
			id[n++] = *c;
	}
	program_add2(p, "-s",
		     plan->size < FAT32_SIZE && count > ROOT_MAX ? "1" : "8");
	if (plan->size >= FAT32_SIZE || count > ROOT_MAX) {
		program_add2(p, "-F", "32");
	} else {
		snprintf(entries, sizeof(entries), "%u", (unsigned int)count);
		program_add2(p, "-r", entries);
	}
	add_label(p, plan, "-n");
	program_add2(p, "-i", n ? id : NULL);
	if (plan->o->epoch >= 0)
		program_add(p, "--invariant");
}

static void add_erofs(struct program *p, const struct plan *plan)
{
	static char time[32];

	add_uuid(p, plan, "-U");
	if (plan->o->epoch < 0)
		return;
	snprintf(time, sizeof(time), "-T%lld", (long long)plan->o->epoch);
	program_add(p, time);
}

static void add_squashfs(struct program *p, const struct plan *plan)
{
	(void)plan;
	program_add(p, "-noappend");
	/* what cannot be read is not to become an empty file */
	program_add(p, "-exit-on-error");
	program_add(p, "-no-progress");
	program_add(p, "-quiet");
}

static const struct format formats[] = {
	{ "ext4", "mkfs.ext4", "e2fsprogs", "ext4", "noload,noinit_itable",
	  "nodelalloc", 16, LINUX, false, ext4_size, add_ext },
	{ "ext3", "mkfs.ext3", "e2fsprogs", "ext4", "noload,noinit_itable",
	  "nodelalloc", 16, LINUX, false, ext4_size, add_ext },
	{ "ext2", "mkfs.ext2", "e2fsprogs", "ext4", "noinit_itable",
	  "nodelalloc", 16, LINUX, false, ext4_size, add_ext },
	{ "xfs", "mkfs.xfs", "xfsprogs", "xfs", NULL, NULL, 12, LINUX, false,
	  xfs_size, add_xfs },
	{ "btrfs", "mkfs.btrfs", "btrfs-progs", "btrfs", NULL, NULL, 255, LINUX,
	  false, btrfs_size, add_btrfs },
	{ "f2fs", "mkfs.f2fs", "f2fs-tools", "f2fs", NULL, NULL, 512, LINUX,
	  false, f2fs_size, add_f2fs },
	{ "vfat", "mkfs.vfat", "dosfstools", "vfat", NULL, NULL, 11, BASIC,
	  false, vfat_size, add_vfat },
	{ "erofs", "mkfs.erofs", "erofs-utils", "erofs", NULL, NULL, 0, LINUX,
	  true, NULL, add_erofs },
	{ "squashfs", "mksquashfs", "squashfs-tools", "squashfs", NULL, NULL, 0,
	  LINUX, true, NULL, add_squashfs },
};

const struct format *format_find(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		if (!strcmp(name, formats[i].name))
			return &formats[i];
	}
	return NULL;
}

const char *format_list(void)
{
	static char text[256];

	*text = 0;
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		if (i)
			strcat(text, ", ");
		strcat(text, formats[i].name);
	}
	return text;
}
