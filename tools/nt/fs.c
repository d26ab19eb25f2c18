// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's files on Windows, as fs.h wants them.
 *
 * A descriptor is an index of a table of handles.  What is below a directory
 * is opened relative to its handle, and a link is opened itself, as on Linux.
 * Names are UTF-8 here and UTF-16 there; one that Windows cannot hold, or would
 * change, is refused.
 *
 *	handle.c	the table, and what opens something
 *	data.c		contents and holes
 *	links.c		links
 *
 * Files belong to nobody that Linux knows: they have owner and group 0, and the
 * mode 0644, or 0444 with the attribute "read-only"; directories have 0755.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/fs.h"
#include "../common/tool.h"
#include "../elsewhere/elsewhere.h"
#include "nt_fs.h"

#define EPOCH 116444736000000000LL

/* Has it the type that was wanted?  Else it is closed. */
static int expect(int fd, mode_t type)
{
	struct stat st;
	int err;

	if (fd < 0)
		return fd;
	err = nt_stat_handle(nt_handle(fd), &st);
	if (!err && (st.st_mode & S_IFMT) != type)
		err = S_ISLNK(st.st_mode) ? -ELOOP
		      : type == S_IFDIR	  ? -ENOTDIR
					  : -EISDIR;
	if (!err)
		return fd;
	nt_close(fd);
	return err;
}

static int host_resolve(const char *path)
{
	wchar_t *wide = nt_path(path);
	int fd = wide ? nt_open_wide(wide, FILE_LIST_DIRECTORY | SYNCHRONIZE)
		      : -EILSEQ;

	free(wide);
	return expect(fd, S_IFDIR);
}

static int host_open_path(int dir, const char *name)
{
	return nt_open_in(dir, name, FILE_READ_ATTRIBUTES, FILE_OPEN, 0);
}

/* To write to it means to set its times. */
static int host_open_dir(int dir, const char *name)
{
	const ACCESS_MASK want = FILE_LIST_DIRECTORY | FILE_TRAVERSE |
				 FILE_READ_ATTRIBUTES | SYNCHRONIZE;
	int fd = nt_open_in(dir, name, want | FILE_WRITE_ATTRIBUTES, FILE_OPEN,
			    0);

	if (fd == -EACCES)
		fd = nt_open_in(dir, name, want, FILE_OPEN, 0);
	return expect(fd, S_IFDIR);
}

static int host_beneath(int dir, const char *path)
{
	char *copy = strdup(path), *save = NULL;
	int fd = nt_open_again(dir, FILE_LIST_DIRECTORY | SYNCHRONIZE);

	if (!copy)
		tool_no_memory();
	for (char *part = strtok_r(copy, "/", &save); part && fd >= 0;
	     part = strtok_r(NULL, "/", &save)) {
		int next = !strcmp(part, "..") ? -EXDEV
					       : host_open_dir(fd, part);

		nt_close(fd);
		fd = next;
	}
	free(copy);
	return fd;
}

static int host_open_parent(int dir)
{
	wchar_t *path = nt_path_in(dir, L""), *last;
	int fd = -EIO;

	if (path) {
		last = wcsrchr(path, '\\');
		/* the root of a drive is its own parent */
		if (last && last[1] && last > path + 3) {
			if (last[-1] == ':')
				last++;
			*last = 0;
		}
		fd = nt_open_wide(path, FILE_LIST_DIRECTORY | SYNCHRONIZE);
	}
	free(path);
	return fd;
}

static bool host_folds(int dir)
{
	(void)dir;
	return true;
}

static bool host_no_inodes(int dir)
{
	(void)dir;
	return false;
}

static int host_open_file(int dir, const char *name)
{
	return expect(nt_open_in(dir, name, FILE_GENERIC_READ, FILE_OPEN, 0),
		      S_IFREG);
}

/* The file's own contents have no name. */
static bool host_has_streams(int fd)
{
	static const wchar_t own[] = L"::$DATA";
	union {
		FILE_STREAM_INFO first;
		char room[2048];
	} all;
	FILE_STREAM_INFO *info = &all.first;

	if (!GetFileInformationByHandleEx(nt_handle(fd), FileStreamInfo, &all,
					  sizeof(all)))
		return GetLastError() == ERROR_MORE_DATA;
	while (info->StreamNameLength == sizeof(own) - sizeof(*own) &&
	       !wmemcmp(info->StreamName, own, wcslen(own))) {
		if (!info->NextEntryOffset)
			return false;
		info = (void *)((char *)info + info->NextEntryOffset);
	}
	return info->StreamNameLength;
}

