// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes sizes of file systems.
 *
 * The library's kernel does it for those that it can resize while they are
 * mounted; what only programs of the host can do, they do in memory, on a
 * device that FUSE shows them, and the image is changed when they have
 * succeeded.
 */
#include <lkl.h>
#include <lkl_host.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <lkl/linux/btrfs.h>
#include <lkl/linux/ext4.h>

#include "../common/confined.h"
#include "../common/device.h"
#include "../common/program.h"
#include "../common/tool.h"
#include "../lkl-fsck/list.h"
#include "../lkl-fsck/view.h"
#include "resize.h"

#define MIB (1ULL << 20)
/* The super block of ext4: where it is, and numbers in it. */
#define EXT_SUPER 1024
#define EXT_BLOCKS 4
#define EXT_BLOCK_BITS 24
#define EXT_BLOCKS_HIGH 0x150
/* How exactly the least size of a btrfs is looked for. */
#define BTRFS_STEP (16 * MIB)
#define NAME "filesystem"

/* What xfs wants, which has no header for programs in the kernel. */
struct grow_xfs {
	uint64_t blocks;
	uint32_t inode_percent;
};

#define XFS_GROW (1U << 30 | sizeof(struct grow_xfs) << 16 | 'X' << 8 | 110)
/* In its super block, how much of it inodes may take, which stays the same. */
#define XFS_INODE_PERCENT 127

static bool is_ext(const char *type)
{
	return !strcmp(type, "ext2") || !strcmp(type, "ext3") ||
	       !strcmp(type, "ext4");
}

bool fs_can_shrink(const char *type)
{
	return is_ext(type) || !strcmp(type, "btrfs");
}

bool fs_can_grow(const char *type)
{
	return fs_can_shrink(type) || !strcmp(type, "xfs") ||
	       !strcmp(type, "f2fs");
}

static long resize_btrfs(int fd, uint64_t size)
{
	struct lkl_btrfs_ioctl_vol_args args = { 0 };

	snprintf(args.name, sizeof(args.name), "1:%llu",
		 (unsigned long long)size);
	return lkl_sys_ioctl(fd, LKL_BTRFS_IOC_RESIZE, (unsigned long)&args);
}

/* Try sizes between what is used and what it has. */
static long shrink_btrfs(int fd, const struct lkl_statfs *st, uint64_t *size)
{
	uint64_t low = (uint64_t)(st->f_blocks - st->f_bfree) * st->f_bsize;
	uint64_t high = (uint64_t)st->f_blocks * st->f_bsize;

	while (high - low > BTRFS_STEP && !tool_signal) {
		uint64_t middle = (low + (high - low) / 2) / MIB * MIB;

		if (resize_btrfs(fd, middle))
			low = middle;
		else
			high = middle;
	}
	*size = high;
	return 0;
}

static long grow_xfs(uint32_t dev, int fd, uint64_t blocks)
{
	struct grow_xfs grow = { .blocks = blocks };
	unsigned char super[512];
	struct device d;
	bool ok;

	if (!device_open(&d, dev))
		return -LKL_EIO;
	ok = device_read(&d, super, sizeof(super), 0);
	device_close(&d);
	if (!ok)
		return -LKL_EIO;
	grow.inode_percent = super[XFS_INODE_PERCENT];
	return lkl_sys_ioctl(fd, XFS_GROW, (unsigned long)&grow);
}

static long resize_mounted(const char *type, uint32_t dev, int fd,
			   uint64_t *size)
{
	struct lkl_statfs st;
	uint64_t blocks;
	long err = lkl_sys_fstatfs(fd, &st);

	if (err)
		return err;
	blocks = *size / st.f_bsize;
	if (is_ext(type))
		return lkl_sys_ioctl(fd, LKL_EXT4_IOC_RESIZE_FS,
				     (unsigned long)&blocks);
	if (!strcmp(type, "btrfs"))
		return *size ? resize_btrfs(fd, *size)
			     : shrink_btrfs(fd, &st, size);
	return grow_xfs(dev, fd, blocks);
}

/* Has it another size than before, or is that not known? */
static bool is_other(int fd, const struct lkl_statfs *before)
{
	struct lkl_statfs now;

	return lkl_sys_fstatfs(fd, &now) || now.f_blocks != before->f_blocks;
}

/* What the process with the kernel is told, and tells. */
struct told {
	const char *type;
	uint64_t size;
	bool begun;
};

