// SPDX-License-Identifier: GPL-2.0-only
/* What is in the files of Windows, and where their holes are. */
#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include "nt_fs.h"
/* After windows.h. */
#include <winioctl.h>

long nt_pread(int fd, void *buf, size_t size, off_t off)
{
	OVERLAPPED at = { .Offset = (DWORD)off, .OffsetHigh = off >> 32 };
	DWORD n = 0;

	if (ReadFile(nt_handle(fd), buf, size, &n, &at) ||
	    GetLastError() == ERROR_HANDLE_EOF)
		return n;
	return nt_error(GetLastError());
}

/* What lies between is a hole, if the file system can have some. */
static void make_sparse(int fd, int64_t off)
{
	DWORD n;

	if (nt_leaves_gap(fd, off))
		DeviceIoControl(nt_handle(fd), FSCTL_SET_SPARSE, NULL, 0, NULL,
				0, &n, NULL);
}

long nt_pwrite(int fd, const void *buf, size_t size, off_t off)
{
	OVERLAPPED at = { .Offset = (DWORD)off, .OffsetHigh = off >> 32 };
	DWORD n = 0;

	make_sparse(fd, off);
	if (!WriteFile(nt_handle(fd), buf, size, &n, &at))
		return nt_error(GetLastError());
	nt_has_written(fd, off + n);
	return n;
}

/* Where the next data is and how much; nothing where that is not known. */
static bool next_data(HANDLE handle, int64_t off, int64_t end,
		      FILE_ALLOCATED_RANGE_BUFFER *found, bool *any)
{
	FILE_ALLOCATED_RANGE_BUFFER ask;
	DWORD n = 0;

	ask.FileOffset.QuadPart = off;
	ask.Length.QuadPart = end - off;
	if (!DeviceIoControl(handle, FSCTL_QUERY_ALLOCATED_RANGES, &ask,
			     sizeof(ask), found, sizeof(*found), &n, NULL) &&
	    GetLastError() != ERROR_MORE_DATA)
		return false;
	*any = n == sizeof(*found);
	return true;
}

off_t nt_seek(int fd, off_t off, int whence)
{
	FILE_ALLOCATED_RANGE_BUFFER range;
	int64_t begin = off, end;
	struct stat st;
	bool any;
	int err = nt_stat_handle(nt_handle(fd), &st);

	if (err)
		return err;
	if (whence == SEEK_END)
		return st.st_size + off;
	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return off;
	if (off >= st.st_size)
		return -ENXIO;
	end = st.st_size;
	if (next_data(nt_handle(fd), off, st.st_size, &range, &any)) {
		if (!any)
			return whence == SEEK_DATA ? -ENXIO : off;
		if (range.FileOffset.QuadPart > off)
			begin = range.FileOffset.QuadPart;
		end = range.FileOffset.QuadPart + range.Length.QuadPart;
	}
	if (whence == SEEK_DATA)
		return begin;
	if (begin > off)
		return off;
	return end < st.st_size ? end : st.st_size;
}

int nt_truncate(int fd, off_t size)
{
	FILE_END_OF_FILE_INFO info = { .EndOfFile.QuadPart = size };

	make_sparse(fd, size);
	return SetFileInformationByHandle(nt_handle(fd), FileEndOfFileInfo,
					  &info, sizeof(info))
		       ? 0
		       : nt_error(GetLastError());
}
