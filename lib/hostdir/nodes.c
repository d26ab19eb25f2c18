// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files of a host directory that the kernel knows.
 *
 * A node holds no descriptor, so there may be any number of them: it is the
 * name under which a file was seen last, in the node of its directory.  Each
 * request looks the file up again, from the root of the host directory, with
 * openat2() that stays beneath and follows no link; the kernel follows links
 * itself.  What is found must be the file that the node is: device, inode and
 * time of birth.  If not, someone has changed the tree, and -LKL_ESTALE has the
 * kernel look up the path again.
 *
 * A file that is open is found by its handle whatever its name, also when it
 * has none any more.
 *
 * When a request renames a file, paths in between may lead nowhere.  So those
 * that fail then try again after it (moves).
 */
#include <errno.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <lkl/asm/errno.h>
#include "hostdir.h"

#define RESOLVE (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)
#define FIRST_BUCKETS 1024

/* A number is an index plus one; a free slot has twice the next one, plus one.
 */
uint64_t numbers_add(struct numbers *n, void *what)
{
	uint64_t number = n->free;

	if (!number) {
		size_t i, size = n->size ? 2 * n->size : 64;
		void **slots = malloc(size * sizeof(*slots));
		void **old = n->slots;

		if (!slots)
			return 0;
		for (i = 0; i < n->size; i++)
			slots[i] = old[i];
		for (; i < size; i++)
			slots[i] = (void *)(i + 1 < size ? 2 * (i + 2) + 1 : 1);
		number = n->size + 1;
		/* There may be a fork() at any time, see handles_forked(). */
		__atomic_store_n(&n->slots, slots, __ATOMIC_SEQ_CST);
		__atomic_store_n(&n->size, size, __ATOMIC_SEQ_CST);
		free(old);
	}
	n->free = (uintptr_t)n->slots[number - 1] >> 1;
	n->slots[number - 1] = what;
	return number;
}

void *numbers_find(struct numbers *n, uint64_t number)
{
	void *what = number && number <= n->size ? n->slots[number - 1] : NULL;

	return (uintptr_t)what & 1 ? NULL : what;
}

void numbers_remove(struct numbers *n, uint64_t number)
{
	n->slots[number - 1] = (void *)(2 * n->free + 1);
	n->free = number;
}

static uint64_t device(const struct statx *stx)
{
	return (uint64_t)stx->stx_dev_major << 32 | stx->stx_dev_minor;
}

static uint64_t birth(const struct statx *stx)
{
	if (!(stx->stx_mask & STATX_BTIME))
		return 0;
	return stx->stx_btime.tv_sec * 1000000000ULL + stx->stx_btime.tv_nsec;
}

static bool is_same(const struct node *node, const struct statx *stx)
{
	return node->ino == stx->stx_ino && node->dev == device(stx) &&
	       node->born == birth(stx);
}

static struct node **bucket(struct hostdir *h, uint64_t dev, uint64_t ino)
{
	uint64_t hash = (ino ^ dev << 20) * 0x9e3779b97f4a7c15ULL;

	return &h->buckets[hash >> 32 & (h->bucket_count - 1)];
}

static struct node **slot_of(struct hostdir *h, const struct node *node)
{
	struct node **p = bucket(h, node->dev, node->ino);

	while (*p && *p != node)
		p = &(*p)->next;
	return p;
}

/* No file is this node any more, which the kernel still knows. */
static void unhash(struct hostdir *h, struct node *node)
{
	struct node **p = slot_of(h, node);

	if (*p)
		*p = node->next;
}

static void grow(struct hostdir *h)
{
	struct node **old = h->buckets, **buckets;
	size_t i, count = h->bucket_count;

	if (h->node_count <= count)
		return;
	buckets = calloc(2 * count, sizeof(*buckets));
	if (!buckets)
		return; /* slower, but right */
	h->buckets = buckets;
	h->bucket_count = 2 * count;
	for (i = 0; i < count; i++) {
		while (old[i]) {
			struct node *node = old[i], **p;

			old[i] = node->next;
			p = bucket(h, node->dev, node->ino);
			node->next = *p;
			*p = node;
		}
	}
	free(old);
}

struct node *nodes_find(struct hostdir *h, uint64_t id)
{
	return numbers_find(&h->nodes, id);
}

