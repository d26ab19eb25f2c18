// SPDX-License-Identifier: GPL-2.0-only
/* Names, times and errors of Windows, and what is known of a file. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nt_file.h"

/* From 1601 to 1970, in 100 ns. */
#define EPOCH 116444736000000000LL

int nt_error(DWORD error)
{
	switch (error) {
	case ERROR_FILE_NOT_FOUND:
	case ERROR_PATH_NOT_FOUND:
	case ERROR_INVALID_DRIVE:
	case ERROR_BAD_PATHNAME:
	case ERROR_BAD_NETPATH:
		return -ENOENT;
	case ERROR_INVALID_NAME:
		return -EINVAL;
	case ERROR_ACCESS_DENIED:
	case ERROR_WRITE_PROTECT:
		return -EACCES;
	case ERROR_PRIVILEGE_NOT_HELD:
		return -EPERM;
	case ERROR_SHARING_VIOLATION:
	case ERROR_LOCK_VIOLATION:
	case ERROR_BUSY:
		return -EBUSY;
	case ERROR_FILE_EXISTS:
	case ERROR_ALREADY_EXISTS:
		return -EEXIST;
	case ERROR_DIR_NOT_EMPTY:
		return -ENOTEMPTY;
	case ERROR_DIRECTORY:
		return -ENOTDIR;
	case ERROR_DISK_FULL:
	case ERROR_HANDLE_DISK_FULL:
		return -ENOSPC;
	case ERROR_BROKEN_PIPE:
	case ERROR_NO_DATA:
		return -EPIPE;
	case ERROR_NOT_ENOUGH_MEMORY:
	case ERROR_OUTOFMEMORY:
		return -ENOMEM;
	case ERROR_TOO_MANY_OPEN_FILES:
		return -EMFILE;
	case ERROR_TOO_MANY_LINKS:
		return -EMLINK;
	case ERROR_FILENAME_EXCED_RANGE:
		return -ENAMETOOLONG;
	case ERROR_FILE_TOO_LARGE:
		return -EFBIG;
	case ERROR_INVALID_PARAMETER:
		return -EINVAL;
	case ERROR_NOT_SUPPORTED:
	case ERROR_INVALID_FUNCTION:
	case ERROR_CALL_NOT_IMPLEMENTED:
		return -EOPNOTSUPP;
	case ERROR_NOT_SAME_DEVICE:
		return -EXDEV;
	case ERROR_NO_UNICODE_TRANSLATION:
		return -EILSEQ;
	default:
		return -EIO;
	}
}

wchar_t *nt_wide(const char *text)
{
	int n = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1,
				    NULL, 0);
	wchar_t *wide = n > 0 ? malloc(n * sizeof(*wide)) : NULL;

	if (wide)
		MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1,
				    wide, n);
	return wide;
}

int nt_narrow(const wchar_t *text, size_t len, char *buf, size_t size)
{
	int n = len ? WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, text,
					  len, buf, size - 1, NULL, NULL)
		    : 0;

	if (len && n <= 0)
		return -1;
	buf[n] = 0;
	return n;
}

wchar_t *nt_path(const char *path)
{
	static const wchar_t prefix[] = L"\\\\?\\", unc[] = L"\\\\?\\UNC\\";
	wchar_t *wide = nt_wide(path), *full;
	DWORD n;

	if (!wide)
		return NULL;
	for (wchar_t *p = wide; *p; p++)
		if (*p == '/')
			*p = '\\';
	/* what is given in full is taken as it is: \\?\ and \\.\ */
	if (!wcsncmp(wide, L"\\\\?\\", 4) || !wcsncmp(wide, L"\\\\.\\", 4))
		return wide;
	n = GetFullPathNameW(*wide ? wide : L".", 0, NULL, NULL);
	full = n ? malloc((n + 8) * sizeof(*full)) : NULL;
	if (full) {
		wchar_t *at = full + 8;

		GetFullPathNameW(*wide ? wide : L".", n, at, NULL);
		if (!wcsncmp(at, L"\\\\.\\", 4)) {
			/* a device, as CON */
			wcscpy(full, at);
		} else if (at[0] == '\\' && at[1] == '\\') {
			memmove(full + 8, at + 2,
				(wcslen(at + 2) + 1) * sizeof(*full));
			memcpy(full, unc, 8 * sizeof(*full));
		} else {
			memmove(full + 4, at, (wcslen(at) + 1) * sizeof(*full));
			memcpy(full, prefix, 4 * sizeof(*full));
		}
	}
	free(wide);
	return full;
}

static struct timespec to_time(FILETIME t)
{
	int64_t n = ((int64_t)t.dwHighDateTime << 32 | t.dwLowDateTime) - EPOCH;
	int64_t rest = n % 10000000;

	if (rest < 0)
		rest += 10000000;
	return (struct timespec){ (n - rest) / 10000000, rest * 100 };
}

static bool is_link(HANDLE file)
{
	FILE_ATTRIBUTE_TAG_INFO info;

	return GetFileInformationByHandleEx(file, FileAttributeTagInfo, &info,
					    sizeof(info)) &&
	       (info.ReparseTag == IO_REPARSE_TAG_SYMLINK ||
		info.ReparseTag == IO_REPARSE_TAG_MOUNT_POINT);
}

int nt_stat_handle(HANDLE file, struct stat *st)
{
	BY_HANDLE_FILE_INFORMATION info;
	FILE_STANDARD_INFO more;

	if (!GetFileInformationByHandle(file, &info))
		return nt_error(GetLastError());
	*st = (struct stat){
		.st_dev = info.dwVolumeSerialNumber,
		.st_ino = (uint64_t)info.nFileIndexHigh << 32 |
			  info.nFileIndexLow,
		.st_mode = S_IFREG | 0644,
		.st_nlink = info.nNumberOfLinks,
		.st_size = (int64_t)info.nFileSizeHigh << 32 |
			   info.nFileSizeLow,
		.st_blksize = 4096,
		.st_atim = to_time(info.ftLastAccessTime),
		.st_mtim = to_time(info.ftLastWriteTime),
		.st_ctim = to_time(info.ftLastWriteTime),
	};
	st->st_blocks = (st->st_size + 511) / 512;
	if (GetFileInformationByHandleEx(file, FileStandardInfo, &more,
					 sizeof(more)))
		st->st_blocks = more.AllocationSize.QuadPart / 512;
	if (info.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT &&
	    is_link(file)) {
		st->st_mode = S_IFLNK | 0777;
	} else if (info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) {
		st->st_mode = S_IFDIR | 0755;
		st->st_nlink = 1;
	} else if (info.dwFileAttributes & FILE_ATTRIBUTE_READONLY) {
		st->st_mode = S_IFREG | 0444;
	}
	return 0;
}

int nt_stat(const char *path, struct stat *st)
{
	wchar_t *wide = nt_path(path);
	HANDLE file = INVALID_HANDLE_VALUE;
	int err = -EINVAL;

	if (wide) {
		file = CreateFileW(
			wide, FILE_READ_ATTRIBUTES,
			FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
			NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
		err = file == INVALID_HANDLE_VALUE ? nt_error(GetLastError())
						   : nt_stat_handle(file, st);
	}
	if (file != INVALID_HANDLE_VALUE)
		CloseHandle(file);
	free(wide);
	if (err)
		errno = -err;
	return err ? -1 : 0;
}