static int host_create(int dir, const char *name, mode_t mode)
{
	(void)mode;
	return nt_open_in(dir, name, FILE_GENERIC_READ | FILE_GENERIC_WRITE,
			  FILE_CREATE, OPTION_NO_DIRECTORY);
}

static int host_stat(int dir, const char *name, struct stat *st)
{
	return WITH(dir, name, FILE_READ_ATTRIBUTES, fd,
		    nt_stat_handle(nt_handle(fd), st));
}

static unsigned char type_of(DWORD attributes)
{
	if (attributes & FILE_ATTRIBUTE_REPARSE_POINT)
		return DT_UNKNOWN;
	return attributes & FILE_ATTRIBUTE_DIRECTORY ? DT_DIR : DT_REG;
}

/* A name takes no more room here than with Windows, half of which is asked. */
static long host_getdents(int fd, void *buf, size_t size)
{
	FILE_ID_BOTH_DIR_INFO *all = tool_alloc(NULL, size / 2), *info = all;
	char *out = buf, *end = out + size;
	long err = 0;

	if (!GetFileInformationByHandleEx(
		    nt_handle(fd), FileIdBothDirectoryInfo, all, size / 2)) {
		if (GetLastError() != ERROR_NO_MORE_FILES)
			err = nt_error(GetLastError());
		free(all);
		return err;
	}
	for (;;) {
		struct fs_dirent *d = (void *)out;
		int n = nt_narrow(info->FileName,
				  info->FileNameLength / sizeof(wchar_t),
				  d->d_name, end - d->d_name);

		if (n < 0) {
			err = -EILSEQ;
			break;
		}
		d->d_ino = info->FileId.QuadPart;
		d->d_off = 0;
		d->d_reclen = (offsetof(struct fs_dirent, d_name) + n + 8) & -8;
		d->d_type = type_of(info->FileAttributes);
		out += d->d_reclen;
		if (!info->NextEntryOffset)
			break;
		info = (void *)((char *)info + info->NextEntryOffset);
	}
	free(all);
	return err ? err : out - (char *)buf;
}

static int remove_open(int fd)
{
	FILE_DISPOSITION_INFO gone = { TRUE };
	FILE_BASIC_INFO basic = { .FileAttributes = FILE_ATTRIBUTE_NORMAL };
	HANDLE handle = nt_handle(fd);

	if (SetFileInformationByHandle(handle, FileDispositionInfo, &gone,
				       sizeof(gone)))
		return 0;
	/* it is read-only, which does not matter on Linux */
	if (GetLastError() == ERROR_ACCESS_DENIED &&
	    SetFileInformationByHandle(handle, FileBasicInfo, &basic,
				       sizeof(basic)) &&
	    SetFileInformationByHandle(handle, FileDispositionInfo, &gone,
				       sizeof(gone)))
		return 0;
	return nt_error(GetLastError());
}

static int remove_in(int dir, const char *name, ULONG option)
{
	int fd = nt_open_in(dir, name, DELETE | FILE_WRITE_ATTRIBUTES,
			    FILE_OPEN, option);
	int err;

	if (fd < 0)
		return fd;
	err = remove_open(fd);
	nt_close(fd);
	return err;
}

static int host_unlink(int dir, const char *name)
{
	return remove_in(dir, name, OPTION_NO_DIRECTORY);
}

static int host_rmdir(int dir, const char *name)
{
	return remove_in(dir, name, OPTION_DIRECTORY);
}

static int host_mkdir(int dir, const char *name, mode_t mode)
{
	int fd = nt_open_in(dir, name, FILE_LIST_DIRECTORY, FILE_CREATE,
			    OPTION_DIRECTORY);

	(void)mode;
	return fd < 0 ? fd : nt_close(fd);
}

static int host_mknod(int dir, const char *name, mode_t mode, dev_t dev)
{
	(void)dir;
	(void)name;
	(void)mode;
	(void)dev;
	return -EPERM;
}

