/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of a host directory: the virtio device (hostdir.c), which says how
 * they belong together, the threads that serve requests (pool.c), the files
 * that the kernel knows (nodes.c), those that it has open (handles.c), and the
 * requests by their subject (names.c, attr.c, xattr.c, data.c, list.c), which
 * serve.c tells apart.
 */
#ifndef HOSTDIR_H
#define HOSTDIR_H

#include <fcntl.h>
#include <sys/stat.h>

#include <lkl_host.h>
#include <lkl/linux/fuse.h>
#include <lkl/linux/virtio_fs.h>
#include "../virtio.h"
#include "lock.h"

/* Requests that no other may delay, and all others. */
enum { HIPRIO, REQUESTS, QUEUES };

#define QUEUE_SIZE 512
#define MAX_PAGES 256
#define MAX_DATA (MAX_PAGES * 4096)
/* Pages of a request, and what is before them. */
#define MAX_IOV (MAX_PAGES + 8)
/* Arguments but for data to write: names, and the value of an attribute. */
#define MAX_ARGS (65536 + 8192)
#define MAX_REPLY 65536
#define THREADS 4
/* For how long the kernel believes a name and attributes, in seconds. */
#define VALID 1

struct hostdir;

/**
 * struct node - a file that the kernel knows
 *
 * @dev: of the file on the host; the next three tell it from all others
 * @ino: see there
 * @born: when it was made, in nanoseconds, if the host knows
 * @type: S_IFREG, ...
 * @id: by which the kernel knows it
 * @lookups: how often the kernel was told of it
 * @children: nodes that have it as @parent
 * @parent: directory in which it was last seen; NULL for the first node
 * @name: there
 * @handles: what is open of it
 * @next: in a bucket of the hash table
 */
struct node {
	uint64_t dev, ino, born;
	mode_t type;
	uint64_t id;
	uint64_t lookups;
	unsigned int children;
	struct node *parent;
	char *name;
	struct handle *handles;
	struct node *next;
};

/**
 * struct handle - an open file or directory
 *
 * @fd: descriptor of the host
 * @users: requests that use it, and one until it is released
 * @node: the file
 * @next: another one of the node's
 * @slow: its host cannot tell whether a read would have to wait
 * @lock: of the rest, which only a directory has
 * @entries: as the host has returned them
 * @pos: what of @entries comes next
 * @len: bytes in @entries
 * @offset: what the kernel calls the position of that
 */
struct handle {
	int fd;
	unsigned int users;
	struct node *node;
	struct handle *next;
	bool slow;
	struct lock lock;
	char *entries;
	size_t pos, len;
	int64_t offset;
};

/* Numbers that stand for pointers, from 1 on; 0 in @free is none. */
struct numbers {
	void **slots;
	size_t size;
	size_t free;
};

/**
 * struct request - a request of the kernel, which one thread serves
 *
 * @h: the directory
 * @now: in the middle of the kernel: wait for nothing, and use no C library
 * @hdr: its header
 * @iov: buffers of the request
 * @out: what of @iov the kernel has written and follows @args
 * @out_count: elements of that
 * @in: what of @iov takes the reply
 * @in_count: elements of that
 * @room: bytes of @in behind the header of the reply
 * @len: bytes in @args
 * @args: arguments, and a NUL behind them
 * @reply: for the handlers to write the reply into
 */
struct request {
	struct hostdir *h;
	bool now;
	struct lkl_fuse_in_header hdr;
	struct iovec iov[MAX_IOV];
	struct iovec *out;
	unsigned int out_count;
	struct iovec *in;
	unsigned int in_count;
	size_t room;
	size_t len;
	_Alignas(8) char args[MAX_ARGS + 1];
	_Alignas(8) char reply[MAX_REPLY];
};

/**
 * struct hostdir - a directory of the host as a device
 *
 * @root: its descriptor
 * @readonly: nothing may be changed
 * @privileged: other owners than the process's are possible
 * @uid: of the process; its files belong to root for the kernel, unless
 *	@privileged
 * @gid: likewise
 * @ring: of the rings
 * @running: threads that look at the rings or serve a request
 * @quiet: none may begin to
 * @calls: what threads wait on that have nothing to do
 * @stop: threads are to end
 * @now: for what is served in the middle of the kernel
 * @tree: of all nodes and handles
 * @rename: for a request that moves nodes, before @tree
 * @moves: odd while a request moves a node, and another number afterwards
 */
struct hostdir {
	struct lkl_vdev vdev;
	struct lkl_virtio_fs_config config;
	struct lkl_virtq virtqs[QUEUES];
	int root;
	bool readonly;
	bool privileged;
	uid_t uid;
	gid_t gid;

	struct lock ring;
	int running;
	int quiet;
	int calls;
	int stop;
	lkl_thread_t threads[THREADS];
	struct request *requests[THREADS];
	struct request *now;

	struct lock tree;
	struct lock rename;
	int moves;
	struct numbers nodes;
	struct numbers handles;
	struct node **buckets;
	size_t bucket_count;
	size_t node_count;
};

/*
 * pool.c
 */
bool hostdir_pool_start(struct hostdir *h);
void hostdir_pool_stop(struct hostdir *h);
void hostdir_pool_kick(struct hostdir *h, unsigned int queue);
void hostdir_pool_quiet(struct hostdir *h);

/*
 * serve.c
 */

/**
 * hostdir_serve() - serve a request
 * @r: the request, of which @h is set
 * @q: the ring it is in
 * @head: where
 *
 * Return: the length of the reply, 0 when there is none, -1 when the request is
 * nonsense and the device broken now, or HOSTDIR_LATER if it cannot be served
 * at once and shall be
 */
