// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's files on Windows, as fs.h wants them.
 *
 * A descriptor is an index of a table of handles.  What is below a directory
 * is opened relative to its handle, and a link is opened itself, as on Linux.
 * Names are UTF-8 here and UTF-16 there; one that Windows cannot hold, or would
 * change, is refused.
 *
 * Files belong to nobody that Linux knows: they have owner and group 0, and the
 * mode 0644, or 0444 with the attribute "read-only"; directories have 0755.
 */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/escape.h"
#include "../common/fs.h"
#include "../common/tool.h"
#include "../elsewhere/elsewhere.h"
#include "nt_file.h"
/* After windows.h. */
#include <winioctl.h>
#include <winternl.h>

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
#define EPOCH 116444736000000000LL

/* Missing in winternl.h. */
#define OPTION_DIRECTORY 0x1
#define OPTION_SYNCHRONOUS 0x20
#define OPTION_NO_DIRECTORY 0x40
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

static int new_fd(HANDLE handle)
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

static HANDLE handle_of(int fd)
{
	HANDLE handle;

	pthread_mutex_lock(&files_lock);
	handle = files[fd].handle;
	pthread_mutex_unlock(&files_lock);
	return handle;
}

static int host_close(int fd)
{
	HANDLE handle = handle_of(fd);

	pthread_mutex_lock(&files_lock);
	files[fd].handle = NULL;
	pthread_mutex_unlock(&files_lock);
	return CloseHandle(handle) ? 0 : nt_error(GetLastError());
}

