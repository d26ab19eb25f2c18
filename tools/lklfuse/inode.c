// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files the host's kernel knows: see inode.h.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include <lkl.h>
#include <lkl/linux/fs.h>
#include <lkl/linux/stat.h>

#include "handle.h"
#include "inode_table.h"

#define GUARDS (LKL_STATX_ATTR_IMMUTABLE | LKL_STATX_ATTR_APPEND)

static struct {
	pthread_mutex_t lock;
	pthread_cond_t unused;
	struct inode *root;
	int root_fd;
	bool handles;
	enum inode_folding folding;
	struct handle root_handle;
	atomic_bool guarded;
} files = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.unused = PTHREAD_COND_INITIALIZER,
};

static int stat_guards(int fd, struct stat *st, bool *guarded)
{
	struct lkl_statx x;
	int err = lkl_sys_statx(fd, "", LKL_AT_EMPTY_PATH,
				LKL_STATX_BASIC_STATS, &x);

	if (err)
		return err;
	*guarded = x.stx_attributes & GUARDS;
	*st = (struct stat){
		.st_dev = makedev(x.stx_dev_major, x.stx_dev_minor),
		.st_ino = x.stx_ino,
		.st_nlink = x.stx_nlink,
		.st_mode = x.stx_mode,
		.st_uid = x.stx_uid,
		.st_gid = x.stx_gid,
		.st_rdev = makedev(x.stx_rdev_major, x.stx_rdev_minor),
		.st_size = x.stx_size,
		.st_blksize = x.stx_blksize,
		.st_blocks = x.stx_blocks,
		.st_atim = { x.stx_atime.tv_sec, x.stx_atime.tv_nsec },
		.st_mtim = { x.stx_mtime.tv_sec, x.stx_mtime.tv_nsec },
		.st_ctim = { x.stx_ctime.tv_sec, x.stx_ctime.tv_nsec },
	};
	return 0;
}

int inode_stat(int fd, struct stat *st)
{
	bool guarded;

	return stat_guards(fd, st, &guarded);
}

/*
 * NULL for a number that is not known.  It may be forgotten any moment when
 * the host's kernel has only a number, as for "." in op_lookup().
 */
static struct inode *to_inode(uint64_t number)
{
	struct inode *i;

	pthread_mutex_lock(&files.lock);
	i = inode_table_find_number(number);
	pthread_mutex_unlock(&files.lock);
	return i;
}

static int get_handle(int fd, struct handle *h)
{
	h->h.handle_bytes = 0;
	h->h.handle_type = 0;
	return files.handles ? handle_get(fd, h) : 0;
}

static int open_handle(const struct inode *i, int flags)
{
	struct handle h = {
		.h = { .handle_bytes = i->handle_size,
		       .handle_type = i->handle_type },
	};

	memcpy(h.bytes, i->handle, i->handle_size);
	return lkl_sys_open_by_handle_at(files.root_fd, &h.h, flags);
}

/*
 * Open a file once more, from a descriptor or from its handle.  /proc/self/fd
 * is the current directory.
 */
static int open_again(const struct inode *i, int fd, int flags)
{
	char name[16];

	if (fd < 0)
		return open_handle(i, flags);
	snprintf(name, sizeof(name), "%d", fd);
	return lkl_sys_openat(LKL_AT_FDCWD, name, flags, 0);
}

/* Open for *@use, or more than that. */
static int open_for(const struct inode *i, int fd, enum inode_use *use)
{
	int flags = LKL_O_NONBLOCK | LKL_O_NOCTTY;
	int ret;

	if (*use == INODE_NAME)
		return open_again(i, fd, LKL_O_PATH | LKL_O_NOFOLLOW);
	if (S_ISDIR(i->type))
		return open_again(i, fd, flags | LKL_O_DIRECTORY);
	if (!S_ISREG(i->type))
		return -LKL_EBADF;
	if (*use == INODE_DIRECT)
		return open_again(i, fd, flags | LKL_O_DIRECT);
	if (*use == INODE_APPEND)
		return open_again(i, fd, flags | LKL_O_WRONLY | LKL_O_APPEND);
	ret = open_again(i, fd, flags | LKL_O_RDWR);
	if (ret < 0 && *use == INODE_READ)
		return open_again(i, fd, flags);
	*use = INODE_WRITE;
	return ret;
}

static void unuse(struct inode *i)
{
	if (!--i->users && (i->guarding || i->forgetting))
		pthread_cond_broadcast(&files.unused);
}

