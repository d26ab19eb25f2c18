// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files the host's kernel knows: see inode.h.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lkl.h>

#include "inode.h"

/* Files that may be open; each costs the library's kernel about 2 KiB. */
#define MAX_OPEN 4096
#define MAX_HANDLE 128
#define FIRST_BUCKETS 1024
#define NO_FDS                                                                 \
	{                                                                      \
		-1, -1, -1, -1                                                 \
	}

/*
 * @next: in the same bucket
 * @older, @newer: in the list of those whose descriptors may be closed, by
 *	last use
 * @dev, @ino, @handle_type, @handle_size, @handle: tell files apart
 * @generation: see inode_found()
 * @lookups: what the host's kernel has to give back
 * @users: requests that use the descriptors
 * @fds: descriptor for each use, or -1
 * @kept: the descriptors must not be closed
 */
struct inode {
	struct inode *next;
	struct inode *older;
	struct inode *newer;
	uint64_t dev;
	uint64_t ino;
	uint64_t generation;
	uint64_t lookups;
	unsigned int users;
	int fds[INODE_USES];
	bool kept;
	mode_t type;
	int handle_type;
	unsigned int handle_size;
	unsigned char handle[];
};

struct handle {
	struct lkl_file_handle h;
	unsigned char bytes[MAX_HANDLE];
};

static struct {
	pthread_mutex_t lock;
	const struct fs *fs;
	struct inode *root;
	int root_fd;
	bool handles;
	struct inode **buckets;
	size_t size;
	size_t count;
	uint64_t generation;
	struct inode *newest;
	struct inode *oldest;
	size_t open;
} table = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct inode *to_inode(uint64_t number)
{
	return number == 1 ? table.root : (struct inode *)(uintptr_t)number;
}

/* A descriptor that is good for @use, or -1. */
static int usable(const struct inode *i, enum inode_use use)
{
	int fd = i->fds[use];

	if (fd < 0 && use == INODE_READ)
		fd = i->fds[INODE_WRITE];
	for (int any = 0; fd < 0 && use == INODE_NAME && any < INODE_USES;
	     any++)
		fd = i->fds[any];
	return fd;
}

static void lru_remove(struct inode *i)
{
	*(i->newer ? &i->newer->older : &table.newest) = i->older;
	*(i->older ? &i->older->newer : &table.oldest) = i->newer;
	table.open--;
}

static void lru_add(struct inode *i)
{
	i->older = table.newest;
	i->newer = NULL;
	*(table.newest ? &table.newest->newer : &table.oldest) = i;
	table.newest = i;
	table.open++;
}

static bool is_listed(const struct inode *i)
{
	return !i->kept && usable(i, INODE_NAME) >= 0;
}

/* Closing may take long, so it is done without the lock. */
static void close_fds(const int fds[INODE_USES])
{
	for (int use = 0; use < INODE_USES; use++) {
		if (fds[use] >= 0)
			lkl_sys_close(fds[use]);
	}
}

static void take_fds(struct inode *i, int fds[INODE_USES])
{
	if (is_listed(i))
		lru_remove(i);
	memcpy(fds, i->fds, sizeof(i->fds));
	memset(i->fds, -1, sizeof(i->fds));
}

/*
 * Give @i the descriptor in @fds, which becomes what there is to be closed
 * instead: nothing, or those of the file not used for the longest time.
 */
static void install(struct inode *i, enum inode_use use, int fds[INODE_USES])
{
	struct inode *old = table.oldest;

	if (!is_listed(i) && !i->kept)
		lru_add(i);
	i->fds[use] = fds[use];
	fds[use] = -1;
	if (table.open <= MAX_OPEN)
		return;
	while (old && old->users)
		old = old->newer;
	if (old && old != i)
		take_fds(old, fds);
}

static uint64_t hash(uint64_t dev, uint64_t ino)
{
	return (ino + (dev << 32)) * 0x9e3779b97f4a7c15 >> 32;
}

