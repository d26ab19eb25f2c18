// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files by their names in UTF-8, for the functions of the C library that open
 * them: archives, and lists of labels.  They may be renamed and removed while
 * they are open.
 */
/* For rand_s(). */
#define _CRT_RAND_S
#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nt_file.h"

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

static int failed(int err)
{
	errno = -err;
	return -1;
}

static DWORD disposition(int flags)
{
	if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return CREATE_NEW;
	if (flags & O_CREAT)
		return flags & O_TRUNC ? CREATE_ALWAYS : OPEN_ALWAYS;
	return flags & O_TRUNC ? TRUNCATE_EXISTING : OPEN_EXISTING;
}

int nt_open(const char *path, int flags, ...)
{
	static const DWORD access[] = { GENERIC_READ, GENERIC_WRITE,
					GENERIC_READ | GENERIC_WRITE };
	wchar_t *wide = nt_path(path);
	HANDLE file;
	int fd;

	if (!wide)
		return failed(-EINVAL);
	file = CreateFileW(wide, access[flags & O_ACCMODE], SHARE_ALL, NULL,
			   disposition(flags), FILE_FLAG_BACKUP_SEMANTICS,
			   NULL);
	free(wide);
	if (file == INVALID_HANDLE_VALUE)
		return failed(nt_error(GetLastError()));
	fd = _open_osfhandle((intptr_t)file, flags | O_BINARY);
	if (fd >= 0)
		return fd;
	CloseHandle(file);
	return failed(-EMFILE);
}

/* To read, as POSIX's mode "r" says; there is no text that is not binary. */
FILE *nt_fopen(const char *path, const char *mode)
{
	int fd = *mode == 'r' ? nt_open(path, O_RDONLY) : failed(-EINVAL);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "rb");

	if (fd >= 0 && !f)
		close(fd);
	return f;
}

int mkostemp(char *path, int flags)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	char *end = path + strlen(path) - 6;
	unsigned int number;
	int fd = -1;

	for (int tries = 0; tries < 100 && fd < 0; tries++) {
		if (rand_s(&number))
			return failed(-EIO);
		for (int i = 0; i < 6; i++, number /= 36)
			end[i] = letters[number % 36];
		fd = nt_open(path, O_RDWR | O_CREAT | O_EXCL | flags);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	return fd;
}

/* The C library takes a disk that becomes full to be something else. */
int nt_write(int fd, const void *buf, unsigned int size)
{
	DWORD n = 0;

	if (!WriteFile((HANDLE)_get_osfhandle(fd), buf, size, &n, NULL))
		return failed(nt_error(GetLastError()));
	return n || !size ? (int)n : failed(-ENOSPC);
}

int nt_fstat(int fd, struct stat *st)
{
	HANDLE file = (HANDLE)_get_osfhandle(fd);

	*st = (struct stat){ .st_nlink = 1 };
	switch (GetFileType(file)) {
	case FILE_TYPE_PIPE:
		st->st_mode = S_IFIFO | 0600;
		return 0;
	case FILE_TYPE_CHAR:
		st->st_mode = S_IFCHR | 0600;
		return 0;
	}
	/* one that was inherited to be written to may not tell more */
	if (nt_stat_handle(file, st))
		*st = (struct stat){ .st_nlink = 1, .st_mode = S_IFREG | 0200 };
	return 0;
}

int nt_access(const char *path, int mode)
{
	struct stat st;

	(void)mode;
	return nt_stat(path, &st);
}

int nt_rename(const char *from, const char *to)
{
	wchar_t *old = nt_path(from), *new = nt_path(to);
	int err = 0;

	if (!old || !new)
		err = -EINVAL;
	else if (!MoveFileExW(old, new, MOVEFILE_REPLACE_EXISTING))
		err = nt_error(GetLastError());
	free(old);
	free(new);
	return err ? failed(err) : 0;
}

int nt_unlink(const char *path)
{
	wchar_t *wide = nt_path(path);
	int err = 0;

	if (!wide)
		err = -EINVAL;
	else if (!DeleteFileW(wide))
		err = nt_error(GetLastError());
	free(wide);
	return err ? failed(err) : 0;
}

/* A line with its end, or -1 at the end of the file. */
ssize_t getline(char **line, size_t *size, FILE *f)
{
	size_t len = 0;
	int c;

	while ((c = getc(f)) != EOF) {
		if (len + 2 > *size) {
			size_t more = *size ? 2 * *size : 128;
			char *bigger = realloc(*line, more);

			if (!bigger)
				return failed(-ENOMEM);
			*line = bigger;
			*size = more;
		}
		(*line)[len++] = c;
		(*line)[len] = 0;
		if (c == '\n')
			break;
	}
	return len ? (ssize_t)len : -1;
}