int inode_open(uint64_t number, enum inode_use use)
{
	int fds[INODE_USES] = NO_FDS;
	struct inode *i;
	int fd, from;

	pthread_mutex_lock(&files.lock);
	i = inode_table_find_number(number);
	if (!i) {
		pthread_mutex_unlock(&files.lock);
		return -LKL_ESTALE;
	}
	while (i->guarding)
		pthread_cond_wait(&files.unused, &files.lock);
	i->users++;
	fd = inode_fds_usable(i, use);
	from = inode_fds_usable(i, INODE_NAME);
	if (fd >= 0)
		inode_fds_used(i);
	pthread_mutex_unlock(&files.lock);
	if (fd >= 0)
		return fd;

	fd = open_for(i, from, &use);
	pthread_mutex_lock(&files.lock);
	if (fd < 0) {
		unuse(i);
	} else {
		fds[use] = fd;
		/* unless another request was faster */
		if (inode_fds_usable(i, use) < 0)
			inode_fds_install(i, use, fds);
		fd = inode_fds_usable(i, use);
	}
	pthread_mutex_unlock(&files.lock);
	inode_fds_close(fds);
	return fd;
}

void inode_close(uint64_t number)
{
	struct inode *i = to_inode(number);

	pthread_mutex_lock(&files.lock);
	unuse(i);
	pthread_mutex_unlock(&files.lock);
}

int inode_revive(uint64_t number)
{
	struct handle h;

	if (!files.handles || !handle_unpack(number, &files.root_handle, &h))
		return -LKL_ESTALE;
	return lkl_sys_open_by_handle_at(files.root_fd, &h.h, LKL_O_PATH);
}

int inode_try(uint64_t number, int flags)
{
	struct inode *i = to_inode(number);
	int from, fd;

	pthread_mutex_lock(&files.lock);
	i->users++;
	from = inode_fds_usable(i, INODE_NAME);
	pthread_mutex_unlock(&files.lock);
	fd = open_again(i, from, flags);
	inode_close(number);
	if (fd >= 0)
		lkl_sys_close(fd);
	return fd < 0 ? fd : 0;
}

bool inode_folds(uint64_t number)
{
	const struct inode *i;
	bool folds;

	pthread_mutex_lock(&files.lock);
	i = inode_table_find_number(number);
	folds = i && i->folds;
	pthread_mutex_unlock(&files.lock);
	return folds;
}

void inode_set_folds(uint64_t number, bool folds)
{
	if (files.folding == FOLDS_SOME)
		to_inode(number)->folds = folds;
}

bool inode_guarded(void)
{
	return files.guarded;
}

void inode_guard(uint64_t number)
{
	struct inode *i = to_inode(number);
	int fds[INODE_USES] = NO_FDS;

	files.guarded = true;
	pthread_mutex_lock(&files.lock);
	while (i->guarding)
		pthread_cond_wait(&files.unused, &files.lock);
	i->guarding = true;
	while (i->users)
		pthread_cond_wait(&files.unused, &files.lock);
	/* a file that must stay open does so without rights */
	if (i->kept && i->fds[INODE_NAME] < 0)
		i->fds[INODE_NAME] = open_again(
			i, inode_fds_usable(i, INODE_NAME), LKL_O_PATH);
	if (!i->kept || i->fds[INODE_NAME] >= 0)
		inode_fds_take_writing(i, fds);
	i->guarding = false;
	pthread_cond_broadcast(&files.unused);
	pthread_mutex_unlock(&files.lock);
	inode_fds_close(fds);
}

void inode_set_cached(uint64_t number)
{
	struct inode *i = to_inode(number);

	if (i)
		i->cached = true;
}

bool inode_is_cached(uint64_t number)
{
	return to_inode(number)->cached;
}

static bool has_folding_flag(int fd)
{
	unsigned int flags = 0;
	char name[16];

	snprintf(name, sizeof(name), "%d", fd);
	fd = lkl_sys_openat(LKL_AT_FDCWD, name,
			    LKL_O_DIRECTORY | LKL_O_NONBLOCK, 0);
	if (fd >= 0) {
		lkl_sys_ioctl(fd, LKL_FS_IOC_GETFLAGS, (unsigned long)&flags);
		lkl_sys_close(fd);
	}
	return flags & LKL_FS_CASEFOLD_FL;
}