#define HOSTDIR_LATER -2
long hostdir_serve(struct request *r, struct lkl_virtq *q, unsigned int head);

/* A handler returns the length of what is in @reply, or a negative error. */
#define HANDLER(name) long hostdir_##name(struct request *r)
HANDLER(lookup);
HANDLER(symlink);
HANDLER(mknod);
HANDLER(mkdir);
HANDLER(unlink);
HANDLER(rmdir);
HANDLER(rename);
HANDLER(rename2);
HANDLER(link);
HANDLER(create);
HANDLER(readlink);
HANDLER(getattr);
HANDLER(setattr);
HANDLER(statfs);
HANDLER(setxattr);
HANDLER(getxattr);
HANDLER(listxattr);
HANDLER(removexattr);
HANDLER(open);
HANDLER(release);
HANDLER(read);
HANDLER(write);
HANDLER(fsync);
HANDLER(fallocate);
HANDLER(lseek);
HANDLER(copy_file_range);
HANDLER(opendir);
HANDLER(readdir);
HANDLER(readdirplus);

/*
 * nodes.c
 */
bool nodes_begin(struct hostdir *h);
void nodes_end(struct hostdir *h);
/* The kernel knows none but the root any more. */
void nodes_clear(struct hostdir *h);

/**
 * nodes_enter() - the kernel is told of a file once more
 * @h: the directory
 * @parent: number of the node of the directory it is in
 * @name: there
 * @stx: what the host says of it
 *
 * Return: its number, or 0 without memory or such a parent
 */
uint64_t nodes_enter(struct hostdir *h, uint64_t parent, const char *name,
		     const struct statx *stx);

/**
 * nodes_moved() - a file has another name
 * @h: the directory
 * @parent: number of the node of the directory it is in now
 * @name: there
 * @stx: what the host says of it
 */
void nodes_moved(struct hostdir *h, uint64_t parent, const char *name,
		 const struct statx *stx);

/* The kernel forgets @lookups times that it was told of a node. */
void nodes_forget(struct hostdir *h, uint64_t id, uint64_t lookups);

/* The node with a number, or NULL.  @h->tree is held. */
struct node *nodes_find(struct hostdir *h, uint64_t id);

/* Free the node unless it is needed.  @h->tree is held. */
void nodes_put(struct hostdir *h, struct node *node);

/**
 * nodes_open() - find the file of a node on the host
 * @h: the directory
 * @id: number of the node
 * @flags: as of open(); O_PATH if nothing else is wanted
 * @stx: for what the host says of it, or NULL
 *
 * The way there begins at @h->root and stays beneath it.
 *
 * Return: a descriptor for nodes_close(), or a negative error number;
 * -LKL_ESTALE when the file is not where it was any more
 */
int nodes_open(struct hostdir *h, uint64_t id, int flags, struct statx *stx);
void nodes_close(struct hostdir *h, int fd);

/* statx() of the host with all that we want; 0 or a negative error number. */
int nodes_stat(int fd, const char *name, struct statx *stx);

/*
 * handles.c
 */

/**
 * handles_add() - remember an open file
 * @h: the directory
 * @id: number of its node
 * @fd: descriptor, which is closed after an error
 *
 * Return: a number, or 0 without memory
 */
uint64_t handles_add(struct hostdir *h, uint64_t id, int fd);
void handles_remove(struct hostdir *h, uint64_t fh);
struct handle *handles_get(struct hostdir *h, uint64_t fh);
struct handle *handles_of(struct hostdir *h, uint64_t id);
void handles_put(struct hostdir *h, struct handle *handle);
/**
 * handles_take() - a descriptor of a node's file, for what needs no rights of
 * it
 * @h: the directory
 * @id: number of the node
 * @handle: set to what must be given to handles_drop()
 *
 * That of a handle if there is one, so that a file without a name is found,
 * too.
 *
 * Return: the descriptor, or a negative error number
 */
int handles_take(struct hostdir *h, uint64_t id, struct handle **handle);
void handles_drop(struct hostdir *h, int fd, struct handle *handle);

/**
 * handles_borrow() - find an open file, if that is possible at once
 * @h: the directory
 * @fh: number of the handle
 *
 * For the kernel.  handles_return() must follow.
 *
 * Return: the handle, or NULL
 */
struct handle *handles_borrow(struct hostdir *h, uint64_t fh);
void handles_return(struct hostdir *h);

/* Close the descriptors of all in a forked child. */
void handles_forked(struct hostdir *h);

/* Release all. */
void handles_clear(struct hostdir *h);

/* Numbers; 0 without memory. */
uint64_t numbers_add(struct numbers *n, void *what);
void *numbers_find(struct numbers *n, uint64_t number);
void numbers_remove(struct numbers *n, uint64_t number);

/*
 * attr.c
 */
void attr_fill(struct hostdir *h, const struct statx *stx,
	       struct lkl_fuse_attr *attr);
uid_t attr_uid(struct hostdir *h, uid_t uid);
gid_t attr_gid(struct hostdir *h, gid_t gid);
/* The mode that a file gets on the host, with its type. */
mode_t attr_mode(struct hostdir *h, mode_t mode);

/* Tell the kernel of a file: fill @out; 0 or a negative error number. */
int attr_entry(struct hostdir *h, uint64_t parent, const char *name,
	       const struct statx *stx, struct lkl_fuse_entry_out *out);

#endif /* HOSTDIR_H */
