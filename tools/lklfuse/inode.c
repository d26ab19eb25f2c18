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
#include "inode.h"

/* Files that may be open; each costs the library's kernel about 2 KiB. */
#define MAX_OPEN 4096
#define FIRST_BUCKETS 1024
/* libfuse's number of the root directory. */
#define ROOT 1
#define NO_FDS                                                                 \
	{                                                                      \
		-1, -1, -1, -1, -1                                             \
	}
#define GUARDS (LKL_STATX_ATTR_IMMUTABLE | LKL_STATX_ATTR_APPEND)

/*
 * @next: in the same bucket
 * @older, @newer: in the list of those whose descriptors may be closed, by
 *	last use
 * @dev, @ino, @handle_type, @handle_size, @handle: tell files apart
 * @number: libfuse's number
 * @same: in the same bucket of numbers
 * @lookups: what the host's kernel has to give back
 * @users: requests that use the descriptors
 * @fds: descriptor for each use, or -1
 * @kept: the file must stay open
 * @folds: names in this directory have several spellings
 * @guarding: requests wait until the descriptors are closed
 * @forgetting: a thread waits for the last user to free it
 * @cached: the host's kernel may have contents of the file
 */
struct inode {
	struct inode *next;
	struct inode *older;
	struct inode *newer;
	uint64_t dev;
	uint64_t ino;
	uint64_t number;
	struct inode *same;
	uint64_t lookups;
	unsigned int users;
	int fds[INODE_USES];
	bool kept;
	atomic_bool folds;
	bool guarding;
	bool forgetting;
	atomic_bool cached;
	mode_t type;
	int handle_type;
	unsigned int handle_size;
	unsigned char handle[];
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t unused;
	struct inode *root;
	int root_fd;
	bool handles;
	enum inode_folding folding;
	struct handle root_handle;
	struct inode **buckets;
	struct inode **numbers;
	size_t size;
	size_t count;
	uint64_t last_number;
	struct inode *newest;
	struct inode *oldest;
	size_t open;
	atomic_bool guarded;
} table = {
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

static void take_fd(struct inode *i, enum inode_use use, int fds[INODE_USES])
{
	fds[use] = i->fds[use];
	i->fds[use] = -1;
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

static struct inode **number_bucket(uint64_t number)
{
	return &table.numbers[hash(0, number) & (table.size - 1)];
}

static struct inode *find_number(uint64_t number)
{
	struct inode *i = *number_bucket(number);

	while (i && i->number != number)
		i = i->same;
	return i;
}

/*
 * NULL for a number that nobody remembers.  It may be forgotten any moment when
 * the host's kernel has only a number, as for "." in op_lookup().
 */
static struct inode *to_inode(uint64_t number)
{
	struct inode *i;

	pthread_mutex_lock(&table.lock);
	i = find_number(number);
	pthread_mutex_unlock(&table.lock);
	return i;
}

/* Without memory the table is slower, but no less right. */
static void grow(void)
{
	size_t size = table.size ? 2 * table.size : FIRST_BUCKETS;
	struct inode **buckets = calloc(size, sizeof(*buckets));
	struct inode **numbers = calloc(size, sizeof(*numbers));

	if (!buckets || !numbers) {
		free(buckets);
		free(numbers);
		return;
	}
	for (size_t n = 0; n < table.size; n++) {
		struct inode *i = table.buckets[n];

		while (i) {
			size_t to = hash(i->dev, i->ino) & (size - 1);
			struct inode *next = i->next;

			i->next = buckets[to];
			buckets[to] = i;
			to = hash(0, i->number) & (size - 1);
			i->same = numbers[to];
			numbers[to] = i;
			i = next;
		}
	}
	free(table.buckets);
	free(table.numbers);
	table.buckets = buckets;
	table.numbers = numbers;
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

/* What a file is called that has got @h: something that lasts, if possible. */
static uint64_t new_number(const struct handle *h)
{
	uint64_t number = h->h.handle_bytes ? handle_pack(h) : 0;

	while (number <= ROOT || find_number(number))
		number = ++table.last_number | 1ULL << 63;
	return number;
}

static struct inode *add(const struct stat *st, const struct handle *h)
{
	struct inode *i = malloc(sizeof(*i) + h->h.handle_bytes), **head;

	if (!i)
		return NULL;
	if (table.count++ >= table.size)
		grow();
	*i = (struct inode){
		.dev = st->st_dev,
		.ino = st->st_ino,
		.number = new_number(h),
		.fds = NO_FDS,
		.kept = !h->h.handle_bytes,
		.type = st->st_mode & S_IFMT,
		.handle_type = h->h.handle_type,
		.handle_size = h->h.handle_bytes,
	};
	memcpy(i->handle, h->bytes, i->handle_size);
	head = bucket(i->dev, i->ino);
	i->next = *head;
	*head = i;
	head = number_bucket(i->number);
	i->same = *head;
	*head = i;
	return i;
}

static int get_handle(int fd, struct handle *h)
{
	h->h.handle_bytes = 0;
	h->h.handle_type = 0;
	return table.handles ? handle_get(fd, h) : 0;
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
		pthread_cond_broadcast(&table.unused);
}

int inode_open(uint64_t number, enum inode_use use)
{
	int fds[INODE_USES] = NO_FDS;
	struct inode *i;
	int fd, from;

	pthread_mutex_lock(&table.lock);
	i = find_number(number);
	if (!i) {
		pthread_mutex_unlock(&table.lock);
		return -LKL_ESTALE;
	}
	while (i->guarding)
		pthread_cond_wait(&table.unused, &table.lock);
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
		unuse(i);
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
	unuse(i);
	pthread_mutex_unlock(&table.lock);
}

int inode_revive(uint64_t number)
{
	struct handle h;

	if (!table.handles || !handle_unpack(number, &table.root_handle, &h))
		return -LKL_ESTALE;
	return lkl_sys_open_by_handle_at(table.root_fd, &h.h, LKL_O_PATH);
}

int inode_try(uint64_t number, int flags)
{
	struct inode *i = to_inode(number);
	int from, fd;

	pthread_mutex_lock(&table.lock);
	i->users++;
	from = usable(i, INODE_NAME);
	pthread_mutex_unlock(&table.lock);
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

	pthread_mutex_lock(&table.lock);
	i = find_number(number);
	folds = i && i->folds;
	pthread_mutex_unlock(&table.lock);
	return folds;
}

void inode_set_folds(uint64_t number, bool folds)
{
	if (table.folding == FOLDS_SOME)
		to_inode(number)->folds = folds;
}

bool inode_guarded(void)
{
	return table.guarded;
}

void inode_guard(uint64_t number)
{
	struct inode *i = to_inode(number);
	int fds[INODE_USES] = NO_FDS;
	bool listed;

	table.guarded = true;
	pthread_mutex_lock(&table.lock);
	while (i->guarding)
		pthread_cond_wait(&table.unused, &table.lock);
	i->guarding = true;
	while (i->users)
		pthread_cond_wait(&table.unused, &table.lock);
	/* a file that must stay open does so without rights */
	if (i->kept && i->fds[INODE_NAME] < 0)
		i->fds[INODE_NAME] =
			open_again(i, usable(i, INODE_NAME), LKL_O_PATH);
	if (!i->kept || i->fds[INODE_NAME] >= 0) {
		listed = is_listed(i);
		take_fd(i, INODE_WRITE, fds);
		take_fd(i, INODE_APPEND, fds);
		if (listed && !is_listed(i))
			lru_remove(i);
	}
	i->guarding = false;
	pthread_cond_broadcast(&table.unused);
	pthread_mutex_unlock(&table.lock);
	close_fds(fds);
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
		bool folds = table.folding == FOLDS_ALL ||
			     (table.folding == FOLDS_SOME &&
			      S_ISDIR(st->st_mode) && has_folding_flag(fd));

		if (guarded && S_ISREG(st->st_mode))
			table.guarded = true;
		pthread_mutex_lock(&table.lock);
		i = find(st, &h);
		if (!i)
			i = add(st, &h);
		if (i) {
			i->folds = folds;
			i->lookups++;
		}
		/* a directory will be used soon, a file perhaps never */
		if (i && usable(i, use) < 0 &&
		    (i->kept || use != INODE_NAME || S_ISDIR(st->st_mode)))
			install(i, use, fds);
		pthread_mutex_unlock(&table.lock);
		number = i ? i->number : 0;
		/* a number is not used again, but what was packed may be */
		*generation = number >> 32;
		*err = i ? 0 : -LKL_ENOMEM;
	}
	close_fds(fds);
	return number;
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
	if (!inode_stat(fd, &st) && !get_handle(fd, &h)) {
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
	struct inode *i, **at;
	int fds[INODE_USES];

	pthread_mutex_lock(&table.lock);
	i = find_number(number);
	if (!i) {
		pthread_mutex_unlock(&table.lock);
		return;
	}
	i->lookups -= lookups;
	if (i->lookups || i->forgetting || i == table.root) {
		pthread_mutex_unlock(&table.lock);
		return;
	}
	/* somebody may come by its number, and look it up again */
	i->forgetting = true;
	while (!i->lookups && i->users)
		pthread_cond_wait(&table.unused, &table.lock);
	i->forgetting = false;
	if (i->lookups) {
		pthread_mutex_unlock(&table.lock);
		return;
	}
	for (at = bucket(i->dev, i->ino); *at != i; at = &(*at)->next)
		;
	*at = i->next;
	for (at = number_bucket(number); *at != i; at = &(*at)->same)
		;
	*at = i->same;
	table.count--;
	take_fds(i, fds);
	pthread_mutex_unlock(&table.lock);
	close_fds(fds);
	free(i);
}

static void rename_root(uint64_t number)
{
	struct inode **at = number_bucket(number);

	while (*at != table.root)
		at = &(*at)->same;
	*at = table.root->same;
	table.root->number = ROOT;
	at = number_bucket(ROOT);
	table.root->same = *at;
	*at = table.root;
}

int inode_start(int root, bool handles, enum inode_folding folding)
{
	uint64_t generation, number;
	struct handle h;
	struct stat st;
	int fd, err;

	grow();
	if (!table.size)
		return -LKL_ENOMEM;
	table.folding = folding;
	table.root_fd = lkl_sys_openat(root, ".", LKL_O_DIRECTORY, 0);
	fd = lkl_sys_openat(root, ".", LKL_O_DIRECTORY, 0);
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
	table.root_handle = h;
	number = inode_found(fd, INODE_READ, &st, &generation, &err);
	if (err)
		return err;
	/* found by its own number from now on, not as a file is */
	table.root = to_inode(number);
	pthread_mutex_lock(&table.lock);
	rename_root(number);
	pthread_mutex_unlock(&table.lock);
	return 0;
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
	free(table.numbers);
	if (table.root_fd >= 0)
		lkl_sys_close(table.root_fd);
}
