// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's files by what POSIX says, as fs.h wants them.
 *
 * POSIX has no descriptor of a thing that is not opened.  So what is to be
 * known by itself and is no directory, such as a link, is a *place*: a
 * directory and a name in it, with a number that is no descriptor.  A directory
 * must be readable to be gone through.
 *
 * There are no extended attributes, and what is sparse is found by reading it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../common/fs.h"
#include "../common/tool.h"
#include "../elsewhere/elsewhere.h"

#define RET(call)                                                              \
	({                                                                     \
		__typeof__(call) ret_ = (call);                                \
		ret_ < 0 ? -errno : ret_;                                      \
	})

/* Numbers of places begin here. */
#define PLACES (1 << 28)
#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

static struct place {
	int dir;
	char *name;
} * places;
static int place_count;

/* Directories that are being read, by their descriptors. */
static DIR **dirs;
static int dir_count;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int new_place(int dir, const char *name)
{
	struct place p = { fcntl(dir, F_DUPFD_CLOEXEC, 0), strdup(name) };
	int i;

	if (!p.name)
		tool_no_memory();
	if (p.dir < 0) {
		free(p.name);
		return -errno;
	}
	pthread_mutex_lock(&lock);
	for (i = 0; i < place_count && places[i].name; i++)
		;
	if (i == place_count) {
		place_count = 2 * place_count + 16;
		places = tool_alloc(places, place_count * sizeof(*places));
		for (int j = i; j < place_count; j++)
			places[j].name = NULL;
	}
	places[i] = p;
	pthread_mutex_unlock(&lock);
	return PLACES + i;
}

static void free_place(int number)
{
	pthread_mutex_lock(&lock);
	close(places[number - PLACES].dir);
	free(places[number - PLACES].name);
	places[number - PLACES].name = NULL;
	pthread_mutex_unlock(&lock);
}

/* What a call by name is given: the name "" means the descriptor itself. */
static void find(int *dir, const char **name)
{
	if (*dir < PLACES || **name)
		return;
	pthread_mutex_lock(&lock);
	*name = places[*dir - PLACES].name;
	*dir = places[*dir - PLACES].dir;
	pthread_mutex_unlock(&lock);
}

static int host_resolve(const char *path)
{
	return RET(open(path, OPEN_DIR));
}

static int host_open_dir(int dir, const char *name)
{
	return RET(openat(dir, name, OPEN_DIR | O_NOFOLLOW));
}

static int host_open_parent(int dir)
{
	return host_open_dir(dir, "..");
}

static int host_open_path(int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	return S_ISDIR(st.st_mode) ? host_open_dir(dir, name)
				   : new_place(dir, name);
}

/* One step further down, and not through a link. */
static int enter(int dir, const char *name)
{
	struct stat st;
	int fd = strcmp(name, "..") ? host_open_dir(dir, name) : -EXDEV;

	/* Which of two errors a link is POSIX leaves open. */
	if (fd == -ENOTDIR && !fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) &&
	    S_ISLNK(st.st_mode))
		fd = -ELOOP;
	return fd;
}

static int host_beneath(int dir, const char *path)
{
	char *copy = strdup(path), *rest, *name;
	int fd = host_open_dir(dir, ".");

	if (!copy)
		tool_no_memory();
	for (name = strtok_r(copy, "/", &rest); name && fd >= 0;
	     name = strtok_r(NULL, "/", &rest)) {
		int next = enter(fd, name);

		close(fd);
		fd = next;
	}
	free(copy);
	return fd;
}

/* A file system of the host's may do so, whatever it is. */
static bool host_folds(int dir)
{
	(void)dir;
	return true;
}

static bool host_no_inodes(int dir)
{
	struct statvfs st;

	return !fstatvfs(dir, &st) && st.f_files && !st.f_ffree && st.f_bavail;
}