void nodes_put(struct hostdir *h, struct node *node)
{
	while (node && !node->lookups && !node->children && !node->handles) {
		struct node *parent = node->parent;

		unhash(h, node);
		numbers_remove(&h->nodes, node->id);
		h->node_count--;
		free(node->name);
		free(node);
		if (parent)
			parent->children--;
		node = parent;
	}
}

static struct node *new_node(struct hostdir *h, const struct statx *stx)
{
	struct node *node = calloc(1, sizeof(*node)), **p;

	if (!node)
		return NULL;
	node->dev = device(stx);
	node->ino = stx->stx_ino;
	node->born = birth(stx);
	node->type = stx->stx_mode & S_IFMT;
	node->id = numbers_add(&h->nodes, node);
	if (!node->id) {
		free(node);
		return NULL;
	}
	h->node_count++;
	grow(h);
	p = bucket(h, node->dev, node->ino);
	node->next = *p;
	*p = node;
	return node;
}

/* Is a node above another one, or that itself? */
static bool is_above(const struct node *node, const struct node *other)
{
	while (other && other != node)
		other = other->parent;
	return other;
}

static bool set_name(struct hostdir *h, struct node *node, struct node *parent,
		     const char *name)
{
	struct node *before = node->parent;
	char *copy;

	if (before == parent && !strcmp(node->name, name))
		return true;
	copy = strdup(name);
	if (!copy)
		return false;
	free(node->name);
	node->name = copy;
	parent->children++;
	node->parent = parent;
	if (before) {
		before->children--;
		nodes_put(h, before);
	}
	return true;
}

/* The node of a file, which has the name; a new one if need be, or NULL. */
static struct node *enter(struct hostdir *h, uint64_t parent_id,
			  const char *name, const struct statx *stx)
{
	struct node *node, *parent = nodes_find(h, parent_id);

	if (!parent)
		return NULL;
	node = *bucket(h, device(stx), stx->stx_ino);
	while (node && !is_same(node, stx))
		node = node->next;
	/*
	 * What is beneath itself has been moved by others: the node that we
	 * have is not that file's any more.
	 */
	if (node && is_above(node, parent)) {
		unhash(h, node);
		node = NULL;
	}
	if (!node)
		node = new_node(h, stx);
	if (node && !set_name(h, node, parent, name)) {
		nodes_put(h, node);
		return NULL;
	}
	return node;
}

uint64_t nodes_enter(struct hostdir *h, uint64_t parent, const char *name,
		     const struct statx *stx)
{
	struct node *node;
	uint64_t id = 0;

	lock(&h->tree);
	node = enter(h, parent, name, stx);
	if (node) {
		node->lookups++;
		id = node->id;
	}
	unlock(&h->tree);
	return id;
}

void nodes_moved(struct hostdir *h, uint64_t parent, const char *name,
		 const struct statx *stx)
{
	lock(&h->tree);
	nodes_put(h, enter(h, parent, name, stx));
	unlock(&h->tree);
}

void nodes_forget(struct hostdir *h, uint64_t id, uint64_t lookups)
{
	struct node *node;

	lock(&h->tree);
	node = nodes_find(h, id);
	if (node && node->parent) { /* not the root */
		node->lookups -= lookups < node->lookups ? lookups
							 : node->lookups;
		nodes_put(h, node);
	}
	unlock(&h->tree);
}

bool nodes_begin(struct hostdir *h)
{
	struct statx stx;
	struct node *root;

	if (nodes_stat(h->root, "", &stx))
		return false;
	h->buckets = calloc(FIRST_BUCKETS, sizeof(*h->buckets));
	h->bucket_count = FIRST_BUCKETS;
	root = h->buckets ? new_node(h, &stx) : NULL;
	if (root)
		root->lookups = 1; /* forever */
	return root;
}

void nodes_clear(struct hostdir *h)
{
	size_t i;

	lock(&h->tree);
	for (i = 1; i < h->nodes.size; i++) {
		struct node *node = nodes_find(h, i + 1);

		if (node) {
			node->lookups = 0;
			nodes_put(h, node);
		}
	}
	unlock(&h->tree);
}

