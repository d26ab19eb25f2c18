// SPDX-License-Identifier: GPL-2.0-only
/*
 * The default disk back end on Windows: an image file by its descriptor of the
 * C library, which was opened with O_BINARY.
 */
#include <io.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <windows.h>
#include <winioctl.h>

#include <lkl_host.h>
#include <lkl/asm/errno.h>

#define SECTOR 512
#define PARALLEL 4

static HANDLE handle_of(struct lkl_disk disk)
{
	return (HANDLE)_get_osfhandle(disk.fd);
}

static int disk_get_capacity(struct lkl_disk disk, unsigned long long *bytes)
{
	LARGE_INTEGER size;

	if (!GetFileSizeEx(handle_of(disk), &size))
		return -LKL_EBADF;
	*bytes = size.QuadPart;
	return 0;
}

/* The host says whether it may be written to when nothing is written. */
static int disk_get_limits(struct lkl_disk disk, struct lkl_blk_limits *limits)
{
	OVERLAPPED at = { 0 };
	DWORD n;

	if (!WriteFile(handle_of(disk), "", 0, &n, &at))
		limits->flags |= LKL_BLK_READ_ONLY;
	limits->parallel = PARALLEL;
	return 0;
}

/* Read or write some bytes; returns how many were, at the end of the file less.
 */
static DWORD transfer(HANDLE file, bool write, uint64_t pos, char *buf,
		      DWORD len)
{
	DWORD done = 0, n;

	while (done < len) {
		OVERLAPPED at = {
			.Offset = (DWORD)(pos + done),
			.OffsetHigh = (pos + done) >> 32,
		};

		if (write ? !WriteFile(file, buf + done, len - done, &n, &at)
			  : !ReadFile(file, buf + done, len - done, &n, &at))
			break;
		if (!n)
			break;
		done += n;
	}
	return done;
}

static int transfer_all(HANDLE file, struct lkl_blk_req *req)
{
	bool write = req->type == LKL_DEV_BLK_TYPE_WRITE;
	uint64_t pos = req->sector * SECTOR, start = pos;

	for (int i = 0; i < req->count; i++) {
		char *buf = req->buf[i].iov_base;
		size_t len = req->buf[i].iov_len;
		DWORD n = transfer(file, write, pos, buf, len);

		pos += n;
		if (n == len)
			continue;
		/* An image may end within its last sector, but not before. */
		if (write || pos == start || pos % SECTOR == 0)
			return LKL_DEV_BLK_STATUS_IOERR;
		for (memset(buf + n, 0, len - n); ++i < req->count;)
			memset(req->buf[i].iov_base, 0, req->buf[i].iov_len);
	}
	return LKL_DEV_BLK_STATUS_OK;
}

static int disk_request(struct lkl_disk disk, struct lkl_blk_req *req)
{
	HANDLE file = handle_of(disk);

	switch (req->type) {
	case LKL_DEV_BLK_TYPE_READ:
	case LKL_DEV_BLK_TYPE_WRITE:
		return transfer_all(file, req);
	case LKL_DEV_BLK_TYPE_FLUSH:
	case LKL_DEV_BLK_TYPE_FLUSH_OUT:
		return FlushFileBuffers(file) ? LKL_DEV_BLK_STATUS_OK
					      : LKL_DEV_BLK_STATUS_IOERR;
	}
	return LKL_DEV_BLK_STATUS_UNSUP;
}

struct lkl_dev_blk_ops lkl_dev_blk_ops = {
	.get_capacity = disk_get_capacity,
	.request = disk_request,
	.get_limits = disk_get_limits,
};
