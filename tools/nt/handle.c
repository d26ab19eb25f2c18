// SPDX-License-Identifier: GPL-2.0-only
/* What is open on Windows: a descriptor is an index of a table of handles. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../common/escape.h"
#include "../common/tool.h"
#include "nt_fs.h"
/* After windows.h. */
#include <winternl.h>

/* Missing in winternl.h. */
#define OPTION_SYNCHRONOUS 0x20
#define OPTION_BACKUP 0x4000
#define OPTION_LINK_ITSELF 0x200000

/*
 * @end: of a file that is written, where its data ends
 * @sparse: it may have holes
 */
struct open_file {
	HANDLE handle;
	int64_t end;
	bool sparse;
};

static struct open_file *files;
static int file_count;
static pthread_mutex_t files_lock = PTHREAD_MUTEX_INITIALIZER;

int nt_fd(HANDLE handle)
{
	int fd;

	pthread_mutex_lock(&files_lock);
	for (fd = 0; fd < file_count && files[fd].handle; fd++)
		;
	if (fd == file_count) {
		file_count = 2 * file_count + 64;
		files = tool_alloc(files, file_count * sizeof(*files));
		memset(files + fd, 0, (file_count - fd) * sizeof(*files));
	}
	files[fd] = (struct open_file){ .handle = handle };
	pthread_mutex_unlock(&files_lock);
	return fd;
}

HANDLE nt_handle(int fd)
{
	HANDLE handle;

	pthread_mutex_lock(&files_lock);
	handle = files[fd].handle;
	pthread_mutex_unlock(&files_lock);
	return handle;
}

int nt_close(int fd)
{
	HANDLE handle = nt_handle(fd);

	pthread_mutex_lock(&files_lock);
	files[fd].handle = NULL;
	pthread_mutex_unlock(&files_lock);
	return CloseHandle(handle) ? 0 : nt_error(GetLastError());
}

bool nt_leaves_gap(int fd, int64_t off)
{
	bool gap;

	pthread_mutex_lock(&files_lock);
	gap = off > files[fd].end && !files[fd].sparse;
	files[fd].sparse |= gap;
	pthread_mutex_unlock(&files_lock);
	return gap;
}

void nt_has_written(int fd, int64_t end)
{
	pthread_mutex_lock(&files_lock);
	if (end > files[fd].end)
		files[fd].end = end;
	pthread_mutex_unlock(&files_lock);
}

wchar_t *nt_path_in(int dir, const wchar_t *name)
{
	HANDLE handle = nt_handle(dir);
	DWORD n = GetFinalPathNameByHandleW(handle, NULL, 0, 0);
	wchar_t *path = n ? malloc((n + wcslen(name) + 2) * sizeof(*path))
			  : NULL;

	if (!path)
		return NULL;
	GetFinalPathNameByHandleW(handle, path, n, 0);
	n = wcslen(path);
	if (*name && path[n - 1] != '\\')
		path[n++] = '\\';
	wcscpy(path + n, name);
	return path;
}

int nt_open_wide(const wchar_t *path, DWORD access)
{
	HANDLE handle = CreateFileW(path, access, SHARE_ALL, NULL,
				    OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS,
				    NULL);

	return handle == INVALID_HANDLE_VALUE ? nt_error(GetLastError())
					      : nt_fd(handle);
}

int nt_open_again(int dir, DWORD access)
{
	wchar_t *path = nt_path_in(dir, L"");
	int fd = path ? nt_open_wide(path, access) : -EIO;

	free(path);
	return fd;
}

int nt_open_in(int dir, const char *name, ACCESS_MASK access, ULONG disposition,
	       ULONG options)
{
	OBJECT_ATTRIBUTES attr = { .Length = sizeof(attr) };
	IO_STATUS_BLOCK iosb;
	UNICODE_STRING text;
	NTSTATUS status;
	HANDLE handle;
	wchar_t *wide;

	if (!strcmp(name, "."))
		return nt_open_again(dir, access);
	wide = nt_wide(name);
	if (!wide)
		return -EILSEQ;
	if (!escape_is_none(name)) {
		free(wide);
		return disposition == FILE_CREATE ? -EINVAL : -ENOENT;
	}
	text.Buffer = wide;
	text.Length = wcslen(wide) * sizeof(*wide);
	text.MaximumLength = text.Length;
	attr.RootDirectory = nt_handle(dir);
	attr.ObjectName = &text;
	attr.Attributes = OBJ_CASE_INSENSITIVE;
	status = NtCreateFile(&handle, access | SYNCHRONIZE, &attr, &iosb, NULL,
			      FILE_ATTRIBUTE_NORMAL, SHARE_ALL, disposition,
			      options | OPTION_SYNCHRONOUS | OPTION_BACKUP |
				      OPTION_LINK_ITSELF,
			      NULL, 0);
	free(wide);
	return status < 0 ? nt_error(RtlNtStatusToDosError(status))
			  : nt_fd(handle);
}