/* The path of something in an open directory, to be freed, or NULL. */
static wchar_t *path_in(int dir, const wchar_t *name)
{
	HANDLE handle = handle_of(dir);
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

static int open_wide(const wchar_t *path, DWORD access)
{
	HANDLE handle = CreateFileW(path, access, SHARE_ALL, NULL,
				    OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS,
				    NULL);

	return handle == INVALID_HANDLE_VALUE ? nt_error(GetLastError())
					      : new_fd(handle);
}

static int open_again(int dir, DWORD access)
{
	wchar_t *path = path_in(dir, L"");
	int fd = path ? open_wide(path, access) : -EIO;

	free(path);
	return fd;
}

/* Open or make something in a directory. */
static int open_in(int dir, const char *name, ACCESS_MASK access,
		   ULONG disposition, ULONG options)
{
	OBJECT_ATTRIBUTES attr = { .Length = sizeof(attr) };
	IO_STATUS_BLOCK iosb;
	UNICODE_STRING text;
	NTSTATUS status;
	HANDLE handle;
	wchar_t *wide;

	if (!strcmp(name, "."))
		return open_again(dir, access);
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
	attr.RootDirectory = handle_of(dir);
	attr.ObjectName = &text;
	attr.Attributes = OBJ_CASE_INSENSITIVE;
	status = NtCreateFile(&handle, access | SYNCHRONIZE, &attr, &iosb, NULL,
			      FILE_ATTRIBUTE_NORMAL, SHARE_ALL, disposition,
			      options | OPTION_SYNCHRONOUS | OPTION_BACKUP |
				      OPTION_LINK_ITSELF,
			      NULL, 0);
	free(wide);
	return status < 0 ? nt_error(RtlNtStatusToDosError(status))
			  : new_fd(handle);
}

/* Has it the type that was wanted?  Else it is closed. */
static int expect(int fd, mode_t type)
{
	struct stat st;
	int err;

	if (fd < 0)
		return fd;
	err = nt_stat_handle(handle_of(fd), &st);
	if (!err && (st.st_mode & S_IFMT) != type)
		err = S_ISLNK(st.st_mode) ? -ELOOP
		      : type == S_IFDIR	  ? -ENOTDIR
					  : -EISDIR;
	if (!err)
		return fd;
	host_close(fd);
	return err;
}

static int host_resolve(const char *path)
{
	wchar_t *wide = nt_path(path);
	int fd = wide ? open_wide(wide, FILE_LIST_DIRECTORY | SYNCHRONIZE)
		      : -EILSEQ;

	free(wide);
	return expect(fd, S_IFDIR);
}

static int host_open_path(int dir, const char *name)
{
	return open_in(dir, name, FILE_READ_ATTRIBUTES, FILE_OPEN, 0);
}

/* To write to it means to set its times. */
static int host_open_dir(int dir, const char *name)
{
	const ACCESS_MASK want = FILE_LIST_DIRECTORY | FILE_TRAVERSE |
				 FILE_READ_ATTRIBUTES | SYNCHRONIZE;
	int fd = open_in(dir, name, want | FILE_WRITE_ATTRIBUTES, FILE_OPEN, 0);

	if (fd == -EACCES)
		fd = open_in(dir, name, want, FILE_OPEN, 0);
	return expect(fd, S_IFDIR);
}

static int host_beneath(int dir, const char *path)
{
	char *copy = strdup(path), *save = NULL;
	int fd = open_again(dir, FILE_LIST_DIRECTORY | SYNCHRONIZE);

	if (!copy)
		tool_no_memory();
	for (char *part = strtok_r(copy, "/", &save); part && fd >= 0;
	     part = strtok_r(NULL, "/", &save)) {
		int next = !strcmp(part, "..") ? -EXDEV
					       : host_open_dir(fd, part);

		host_close(fd);
		fd = next;
	}
	free(copy);
	return fd;
}

static int host_open_parent(int dir)
{
	wchar_t *path = path_in(dir, L""), *last;
	int fd = -EIO;

	if (path) {
		last = wcsrchr(path, '\\');
		/* the root of a drive is its own parent */
		if (last && last[1] && last > path + 3) {
			if (last[-1] == ':')
				last++;
			*last = 0;
		}
		fd = open_wide(path, FILE_LIST_DIRECTORY | SYNCHRONIZE);
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
	return expect(open_in(dir, name, FILE_GENERIC_READ, FILE_OPEN, 0),
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

	if (!GetFileInformationByHandleEx(handle_of(fd), FileStreamInfo, &all,
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
	return open_in(dir, name, FILE_GENERIC_READ | FILE_GENERIC_WRITE,
		       FILE_CREATE, OPTION_NO_DIRECTORY);
}

/* Do something with what a name, or "", stands for. */
#define WITH(dir, name, access, fd, act)                                       \
	({                                                                     \
		int fd = *(name) ? open_in(dir, name, access, FILE_OPEN, 0)    \
				 : (dir);                                      \
		int done_ = fd < 0 ? fd : (act);                               \
		if (*(name) && fd >= 0)                                        \
			host_close(fd);                                        \
		done_;                                                         \
	})

static int host_stat(int dir, const char *name, struct stat *st)
{
	return WITH(dir, name, FILE_READ_ATTRIBUTES, fd,
		    nt_stat_handle(handle_of(fd), st));
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
		    handle_of(fd), FileIdBothDirectoryInfo, all, size / 2)) {
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

static long host_pread(int fd, void *buf, size_t size, off_t off)
{
	OVERLAPPED at = { .Offset = (DWORD)off, .OffsetHigh = off >> 32 };
	DWORD n = 0;

	if (ReadFile(handle_of(fd), buf, size, &n, &at) ||
	    GetLastError() == ERROR_HANDLE_EOF)
		return n;
	return nt_error(GetLastError());
}

/* What lies between is a hole, if the file system can have some. */
static void make_sparse(int fd, int64_t off)
{
	HANDLE handle = handle_of(fd);
	DWORD n;

	pthread_mutex_lock(&files_lock);
	if (off > files[fd].end && !files[fd].sparse) {
		files[fd].sparse = true;
		DeviceIoControl(handle, FSCTL_SET_SPARSE, NULL, 0, NULL, 0, &n,
				NULL);
	}
	pthread_mutex_unlock(&files_lock);
}

static long host_pwrite(int fd, const void *buf, size_t size, off_t off)
{
	OVERLAPPED at = { .Offset = (DWORD)off, .OffsetHigh = off >> 32 };
	DWORD n = 0;

	make_sparse(fd, off);
	if (!WriteFile(handle_of(fd), buf, size, &n, &at))
		return nt_error(GetLastError());
	pthread_mutex_lock(&files_lock);
	if (off + n > files[fd].end)
		files[fd].end = off + n;
	pthread_mutex_unlock(&files_lock);
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

static off_t host_seek(int fd, off_t off, int whence)
{
	FILE_ALLOCATED_RANGE_BUFFER range;
	int64_t begin = off, end;
	struct stat st;
	bool any;
	int err = nt_stat_handle(handle_of(fd), &st);

	if (err)
		return err;
	if (whence == SEEK_END)
		return st.st_size + off;
	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return off;
	if (off >= st.st_size)
		return -ENXIO;
	end = st.st_size;
	if (next_data(handle_of(fd), off, st.st_size, &range, &any)) {
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

static int host_truncate(int fd, off_t size)
{
	FILE_END_OF_FILE_INFO info = { .EndOfFile.QuadPart = size };

	make_sparse(fd, size);
	return SetFileInformationByHandle(handle_of(fd), FileEndOfFileInfo,
					  &info, sizeof(info))
		       ? 0
		       : nt_error(GetLastError());
}

static int remove_open(int fd)
{
	FILE_DISPOSITION_INFO gone = { TRUE };
	FILE_BASIC_INFO basic = { .FileAttributes = FILE_ATTRIBUTE_NORMAL };
	HANDLE handle = handle_of(fd);

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
	int fd = open_in(dir, name, DELETE | FILE_WRITE_ATTRIBUTES, FILE_OPEN,
			 option);
	int err;

	if (fd < 0)
		return fd;
	err = remove_open(fd);
	host_close(fd);
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
	int fd = open_in(dir, name, FILE_LIST_DIRECTORY, FILE_CREATE,
			 OPTION_DIRECTORY);

	(void)mode;
	return fd < 0 ? fd : host_close(fd);
}

static int host_mknod(int dir, const char *name, mode_t mode, dev_t dev)
{
	(void)dir;
	(void)name;
	(void)mode;
	(void)dev;
	return -EPERM;
}

/* What a reparse point of a link holds. */
struct link_data {
	DWORD tag;
	WORD size, unused;
	WORD name, name_size, shown, shown_size;
	wchar_t text[MAXIMUM_REPARSE_DATA_BUFFER_SIZE / sizeof(wchar_t)];
};

static int read_link(HANDLE handle, char *buf, size_t size)
{
	struct link_data *data = tool_alloc(NULL, sizeof(*data));
	const wchar_t *text = data->text;
	DWORD got = 0;
	int n = -EINVAL;

	if (!DeviceIoControl(handle, FSCTL_GET_REPARSE_POINT, NULL, 0, data,
			     sizeof(*data), &got, NULL))
		n = nt_error(GetLastError());
	else if (data->tag == IO_REPARSE_TAG_SYMLINK)
		text += 2; /* flags */
	else if (data->tag != IO_REPARSE_TAG_MOUNT_POINT)
		got = 0;
	if (got) {
		n = nt_narrow(text + data->shown / sizeof(*text),
			      data->shown_size / sizeof(*text), buf, size);
		for (int i = 0; i < n; i++)
			if (buf[i] == '\\')
				buf[i] = '/';
		if (n < 0)
			n = -ENAMETOOLONG;
	}
	free(data);
	return n;
}

static long host_readlink(int dir, const char *name, char *buf, size_t size)
{
	return WITH(dir, name, FILE_READ_ATTRIBUTES, fd,
		    read_link(handle_of(fd), buf, size));
}

/* By default only administrators may make them. */
static int host_symlink(const char *target, int dir, const char *name)
{
	wchar_t *to = nt_wide(target), *wide = nt_wide(name);
	wchar_t *path = wide ? path_in(dir, wide) : NULL;
	DWORD flags = SYMBOLIC_LINK_FLAG_ALLOW_UNPRIVILEGED_CREATE;
	int err = 0;

	if (!to || !wide)
		err = -EILSEQ;
	else if (!escape_is_none(name) || strchr(target, '\\'))
		err = -EINVAL;
	else if (!path)
		err = -EIO;
	if (!err) {
		for (wchar_t *p = to; *p; p++)
			if (*p == '/')
				*p = '\\';
		if (!CreateSymbolicLinkW(path, to, flags))
			err = nt_error(GetLastError());
		/* Wine says that it has made one */
		else if (GetFileAttributesW(path) == INVALID_FILE_ATTRIBUTES)
			err = -EPERM;
	}
	free(path);
	free(wide);
	free(to);
	return err;
}

static int host_link(int from_dir, const char *from, int dir, const char *name)
{
	wchar_t *old_name = nt_wide(from), *new_name = nt_wide(name);
	wchar_t *old = old_name ? path_in(from_dir, old_name) : NULL;
	wchar_t *new = new_name ? path_in(dir, new_name) : NULL;
	int err = 0;

	if (!old_name || !new_name)
		err = -EILSEQ;
	else if (!escape_is_none(name))
		err = -EINVAL;
	else if (!old || !new)
		err = -EIO;
	else if (!CreateHardLinkW(new, old, NULL))
		err = nt_error(GetLastError());
	free(old_name);
	free(new_name);
	free(old);
	free(new);
	return err;
}

static int host_chown(int dir, const char *name, uid_t uid, gid_t gid)
{
	(void)dir;
	(void)name;
	return uid || gid ? -EPERM : 0;
}

static int set_basic(int fd, FILE_BASIC_INFO info)
{
	return SetFileInformationByHandle(handle_of(fd), FileBasicInfo, &info,
					  sizeof(info))
		       ? 0
		       : nt_error(GetLastError());
}

static int set_mode(int fd, mode_t mode)
{
	FILE_BASIC_INFO info = { .FileAttributes = FILE_ATTRIBUTE_READONLY };
	struct stat st;
	int err = nt_stat_handle(handle_of(fd), &st);

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

char *fs_host_path(char *path)
{
	size_t len = strlen(path);

	for (char *p = path; *p; p++)
		if (*p == '\\')
			*p = '/';
	/* a drive, which has no name of its own */
	if (len >= 2 && path[1] == ':' &&
	    (!path[2] || !strcmp(path + 2, "/"))) {
		char *root = tool_alloc(NULL, 5);

		snprintf(root, 5, "%c:/.", *path);
		return root;
	}
	return path;
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
		.close = host_close,
		.stat = host_stat,
		.getdents = host_getdents,
		.pread = host_pread,
		.pwrite = host_pwrite,
		.seek = host_seek,
		.truncate = host_truncate,
		.readlink = host_readlink,
		.symlink = host_symlink,
		.link = host_link,
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
