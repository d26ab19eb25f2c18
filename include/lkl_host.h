/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the library asks of its host, and of an application that brings its own
 * devices.
 */
#ifndef LKL_HOST_H
#define LKL_HOST_H

#include <sys/uio.h>
#include <lkl/asm/host_ops.h>

#pragma GCC visibility push(default)

#ifdef __cplusplus
extern "C" {
#endif

/* This host's operations; change what you like before lkl_init(). */
extern struct lkl_host_operations lkl_host_ops;

struct lkl_dev_blk_ops;

/**
 * struct lkl_disk - a disk as the application gives it
 *
 * @dev: set by lkl_disk_add()
 * @fd: image file or block device, for the default back end
 * @handle: whatever @ops wants to know the disk by
 * @ops: back end; NULL means &lkl_dev_blk_ops
 */
struct lkl_disk {
	void *dev;
	union {
		int fd;
		void *handle;
	};
	struct lkl_dev_blk_ops *ops;
};

/* Types of requests; the numbers are virtio's. */
#define LKL_DEV_BLK_TYPE_READ 0
#define LKL_DEV_BLK_TYPE_WRITE 1
#define LKL_DEV_BLK_TYPE_FLUSH 4
#define LKL_DEV_BLK_TYPE_FLUSH_OUT 5
#define LKL_DEV_BLK_TYPE_DISCARD 11
#define LKL_DEV_BLK_TYPE_WRITE_ZEROES 13

/* What a request can end with. */
#define LKL_DEV_BLK_STATUS_OK 0
#define LKL_DEV_BLK_STATUS_IOERR 1
#define LKL_DEV_BLK_STATUS_UNSUP 2
/* Only with LKL_BLK_REQ_NOWAIT: ask again without it. */
#define LKL_DEV_BLK_STATUS_AGAIN 3

/* Do it only if nothing has to be waited for. */
#define LKL_BLK_REQ_NOWAIT 1
/* The range that becomes zero need not keep its space (write zeroes). */
#define LKL_BLK_REQ_UNMAP 2

/**
 * struct lkl_blk_req - a request to a back end
 *
 * @type: LKL_DEV_BLK_TYPE_*
 * @prio: I/O priority
 * @sector: where it starts, in units of 512 bytes
 * @buf: memory to read into or write from, which the back end may modify.  For
 *	discard and write zeroes it is one element without address that tells
 *	the length
 * @count: number of elements of @buf
 * @flags: LKL_BLK_REQ_*
 */
struct lkl_blk_req {
	unsigned int type;
	unsigned int prio;
	unsigned long long sector;
	struct iovec *buf;
	int count;
	unsigned int flags;
};

/* Writing is not possible. */
#define LKL_BLK_READ_ONLY 1
/* request() knows LKL_DEV_BLK_TYPE_DISCARD. */
#define LKL_BLK_DISCARD 2
/* request() knows LKL_DEV_BLK_TYPE_WRITE_ZEROES. */
#define LKL_BLK_WRITE_ZEROES 4
/* There is no gain in several writes at a time. */
#define LKL_BLK_SERIAL_WRITES 8
/* request() knows LKL_BLK_REQ_NOWAIT for reads. */
#define LKL_BLK_NOWAIT 16
/* Reads and writes need no more time than it takes to copy. */
#define LKL_BLK_MEMORY 32

/**
 * struct lkl_blk_limits - properties of a disk
 *
 * @flags: LKL_BLK_*
 * @block_size: smallest unit of reading and writing, at least 512
 * @physical_size: unit that it is best to write in
 * @discard_size: unit that can be discarded
 * @parallel: number of threads that may call request() at a time
 * @inline_max: with LKL_BLK_NOWAIT or LKL_BLK_MEMORY, requests up to so many
 *	bytes are made on the thread that runs the kernel, in the middle of it.
 *	They must use neither locks nor thread-local storage nor the library
 */
struct lkl_blk_limits {
	unsigned int flags;
	unsigned int block_size;
	unsigned int physical_size;
	unsigned int discard_size;
	unsigned int parallel;
	unsigned int inline_max;
};

/**
 * struct lkl_dev_blk_ops - a disk back end
 *
 * @get_capacity: store the size of the disk in bytes; 0 or negative
 * @request: do a request and return its LKL_DEV_BLK_STATUS_*.  May block; runs
 *	on a thread of the disk's, and one at a time unless get_limits() allows
 *	more
 * @get_limits: change what differs from a writable disk with 512-byte sectors
 *	and no other abilities; 0 or negative.  May be NULL
 */
struct lkl_dev_blk_ops {
	int (*get_capacity)(struct lkl_disk disk, unsigned long long *bytes);
	int (*request)(struct lkl_disk disk, struct lkl_blk_req *req);
	int (*get_limits)(struct lkl_disk disk, struct lkl_blk_limits *limits);
};

/* The default back end: a file descriptor. */
extern struct lkl_dev_blk_ops lkl_dev_blk_ops;

/**
 * lkl_disk_add - give the kernel a disk
 * @disk: the disk; its @dev is set, the rest is copied
 *
 * Before boot the disk is there when the kernel starts, afterwards it is there
 * on return.  It stays across lkl_sys_halt() until lkl_disk_remove() or
 * lkl_cleanup().  The descriptor or handle remains the caller's, who keeps it
 * valid as long.
 *
 * Return: the disk's id, or a negative error number
 */
int lkl_disk_add(struct lkl_disk *disk);

/**
 * lkl_disk_remove - take a disk away
 * @disk: as lkl_disk_add() left it
 *
 * File systems on it should have been unmounted.  No request is on its way any
 * more on return.
 *
 * Return: 0, or a negative error number
 */
int lkl_disk_remove(struct lkl_disk disk);

#ifdef __cplusplus
}
#endif

#pragma GCC visibility pop

#endif /* LKL_HOST_H */