uint64_t inode_found(int fd, enum inode_use use, struct stat *st,
		     uint64_t *generation, int *err)
{
	int fds[INODE_USES] = NO_FDS;
	struct inode *i = NULL;
	uint64_t number = 0;
	struct handle h;
	bool guarded;

	fds[use] = fd;
	*err = stat_guards(fd, st, &guarded);
	if (!*err)
		*err = get_handle(fd, &h);
	if (!*err) {
		bool folds = files.folding == FOLDS_ALL ||
			     (files.folding == FOLDS_SOME &&
			      S_ISDIR(st->st_mode) && has_folding_flag(fd));

		if (guarded && S_ISREG(st->st_mode))
			files.guarded = true;
		pthread_mutex_lock(&files.lock);
		i = inode_table_find(st, &h);
		if (!i)
			i = inode_table_add(st, &h);
		if (i) {
			i->folds = folds;
			i->lookups++;
		}
		/* a directory will be used soon, a file perhaps never */
		if (i && inode_fds_usable(i, use) < 0 &&
		    (i->kept || use != INODE_NAME || S_ISDIR(st->st_mode)))
			inode_fds_install(i, use, fds);
		pthread_mutex_unlock(&files.lock);
		number = i ? i->number : 0;
		/* a number is not used again, but what was packed may be */
		*generation = number >> 32;
		*err = i ? 0 : -LKL_ENOMEM;
	}
	inode_fds_close(fds);
	return number;
}

void inode_keep(int dir, const char *name)
{
	int fds[INODE_USES] = NO_FDS;
	struct inode *i;
	struct handle h;
	struct stat st;
	int fd;

	if (!files.handles)
		return;
	fd = lkl_sys_openat(dir, name, LKL_O_PATH | LKL_O_NOFOLLOW, 0);
	if (fd < 0)
		return;
	fds[INODE_NAME] = fd;
	if (!inode_stat(fd, &st) && !get_handle(fd, &h)) {
		pthread_mutex_lock(&files.lock);
		i = inode_table_find(&st, &h);
		if (i && !i->kept) {
			inode_fds_keep(i);
			if (inode_fds_usable(i, INODE_NAME) < 0)
				inode_fds_install(i, INODE_NAME, fds);
		}
		pthread_mutex_unlock(&files.lock);
	}
	inode_fds_close(fds);
}

void inode_forget(uint64_t number, uint64_t lookups)
{
	struct inode *i;
	int fds[INODE_USES];

	pthread_mutex_lock(&files.lock);
	i = inode_table_find_number(number);
	if (!i) {
		pthread_mutex_unlock(&files.lock);
		return;
	}
	i->lookups -= lookups;
	if (i->lookups || i->forgetting || i == files.root) {
		pthread_mutex_unlock(&files.lock);
		return;
	}
	/* a request may look it up again by its number */
	i->forgetting = true;
	while (!i->lookups && i->users)
		pthread_cond_wait(&files.unused, &files.lock);
	i->forgetting = false;
	if (i->lookups) {
		pthread_mutex_unlock(&files.lock);
		return;
	}
	inode_table_remove(i);
	inode_fds_take(i, fds);
	pthread_mutex_unlock(&files.lock);
	inode_fds_close(fds);
	free(i);
}

int inode_start(int root, bool handles, enum inode_folding folding)
{
	uint64_t generation, number;
	struct handle h;
	struct stat st;
	int fd, err;

	if (!inode_table_start())
		return -LKL_ENOMEM;
	files.folding = folding;
	files.root_fd = lkl_sys_openat(root, ".", LKL_O_DIRECTORY, 0);
	fd = lkl_sys_openat(root, ".", LKL_O_DIRECTORY, 0);
	if (fd < 0)
		return fd;
	/* are there handles, and can they be followed? */
	files.handles = handles;
	err = get_handle(fd, &h);
	if (handles && !err)
		err = lkl_sys_open_by_handle_at(files.root_fd, &h.h,
						LKL_O_PATH);
	if (err >= 0 && handles)
		lkl_sys_close(err);
	else
		files.handles = false;
	files.root_handle = h;
	number = inode_found(fd, INODE_READ, &st, &generation, &err);
	if (err)
		return err;
	/* found by its own number from now on, not as a file is */
	files.root = to_inode(number);
	pthread_mutex_lock(&files.lock);
	inode_table_renumber(files.root, ROOT);
	pthread_mutex_unlock(&files.lock);
	return 0;
}

static void end(struct inode *i)
{
	inode_fds_close(i->fds);
	free(i);
}

void inode_end(void)
{
	inode_table_end(end);
	if (files.root_fd >= 0)
		lkl_sys_close(files.root_fd);
}