/* Without memory the table is slower, but no less right. */
static void grow(void)
{
	size_t size = table.size ? 2 * table.size : FIRST_BUCKETS;
	struct inode **buckets = calloc(size, sizeof(*buckets));

	if (!buckets)
		return;
	for (size_t n = 0; n < table.size; n++) {
		struct inode *i = table.buckets[n];

		while (i) {
			size_t to = hash(i->dev, i->ino) & (size - 1);
			struct inode *next = i->next;

			i->next = buckets[to];
			buckets[to] = i;
			i = next;
		}
	}
	free(table.buckets);
	table.buckets = buckets;
	table.size = size;
}

static struct inode **bucket(uint64_t dev, uint64_t ino)
{
	return &table.buckets[hash(dev, ino) & (table.size - 1)];
}

static struct inode *find(const struct stat *st, const struct handle *h)
{
	struct inode *i = *bucket(st->st_dev, st->st_ino);

	while (i && (i->ino != st->st_ino || i->dev != st->st_dev ||
		     i->handle_type != h->h.handle_type ||
		     i->handle_size != h->h.handle_bytes ||
		     memcmp(i->handle, h->bytes, i->handle_size)))
		i = i->next;
	return i;
}

static struct inode *add(const struct stat *st, const struct handle *h)
{
	struct inode *i = malloc(sizeof(*i) + h->h.handle_bytes), **head;

	if (!i)
		return NULL;
	*i = (struct inode){
		.dev = st->st_dev,
		.ino = st->st_ino,
		.generation = ++table.generation,
		.fds = NO_FDS,
		.kept = !h->h.handle_bytes,
		.type = st->st_mode & S_IFMT,
		.handle_type = h->h.handle_type,
		.handle_size = h->h.handle_bytes,
	};
	memcpy(i->handle, h->bytes, i->handle_size);
	if (table.count++ >= table.size)
		grow();
	head = bucket(i->dev, i->ino);
	i->next = *head;
	*head = i;
	return i;
}

static int get_handle(int fd, struct handle *h)
{
	int mount;

	h->h.handle_bytes = 0;
	h->h.handle_type = 0;
	if (!table.handles)
		return 0;
	h->h.handle_bytes = MAX_HANDLE;
	return lkl_sys_name_to_handle_at(fd, "", &h->h, &mount,
					 LKL_AT_EMPTY_PATH);
}

static int open_handle(const struct inode *i, int flags)
{
	struct handle h = {
		.h = { .handle_bytes = i->handle_size,
		       .handle_type = i->handle_type },
	};

	memcpy(h.bytes, i->handle, i->handle_size);
	return lkl_sys_open_by_handle_at(table.root_fd, &h.h, flags);
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
	ret = open_again(i, fd, flags | LKL_O_RDWR);
	if (ret < 0 && *use == INODE_READ)
		return open_again(i, fd, flags);
	*use = INODE_WRITE;
	return ret;
}

int inode_open(uint64_t number, enum inode_use use)
{
	struct inode *i = to_inode(number);
	int fds[INODE_USES] = NO_FDS;
	int fd, from;

	pthread_mutex_lock(&table.lock);
	i->users++;
	fd = usable(i, use);
	from = usable(i, INODE_NAME);
	if (fd >= 0 && !i->kept && table.newest != i) {
		lru_remove(i);
		lru_add(i);
	}
	pthread_mutex_unlock(&table.lock);
	if (fd >= 0)
		return fd;

	fd = open_for(i, from, &use);
	pthread_mutex_lock(&table.lock);
	if (fd < 0) {
		i->users--;
	} else {
		fds[use] = fd;
		/* unless another request was faster */
		if (usable(i, use) < 0)
			install(i, use, fds);
		fd = usable(i, use);
	}
	pthread_mutex_unlock(&table.lock);
	close_fds(fds);
	return fd;
}