void nodes_end(struct hostdir *h)
{
	size_t i;

	for (i = 0; i < h->nodes.size; i++) {
		struct node *node = numbers_find(&h->nodes, i + 1);

		if (node) {
			free(node->name);
			free(node);
		}
	}
	free(h->nodes.slots);
	free(h->buckets);
	h->nodes = (struct numbers){ 0 };
	h->buckets = NULL;
	h->node_count = 0;
}

/* The path of a node from the root, to be freed; NULL without memory. */
static char *path_of(const struct node *node)
{
	const struct node *n;
	size_t len = 0;
	char *path;

	for (n = node; n->parent; n = n->parent)
		len += strlen(n->name) + 1;
	path = malloc(len + 2);
	if (!path)
		return NULL;
	strcpy(path, ".");
	for (n = node; n->parent; n = n->parent) {
		size_t part = strlen(n->name);

		len -= part + 1;
		memcpy(path + len, n->name, part);
		path[len + part] = n == node ? 0 : '/';
	}
	return path;
}

static int open_beneath(int dir, const char *path, int flags)
{
	struct open_how how = {
		.flags = flags | O_NOFOLLOW | O_CLOEXEC |
			 (flags & O_PATH ? 0 : O_NOCTTY),
		.resolve = RESOLVE,
	};
	int fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

/* The same with a path of any length, which is changed. */
static int open_path(int root, char *path, int flags)
{
	int dir = root, next = 0;

	while (strlen(path) >= PATH_MAX && next >= 0) {
		char *end = path + PATH_MAX - 1;

		while (*end != '/')
			end--;
		*end = 0;
		next = open_beneath(dir, path, O_PATH | O_DIRECTORY);
		if (dir != root)
			close(dir);
		dir = next;
		path = end + 1;
	}
	if (next >= 0)
		next = open_beneath(dir, path, flags);
	if (dir != root && dir >= 0)
		close(dir);
	return next;
}

int nodes_stat(int fd, const char *name, struct statx *stx)
{
	if (statx(fd, name,
		  AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
		  STATX_BASIC_STATS | STATX_BTIME, stx))
		return -errno;
	return 0;
}

/* What has happened to the way to a file. */
static bool has_gone(int err)
{
	return err == -ENOENT || err == -ENOTDIR || err == -ELOOP ||
	       err == -EXDEV;
}

/* To open anything else may have effects, and the kernel has no need to. */
static bool may_open(const struct node *node)
{
	return S_ISREG(node->type) || S_ISDIR(node->type);
}

static int try_open(struct hostdir *h, uint64_t id, int flags,
		    struct statx *stx)
{
	int fd, err = -LKL_ESTALE;
	char *path = NULL;
	struct node *node;

	lock(&h->tree);
	node = nodes_find(h, id);
	if (node && !(flags & O_PATH) && !may_open(node)) {
		err = -LKL_ENXIO;
	} else if (node) {
		path = path_of(node);
		err = -LKL_ENOMEM;
	}
	unlock(&h->tree);
	if (!path)
		return err;
	fd = open_path(h->root, path, flags);
	free(path);
	if (fd < 0)
		return has_gone(fd) ? -LKL_ESTALE : fd;

	err = nodes_stat(fd, "", stx);
	lock(&h->tree);
	node = nodes_find(h, id);
	if (!err && (!node || !is_same(node, stx)))
		err = -LKL_ESTALE;
	unlock(&h->tree);
	if (!err)
		return fd;
	close(fd);
	return err;
}

int nodes_open(struct hostdir *h, uint64_t id, int flags, struct statx *stx)
{
	struct statx own;
	int fd, moves;

	if (id == LKL_FUSE_ROOT_ID && flags == O_PATH && !stx)
		return h->root;
	for (;;) {
		moves = __atomic_load_n(&h->moves, __ATOMIC_SEQ_CST);
		fd = try_open(h, id, flags, stx ? stx : &own);
		if (fd != -LKL_ESTALE ||
		    (!(moves & 1) &&
		     moves == __atomic_load_n(&h->moves, __ATOMIC_SEQ_CST)))
			return fd;
		if (moves & 1)
			lkl_vdev_host->wait(&h->moves, moves, 0);
	}
}

void nodes_close(struct hostdir *h, int fd)
{
	if (fd >= 0 && fd != h->root)
		close(fd);
}
