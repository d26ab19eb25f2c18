// SPDX-License-Identifier: GPL-2.0-only
/*
 * The default disk back end on Windows: an image file or a raw disk by its
 * descriptor of the C library, which was opened with O_BINARY.
 *
 * A raw disk wants whole sectors, and has no size as files do.
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

static bool is_there(HANDLE file, uint64_t unit)
{
	char buf[SECTOR];

	return transfer(file, false, unit * SECTOR, buf, SECTOR) == SECTOR;
}

/* Of a device that does not tell, as those of Wine: where reading ends. */
static uint64_t read_size(HANDLE file)
{
	uint64_t low = 0, high = 1;

	while (high < 1ULL << 50 && is_there(file, high - 1)) {
		low = high;
		high *= 2;
	}
	while (low + 1 < high) {
		uint64_t middle = low + (high - low) / 2;

		if (is_there(file, middle - 1))
			low = middle;
		else
			high = middle;
	}
	return low * SECTOR;
}

static int disk_get_capacity(struct lkl_disk disk, unsigned long long *bytes)
{
	HANDLE file = handle_of(disk);
	GET_LENGTH_INFORMATION length;
	LARGE_INTEGER size;
	DWORD n;

	if (GetFileType(file) != FILE_TYPE_DISK)
		return -LKL_ENOTBLK;
	if (GetFileSizeEx(file, &size) && size.QuadPart)
		*bytes = size.QuadPart;
	else if (DeviceIoControl(file, IOCTL_DISK_GET_LENGTH_INFO, NULL, 0,
				 &length, sizeof(length), &n, NULL))
		*bytes = length.Length.QuadPart;
	else
		*bytes = read_size(file);
	return 0;
}

/* The host says whether it may be written to when nothing is written. */
static int disk_get_limits(struct lkl_disk disk, struct lkl_blk_limits *limits)
{
	HANDLE file = handle_of(disk);
	OVERLAPPED at = { 0 };
	DISK_GEOMETRY disk_has;
	DWORD n;

	if (!WriteFile(file, "", 0, &n, &at))
		limits->flags |= LKL_BLK_READ_ONLY;
	if (DeviceIoControl(file, IOCTL_DISK_GET_DRIVE_GEOMETRY, NULL, 0,
			    &disk_has, sizeof(disk_has), &n, NULL))
		limits->block_size = disk_has.BytesPerSector;
	limits->parallel = PARALLEL;
	return 0;
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