void inode_close(uint64_t number)
{
	struct inode *i = to_inode(number);

	pthread_mutex_lock(&table.lock);
	i->users--;
	pthread_mutex_unlock(&table.lock);
}

uint64_t inode_found(int fd, enum inode_use use, struct stat *st,
		     uint64_t *generation, int *err)
{
	int fds[INODE_USES] = NO_FDS;
	struct inode *i = NULL;
	struct handle h;

	fds[use] = fd;
	*err = table.fs->stat(fd, "", st);
	if (!*err)
		*err = get_handle(fd, &h);
	if (!*err) {
		pthread_mutex_lock(&table.lock);
		i = find(st, &h);
		if (!i)
			i = add(st, &h);
		if (i)
			i->lookups++;
		/* a directory will be used soon, a file perhaps never */
		if (i && usable(i, use) < 0 &&
		    (i->kept || use != INODE_NAME || S_ISDIR(st->st_mode)))
			install(i, use, fds);
		pthread_mutex_unlock(&table.lock);
		*generation = i ? i->generation : 0;
		*err = i ? 0 : -LKL_ENOMEM;
	}
	close_fds(fds);
	return (uintptr_t)i;
}

void inode_keep(int dir, const char *name)
{
	int fds[INODE_USES] = NO_FDS;
	struct inode *i;
	struct handle h;
	struct stat st;
	int fd;

	if (!table.handles)
		return;
	fd = lkl_sys_openat(dir, name, LKL_O_PATH | LKL_O_NOFOLLOW, 0);
	if (fd < 0)
		return;
	fds[INODE_NAME] = fd;
	if (!table.fs->stat(fd, "", &st) && !get_handle(fd, &h)) {
		pthread_mutex_lock(&table.lock);
		i = find(&st, &h);
		if (i && !i->kept) {
			if (is_listed(i))
				lru_remove(i);
			i->kept = true;
			if (usable(i, INODE_NAME) < 0)
				install(i, INODE_NAME, fds);
		}
		pthread_mutex_unlock(&table.lock);
	}
	close_fds(fds);
}

void inode_forget(uint64_t number, uint64_t lookups)
{
	struct inode *i = to_inode(number), **at;
	int fds[INODE_USES];

	pthread_mutex_lock(&table.lock);
	i->lookups -= lookups;
	if (i->lookups || i == table.root) {
		pthread_mutex_unlock(&table.lock);
		return;
	}
	for (at = bucket(i->dev, i->ino); *at != i; at = &(*at)->next)
		;
	*at = i->next;
	table.count--;
	take_fds(i, fds);
	pthread_mutex_unlock(&table.lock);
	close_fds(fds);
	free(i);
}

int inode_start(const struct fs *fs, int root, bool handles)
{
	uint64_t generation;
	struct handle h;
	struct stat st;
	int fd, err;

	grow();
	if (!table.size)
		return -LKL_ENOMEM;
	table.fs = fs;
	table.root_fd = fs->open_dir(root, ".");
	fd = fs->open_dir(root, ".");
	if (fd < 0)
		return fd;
	/* are there handles, and can they be followed? */
	table.handles = handles;
	err = get_handle(fd, &h);
	if (handles && !err)
		err = lkl_sys_open_by_handle_at(table.root_fd, &h.h,
						LKL_O_PATH);
	if (err >= 0 && handles)
		lkl_sys_close(err);
	else
		table.handles = false;
	table.root = (struct inode *)(uintptr_t)inode_found(fd, INODE_READ, &st,
							    &generation, &err);
	return err;
}

void inode_end(void)
{
	for (size_t n = 0; n < table.size; n++) {
		struct inode *next;

		for (struct inode *i = table.buckets[n]; i; i = next) {
			next = i->next;
			close_fds(i->fds);
			free(i);
		}
	}
	free(table.buckets);
	if (table.root_fd >= 0)
		lkl_sys_close(table.root_fd);
}