/* O_NONBLOCK: the file may have been replaced by a FIFO. */
static int host_open_file(int dir, const char *name)
{
	return RET(openat(dir, name,
			  O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
}

static int host_create(int dir, const char *name, mode_t mode)
{
	return RET(openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			  mode));
}

/* The directory of a descriptor, which is made when it is read first. */
static DIR *take_dir(int fd)
{
	DIR *dir;

	pthread_mutex_lock(&lock);
	dir = fd < dir_count ? dirs[fd] : NULL;
	if (dir)
		dirs[fd] = NULL;
	pthread_mutex_unlock(&lock);
	return dir;
}

static void keep_dir(int fd, DIR *dir)
{
	pthread_mutex_lock(&lock);
	if (fd >= dir_count) {
		int count = 2 * fd + 64;

		dirs = tool_alloc(dirs, count * sizeof(*dirs));
		while (dir_count < count)
			dirs[dir_count++] = NULL;
	}
	dirs[fd] = dir;
	pthread_mutex_unlock(&lock);
}

static int host_close(int fd)
{
	DIR *dir;

	if (fd >= PLACES) {
		free_place(fd);
		return 0;
	}
	dir = take_dir(fd);
	if (dir)
		closedir(dir);
	return RET(close(fd));
}

/* The type is not known: POSIX does not tell. */
static long host_getdents(int fd, void *buf, size_t size)
{
	DIR *dir = take_dir(fd);
	size_t used = 0, len;
	struct dirent *e;
	int own;

	if (!dir) {
		own = host_open_dir(fd, ".");
		if (own < 0)
			return own;
		dir = fdopendir(own);
		if (!dir) {
			close(own);
			return -errno;
		}
	}
	errno = 0;
	/* An entry that has been read has room. */
	while (used + sizeof(struct fs_dirent) + NAME_MAX + 8 < size) {
		struct fs_dirent *to = (void *)((char *)buf + used);

		errno = 0;
		e = readdir(dir);
		if (!e)
			break;
		len = strlen(e->d_name) + 1;
		*to = (struct fs_dirent){ .d_ino = e->d_ino,
					  .d_type = DT_UNKNOWN };
		memcpy(to->d_name, e->d_name, len);
		to->d_reclen = (offsetof(struct fs_dirent, d_name) + len + 7) &
			       ~7U;
		used += to->d_reclen;
	}
	if (errno) {
		used = -errno;
		closedir(dir);
	} else {
		keep_dir(fd, dir);
	}
	return used;
}

static int host_stat(int dir, const char *name, struct stat *st)
{
	find(&dir, &name);
	return RET(*name ? fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW)
			 : fstat(dir, st));
}

static long host_pread(int fd, void *buf, size_t size, off_t off)
{
	return RET(pread(fd, buf, size, off));
}

static long host_pwrite(int fd, const void *buf, size_t size, off_t off)
{
	return RET(pwrite(fd, buf, size, off));
}

/* All of a file is data. */
static off_t host_seek(int fd, off_t off, int whence)
{
	struct stat st;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return RET(lseek(fd, off, whence));
	if (fstat(fd, &st))
		return -errno;
	if (off >= st.st_size)
		return -ENXIO;
	return whence == SEEK_DATA ? off : st.st_size;
}

static int host_truncate(int fd, off_t size)
{
	return RET(ftruncate(fd, size));
}

static long host_readlink(int dir, const char *name, char *buf, size_t size)
{
	find(&dir, &name);
	return RET(readlinkat(dir, name, buf, size));
}

static int host_symlink(const char *target, int dir, const char *name)
{
	return RET(symlinkat(target, dir, name));
}

static int host_link(int from_dir, const char *from, int dir, const char *name)
{
	return RET(linkat(from_dir, from, dir, name, 0));
}

static int host_mkdir(int dir, const char *name, mode_t mode)
{
	return RET(mkdirat(dir, name, mode));
}

static int host_mknod(int dir, const char *name, mode_t mode, dev_t dev)
{
	return RET(mknodat(dir, name, mode, dev));
}

static int host_unlink(int dir, const char *name)
{
	return RET(unlinkat(dir, name, 0));
}

static int host_rmdir(int dir, const char *name)
{
	return RET(unlinkat(dir, name, AT_REMOVEDIR));
}

static int host_chown(int dir, const char *name, uid_t uid, gid_t gid)
{
	find(&dir, &name);
	return RET(*name ? fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW)
			 : fchown(dir, uid, gid));
}

static int host_chmod(int dir, const char *name, mode_t mode)
{
	find(&dir, &name);
	return RET(*name ? fchmodat(dir, name, mode, AT_SYMLINK_NOFOLLOW)
			 : fchmod(dir, mode));
}

static int host_utime(int dir, const char *name, const struct timespec ts[2])
{
	find(&dir, &name);
	return RET(*name ? utimensat(dir, name, ts, AT_SYMLINK_NOFOLLOW)
			 : futimens(dir, ts));
}

/* POSIX lets one ask that all be written, and does not say when it is. */
static int host_sync(int dir)
{
	(void)dir;
	return -EOPNOTSUPP;
}

char *fs_host_path(char *path)
{
	return path;
}

const struct fs *fs_host(void)
{
	static struct fs fs = {
		.resolve = host_resolve,
		.beneath = host_beneath,
		.open_path = host_open_path,
		.open_parent = host_open_parent,
		.folds = host_folds,
		.no_inodes = host_no_inodes,
		.open_dir = host_open_dir,
		.open_file = host_open_file,
		.create = host_create,
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

	fs.uid = geteuid();
	fs.gid = getegid();
	return &fs;
}