static int host_chown(int dir, const char *name, uid_t uid, gid_t gid)
{
	(void)dir;
	(void)name;
	return uid || gid ? -EPERM : 0;
}

static int set_basic(int fd, FILE_BASIC_INFO info)
{
	return SetFileInformationByHandle(nt_handle(fd), FileBasicInfo, &info,
					  sizeof(info))
		       ? 0
		       : nt_error(GetLastError());
}

static int set_mode(int fd, mode_t mode)
{
	FILE_BASIC_INFO info = { .FileAttributes = FILE_ATTRIBUTE_READONLY };
	struct stat st;
	int err = nt_stat_handle(nt_handle(fd), &st);

	if (err)
		return err;
	if (S_ISREG(st.st_mode) && !(mode & 0222)) {
		err = set_basic(fd, info);
		st.st_mode = S_IFREG | 0444;
	}
	if (!err && (st.st_mode & 07777) != mode)
		err = -EPERM;
	return err;
}

static int host_chmod(int dir, const char *name, mode_t mode)
{
	return WITH(dir, name, FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES, fd,
		    set_mode(fd, mode));
}

/* 0 would leave it as it is. */
static LARGE_INTEGER from_time(struct timespec t)
{
	LARGE_INTEGER n;

	n.QuadPart = 1;
	if (t.tv_sec > -EPOCH / 10000000)
		n.QuadPart = t.tv_sec * 10000000LL + t.tv_nsec / 100 + EPOCH;
	return n;
}

static int host_utime(int dir, const char *name, const struct timespec ts[2])
{
	FILE_BASIC_INFO info = {
		.LastAccessTime = from_time(ts[0]),
		.LastWriteTime = from_time(ts[1]),
	};

	return WITH(dir, name, FILE_WRITE_ATTRIBUTES, fd, set_basic(fd, info));
}

/* Windows lets only administrators wait for a whole volume. */
static int host_sync(int dir)
{
	(void)dir;
	return -EOPNOTSUPP;
}

/* How much of a path is a drive or a share, which is no name in a directory. */
static size_t root_length(const char *path)
{
	size_t len = 2;

	if (isalpha((unsigned char)*path) && path[1] == ':')
		return len;
	if (strncmp(path, "//", len) != 0)
		return 0;
	len += strcspn(path + len, "/");
	return path[len] ? len + 1 + strcspn(path + len + 1, "/") : len;
}

char *fs_host_path(char *path)
{
	size_t root;
	const char *rest;
	char *made;

	for (char *p = path; *p; p++)
		if (*p == '\\')
			*p = '/';
	root = root_length(path);
	rest = path + root;
	if (!root || (*rest == '/' && rest[strspn(rest, "/")]))
		return path;
	made = tool_alloc(NULL, strlen(path) + 5);
	if (path[1] == ':' && *rest != '/') /* in the drive's directory */
		sprintf(made, "%.2s./%s", path, *rest ? rest : ".");
	else /* a path that begins with "//?/" cannot have the dot */
		sprintf(made, "%.*s/.", (int)root, path);
	if (!strncmp(made, "//?/", 4))
		memmove(made, made + 4, strlen(made + 4) + 1);
	return made;
}

const struct fs *fs_host(void)
{
	static const struct fs fs = {
		.resolve = host_resolve,
		.beneath = host_beneath,
		.open_path = host_open_path,
		.open_parent = host_open_parent,
		.folds = host_folds,
		.no_inodes = host_no_inodes,
		.open_dir = host_open_dir,
		.open_file = host_open_file,
		.create = host_create,
		.has_streams = host_has_streams,
		.close = nt_close,
		.stat = host_stat,
		.getdents = host_getdents,
		.pread = nt_pread,
		.pwrite = nt_pwrite,
		.seek = nt_seek,
		.truncate = nt_truncate,
		.readlink = nt_readlink,
		.symlink = nt_symlink,
		.link = nt_link,
		.mkdir = host_mkdir,
		.mknod = host_mknod,
		.unlink = host_unlink,
		.rmdir = host_rmdir,
		.chown = host_chown,
		.chmod = host_chmod,
		.utime = host_utime,
		.listxattr = no_listxattr,
		.getxattr = no_getxattr,
		.setxattr = no_setxattr,
		.removexattr = no_removexattr,
		.sync = host_sync,
	};

	return &fs;
}