static int resize_image(struct image *img, void *arg)
{
	struct lkl_statfs before = { 0 };
	struct told *t = arg;
	long err;
	int fd;

	err = fd = lkl_sys_openat(LKL_AT_FDCWD, img->mnt,
				  LKL_O_RDONLY | LKL_O_DIRECTORY, 0);
	if (fd >= 0) {
		lkl_sys_fstatfs(fd, &before);
		err = resize_mounted(t->type, img->disks->dev, fd, &t->size);
		t->begun = is_other(fd, &before);
		if (!err)
			err = lkl_sys_syncfs(fd);
		lkl_sys_close(fd);
	}
	if (!err)
		return TOOL_OK;
	tool_error("cannot resize '%s': %s", img->file, lkl_strerror(err));
	return TOOL_FAILED;
}

static int by_kernel(struct image *img, const char *type, uint64_t *size,
		     bool *begun)
{
	struct told *t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct confined c = {
		.img = img, .run = resize_image, .arg = t, .what = "resize"
	};
	int status;

	if (t == MAP_FAILED)
		tool_no_memory();
	*t = (struct told){ type, *size, false };
	status = confined_run(&c);
	*size = t->size;
	*begun = t->begun;
	munmap(t, sizeof(*t));
	return status ? -1 : 0;
}

/* What is done outside of the process with the kernel. */
struct outside {
	const char *type;
	uint64_t size;
	bool no_sandbox;
	pid_t server;
	bool begun;
	int ret;
};

static int run(struct program *p, const struct outside *o, const char *dir,
	       int dead)
{
	int status;

	p->dir = dir;
	p->file = o->no_sandbox ? NULL : NAME;
	p->server = o->server;
	p->dead = dead;
	status = program_run(p);
	free(p->said);
	p->said = NULL;
	return status < 0 ? -1 : 0;
}

/* resize2fs wants what was checked just now. */
static int run_ext(const struct outside *o, const char *dir)
{
	struct program p;
	char sectors[32];

	program_begin(&p, "e2fsck", "e2fsprogs");
	program_add(&p, "-fp");
	program_add(&p, NAME);
	if (run(&p, o, dir, 4))
		return -1;
	program_begin(&p, "resize2fs", "e2fsprogs");
	if (!o->size)
		program_add(&p, "-M");
	snprintf(sectors, sizeof(sectors), "%llus",
		 (unsigned long long)o->size / DISK_SECTOR);
	program_add(&p, NAME);
	if (o->size)
		program_add(&p, sectors);
	return run(&p, o, dir, 1);
}

static int run_f2fs(const struct outside *o, const char *dir)
{
	struct program p;

	program_begin(&p, "resize.f2fs", "f2fs-tools");
	program_add(&p, NAME);
	return run(&p, o, dir, 1);
}

static uint32_t get32(const unsigned char *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The size that an ext4 has. */
static int read_size(struct view *d, uint64_t *size)
{
	unsigned char super[1024];

	if (!view_read(d, super, sizeof(super), EXT_SUPER))
		return -1;
	*size = ((uint64_t)get32(super + EXT_BLOCKS_HIGH) << 32 |
		 get32(super + EXT_BLOCKS))
		<< (10 + (get32(super + EXT_BLOCK_BITS) & 7));
	return 0;
}

static void use_programs(struct view *d, const char *type, unsigned int disks,
			 void *arg)
{
	struct outside *o = arg;
	const char *dir = view_show(d, NAME, false);

	(void)type;
	(void)disks;
	if (!dir)
		return;
	o->server = view_pid(d);
	o->ret = is_ext(o->type) ? run_ext(o, dir) : run_f2fs(o, dir);
	if (view_hide(d))
		o->ret = -1;
	if (!o->ret && is_ext(o->type))
		o->ret = read_size(d, &o->size);
	o->begun = !o->ret;
	if (!o->ret)
		o->ret = view_commit(d);
}

static int by_program(struct image *img, const char *type, uint64_t *size,
		      bool *begun)
{
	struct outside o = {
		.type = type,
		.size = *size,
		.no_sandbox = img->no_sandbox,
		.ret = -1,
	};

	if (view_run(img, use_programs, &o))
		o.ret = -1;
	*size = o.size;
	*begun = o.begun;
	return o.ret;
}

int fs_resize(const struct image *how, const char *type, uint64_t *size,
	      bool *begun)
{
	struct image img = image_copy(how);
	struct place now;
	char found[32];
	bool larger;

	*begun = false;
	if (!strcmp(type, "f2fs"))
		return by_program(&img, type, size, begun);
	if (!is_ext(type))
		return by_kernel(&img, type, size, begun);
	/* the kernel only makes it larger */
	larger = *size && !place_find(&now, &img, found) && *size >= now.size;
	key_forget(&img.key);
	img = image_copy(how);
	return larger ? by_kernel(&img, type, size, begun)
		      : by_program(&img, type, size, begun);
}
