// SPDX-License-Identifier: GPL-2.0-only
/*
 * The descriptors of files: a cache of limited size.
 */
#include <string.h>

#include <lkl.h>

#include "inode_table.h"

/* Files that may be open; each costs the library's kernel about 2 KiB. */
#define MAX_OPEN 4096

/* Files whose descriptors may be closed, by last use. */
static struct {
	struct inode *newest;
	struct inode *oldest;
	size_t open;
} cache;

int inode_fds_usable(const struct inode *i, enum inode_use use)
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
	*(i->newer ? &i->newer->older : &cache.newest) = i->older;
	*(i->older ? &i->older->newer : &cache.oldest) = i->newer;
	cache.open--;
}

static void lru_add(struct inode *i)
{
	i->older = cache.newest;
	i->newer = NULL;
	*(cache.newest ? &cache.newest->newer : &cache.oldest) = i;
	cache.newest = i;
	cache.open++;
}

static bool is_listed(const struct inode *i)
{
	return !i->kept && inode_fds_usable(i, INODE_NAME) >= 0;
}

void inode_fds_close(const int fds[INODE_USES])
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

void inode_fds_take(struct inode *i, int fds[INODE_USES])
{
	if (is_listed(i))
		lru_remove(i);
	memcpy(fds, i->fds, sizeof(i->fds));
	memset(i->fds, -1, sizeof(i->fds));
}

void inode_fds_install(struct inode *i, enum inode_use use, int fds[INODE_USES])
{
	struct inode *old = cache.oldest;

	if (!is_listed(i) && !i->kept)
		lru_add(i);
	i->fds[use] = fds[use];
	fds[use] = -1;
	if (cache.open <= MAX_OPEN)
		return;
	while (old && old->users)
		old = old->newer;
	if (old && old != i)
		inode_fds_take(old, fds);
}

void inode_fds_used(struct inode *i)
{
	if (i->kept || cache.newest == i)
		return;
	lru_remove(i);
	lru_add(i);
}

void inode_fds_keep(struct inode *i)
{
	if (is_listed(i))
		lru_remove(i);
	i->kept = true;
}

void inode_fds_take_writing(struct inode *i, int fds[INODE_USES])
{
	bool listed = is_listed(i);

	take_fd(i, INODE_WRITE, fds);
	take_fd(i, INODE_APPEND, fds);
	if (listed && !is_listed(i))
		lru_remove(i);
}
