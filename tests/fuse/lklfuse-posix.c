// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a mount by lklfuse does is what POSIX and Linux say a file system does.
 */
#include <dirent.h>
#include <linux/fs.h>
#include <linux/posix_acl_xattr.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "fuse.h"

static void test_links(void)
{
	struct stat st;
	char target[16];

	close(make("a", "text"));
	SYS(link("a", "b"));
	ERR(link("a", "b"), EEXIST);
	EQ(stat_of("a").st_nlink, 2);
	EQ(stat_of("a").st_ino, stat_of("b").st_ino);
	SYS(unlink("a"));
	ERR(lstat("a", &st), ENOENT);
	EQ(stat_of("b").st_nlink, 1);
	holds("b", "text");
	SYS(symlink("b", "s"));
	EQ(readlink("s", target, sizeof(target)), 1);
	EQ(stat_of("s").st_size, 1);
	holds("s", "text");
	SYS(linkat(AT_FDCWD, "s", AT_FDCWD, "t", 0));
	CHECK(S_ISLNK(stat_of("t").st_mode));
	SYS(symlink("loop", "loop"));
	ERR(open("loop", O_RDONLY), ELOOP);
	ERR(link(".", "dir"), EPERM);
}

static void test_rename(void)
{
	int fd = make("a", "a"), old = make("b", "b");
	char c;

	ERR(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_NOREPLACE), EEXIST);
	SYS(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_EXCHANGE));
	holds("a", "b");
	holds("b", "a");
	SYS(renameat2(AT_FDCWD, "a", AT_FDCWD, "c", RENAME_NOREPLACE));
	SYS(rename("b", "c"));
	holds("c", "a");
	/* the replaced file is still there through an open descriptor */
	EQ(pread(old, &c, 1, 0), 1);
	EQ(c, 'b');
	EQ(pread(fd, &c, 1, 0), 1);
	EQ(c, 'a');
	SYS(mkdir("d", 0755));
	SYS(mkdir("e", 0755));
	close(make("e/f", ""));
	CHECK(rename("d", "e") && (errno == ENOTEMPTY || errno == EEXIST));
	ERR(rename("c", "e"), EISDIR);
	ERR(rename("e", "e/g"), EINVAL);
	SYS(rename("e", "d"));
	EQ(stat_of("d/f").st_size, 0);
	EQ(stat_of(".").st_nlink == 1 || stat_of(".").st_nlink == 3, 1);
}

static void test_unlinked(void)
{
	int fd = make("a", "still here"), dir;
	char buf[16];
	struct stat st;

	SYS(unlink("a"));
	SYS(mkdir("gone", 0755));
	dir = SYS(open("gone", O_RDONLY));
	SYS(rmdir("gone"));
	make_many("many", 5000);
	SYS(fstat(fd, &st));
	EQ(st.st_nlink, 0);
	EQ(pread(fd, buf, sizeof(buf), 0), 10);
	EQ(pwrite(fd, "now", 3, 10), 3);
	EQ(pread(fd, buf, sizeof(buf), 0), 13);
	SYS(fchmod(fd, 0600));
	SYS(fstat(fd, &st));
	EQ(st.st_mode, S_IFREG | 0600);
	ERR(openat(dir, "x", O_CREAT | O_RDWR, 0600), ENOENT);
}

static void test_append(void)
{
	int a = SYS(open("a", O_WRONLY | O_CREAT | O_APPEND, 0644));
	int b = SYS(open("a", O_WRONLY | O_APPEND));

	EQ(write(a, "1", 1), 1);
	EQ(write(b, "2", 1), 1);
	EQ(write(a, "3", 1), 1);
	holds("a", "123");
	ERR(open("a", O_WRONLY | O_CREAT | O_EXCL, 0644), EEXIST);
	close(SYS(open("a", O_WRONLY | O_TRUNC)));
	EQ(stat_of("a").st_size, 0);
	EQ(write(b, "4", 1), 1);
	holds("a", "4");
}

static void test_truncate(void)
{
	int fd = make("a", "0123456789");
	char buf[10001];

	SYS(ftruncate(fd, 5));
	SYS(ftruncate(fd, 10000));
	EQ(pread(fd, buf, sizeof(buf), 0), 10000);
	CHECK(!memcmp(buf, "01234", 5));
	for (int i = 5; i < 10000; i++)
		EQ(buf[i], 0);
	SYS(truncate("a", 1));
	EQ(stat_of("a").st_size, 1);
	ERR(truncate(".", 0), EISDIR);
	ERR(ftruncate(fd, -1), EINVAL);
}

static void test_holes(void)
{
	int fd = SYS(open("a", O_RDWR | O_CREAT, 0644));
	const off_t mb = 1 << 20;

	EQ(pwrite(fd, "x", 1, 2 * mb), 1);
	SYS(ftruncate(fd, 4 * mb));
	EQ(lseek(fd, 0, SEEK_DATA), 2 * mb);
	EQ(lseek(fd, 0, SEEK_HOLE), 0);
	CHECK(lseek(fd, 2 * mb, SEEK_HOLE) < 3 * mb);
	ERR(lseek(fd, 3 * mb, SEEK_DATA), ENXIO);
	EQ(lseek(fd, 0, SEEK_END), 4 * mb);
	SYS(fsync(fd));
	CHECK(stat_of("a").st_blocks * 512 < mb);
	SYS(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 8 * mb));
	EQ(stat_of("a").st_size, 4 * mb);
	CHECK(stat_of("a").st_blocks * 512 >= 7 * mb);
	SYS(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
		      4 * mb));
	ERR(lseek(fd, 0, SEEK_DATA), ENXIO);
	SYS(fallocate(fd, 0, 0, 5 * mb));
	EQ(stat_of("a").st_size, 5 * mb);
}

static void test_copy_range(void)
{
	int from = make("a", "0123456789"), to = make("b", "abcdefghij");
	loff_t in = 2, out = 5;

	EQ(SYS(copy_file_range(from, &in, to, &out, 3, 0)), 3);
	EQ(in, 5);
	EQ(out, 8);
	holds("b", "abcde234ij");
}

static void test_xattr(void)
{
	static char big[2000], got[4000];

	close(make("a", ""));
	SYS(symlink("a", "s"));
	SYS(setxattr("a", "user.one", "1", 1, XATTR_CREATE));
	ERR(setxattr("a", "user.one", "2", 1, XATTR_CREATE), EEXIST);
	ERR(setxattr("a", "user.two", "2", 1, XATTR_REPLACE), ENODATA);
	SYS(setxattr("a", "user.one", "", 0, XATTR_REPLACE));
	EQ(getxattr("a", "user.one", got, sizeof(got)), 0);
	memset(big, 'x', sizeof(big));
	SYS(setxattr("a", "user.big", big, sizeof(big), 0));
	EQ(getxattr("a", "user.big", NULL, 0), sizeof(big));
	ERR(getxattr("a", "user.big", got, 10), ERANGE);
	EQ(getxattr("a", "user.big", got, sizeof(got)), sizeof(big));
	CHECK(!memcmp(big, got, sizeof(big)));
	EQ(listxattr("a", got, sizeof(got)), sizeof("user.one") * 2);
	SYS(removexattr("a", "user.big"));
	ERR(getxattr("a", "user.big", got, sizeof(got)), ENODATA);
	ERR(lsetxattr("s", "user.one", "1", 1, 0), EPERM);
	SYS(setxattr(".", "user.dir", "1", 1, 0));
	EQ(getxattr(".", "user.dir", got, sizeof(got)), 1);
}

struct acl {
	struct posix_acl_xattr_header header;
	struct posix_acl_xattr_entry entries[5];
};

/* rw for the owner, rwx for user 1234, r for the group, mask rwx. */
static const struct acl acl = {
	{ 2 },
	{ { 0x01, 6, -1 },
	  { 0x02, 7, 1234 },
	  { 0x04, 4, -1 },
	  { 0x10, 7, -1 },
	  { 0x20, 0, -1 } },
};

static void test_acl(void)
{
	struct acl got;

	close(make("a", ""));
	SYS(setxattr("a", "system.posix_acl_access", &acl, sizeof(acl), 0));
	EQ(stat_of("a").st_mode & 0777, 0670);
	SYS(chmod("a", 0640));
	EQ(getxattr("a", "system.posix_acl_access", &got, sizeof(got)),
	   sizeof(got));
	EQ(got.entries[3].e_perm, 4); /* the mask */
	EQ(got.entries[1].e_id, 1234);
	SYS(mkdir("d", 0755));
	SYS(setxattr("d", "system.posix_acl_default", &acl, sizeof(acl), 0));
	umask(077);
	close(make("d/f", ""));
	/* a default ACL goes before the umask */
	EQ(stat_of("d/f").st_mode & 0777, 0640);
	SYS(mkdir("d/e", 0777));
	EQ(getxattr("d/e", "system.posix_acl_default", &got, sizeof(got)),
	   sizeof(got));
	close(make("f", ""));
	EQ(stat_of("f").st_mode & 0777, 0600);
	if (geteuid())
		return;
	/* user 1234 may, 1235 may not */
	SYS(chmod("a", 0670));
	SYS(setegid(999));
	SYS(seteuid(1235));
	ERR(access("a", F_OK) ?: open("a", O_RDWR), EACCES);
	SYS(seteuid(0));
	SYS(seteuid(1234));
	close(SYS(open("a", O_RDWR)));
	SYS(seteuid(0));
}

static void test_modes(void)
{
	struct stat st;
	int fd;

	umask(022);
	fd = SYS(open("a", O_RDWR | O_CREAT, 06777));
	SYS(fstat(fd, &st));
	EQ(st.st_mode & 07777, 06755);
	EQ(st.st_uid, geteuid());
	SYS(mkdir("d", 01777));
	EQ(stat_of("d").st_mode & 07777, 01755);
	SYS(mkfifo("p", 0640));
	CHECK(S_ISFIFO(stat_of("p").st_mode));
	if (geteuid())
		return;
	SYS(mknod("n", S_IFCHR | 0600, makedev(1, 3)));
	EQ(stat_of("n").st_rdev, makedev(1, 3));
	/* writing keeps root's set-user-id bit, and takes away others' */
	EQ(pwrite(fd, "x", 1, 0), 1);
	EQ(stat_of("a").st_mode & 07777, 06755);
	SYS(fchown(fd, 1234, 1235));
	EQ(stat_of("a").st_mode & 07777, 0755);
	SYS(fchmod(fd, 06755));
	SYS(chmod(".", 0777));
	SYS(mkdir("g", 0777));
	SYS(chmod("g", 02777));
	SYS(chown("g", 0, 4321));
	SYS(setegid(1235));
	SYS(seteuid(1234));
	EQ(pwrite(fd, "y", 1, 0), 1);
	EQ(stat_of("a").st_mode & 07777, 0755);
	close(make("g/f", ""));
	EQ(stat_of("g/f").st_uid, 1234);
	EQ(stat_of("g/f").st_gid, 4321);
	SYS(mkdir("g/d", 0755));
	EQ(stat_of("g/d").st_mode & 07777, 02755);
	close(make("mine", ""));
	EQ(stat_of("mine").st_gid, 1235);
	ERR(chown("mine", 0, -1), EPERM);
	ERR(chmod("n", 0666), EPERM);
	ERR(open("n", O_RDONLY), EACCES);
	SYS(seteuid(0));
}

static void test_sockets(void)
{
	struct sockaddr_un to = { AF_UNIX, "sock" };
	int fds[2] = { SYS(socket(AF_UNIX, SOCK_STREAM, 0)),
		       SYS(socket(AF_UNIX, SOCK_STREAM, 0)) };

	SYS(bind(fds[0], (struct sockaddr *)&to, sizeof(to)));
	SYS(listen(fds[0], 1));
	SYS(connect(fds[1], (struct sockaddr *)&to, sizeof(to)));
	CHECK(S_ISSOCK(stat_of("sock").st_mode));
}

static void test_times(void)
{
	struct timespec ts[2] = { { 1000000000, 123456789 },
				  { 2000000000, 987654321 } };
	struct stat before, st;

	close(make("a", ""));
	before = stat_of("a");
	msleep(20);
	SYS(utimensat(AT_FDCWD, "a", ts, 0));
	st = stat_of("a");
	EQ(st.st_atim.tv_nsec, 123456789);
	EQ(st.st_mtim.tv_sec, 2000000000);
	EQ(st.st_mtim.tv_nsec, 987654321);
	CHECK(st.st_ctim.tv_sec > before.st_ctim.tv_sec ||
	      st.st_ctim.tv_nsec > before.st_ctim.tv_nsec);
	ts[1].tv_nsec = UTIME_OMIT;
	ts[0].tv_nsec = UTIME_NOW;
	SYS(utimensat(AT_FDCWD, "a", ts, 0));
	EQ(stat_of("a").st_mtim.tv_nsec, 987654321);
	CHECK(stat_of("a").st_atim.tv_sec > 1000000000);
	before = stat_of(".");
	msleep(20);
	SYS(unlink("a"));
	st = stat_of(".");
	CHECK(st.st_mtim.tv_sec > before.st_mtim.tv_sec ||
	      st.st_mtim.tv_nsec > before.st_mtim.tv_nsec);
}

/* In another process; returns an errno. */
static int lock_elsewhere(short type)
{
	struct flock lock = { .l_type = type, .l_len = 10 };
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(fcntl(open("a", O_RDWR), F_SETLK, &lock) ? errno : 0);
	SYS(waitpid(pid, &status, 0));
	return WEXITSTATUS(status);
}

static void test_locks(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_len = 10 };
	int a = make("a", ""), b = SYS(open("a", O_RDWR));

	SYS(flock(a, LOCK_EX));
	ERR(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	close(a);
	SYS(flock(b, LOCK_SH | LOCK_NB));
	SYS(fcntl(b, F_SETLK, &lock));
	EQ(lock_elsewhere(F_RDLCK), EAGAIN);
	lock.l_type = F_RDLCK;
	SYS(fcntl(b, F_SETLK, &lock));
	EQ(lock_elsewhere(F_RDLCK), 0);
	EQ(lock_elsewhere(F_WRLCK), EAGAIN);
	close(b);
	EQ(lock_elsewhere(F_WRLCK), 0);
	a = SYS(open("a", O_RDWR));
	b = SYS(open("a", O_RDWR));
	lock.l_type = F_WRLCK;
	SYS(fcntl(a, F_OFD_SETLK, &lock));
	ERR(fcntl(b, F_OFD_SETLK, &lock), EAGAIN);
}

static void test_mmap(void)
{
	int fd = make("a", "0123456789");
	char *shared, *own, c;

	SYS(ftruncate(fd, 8192));
	shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	own = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(shared != MAP_FAILED && own != MAP_FAILED);
	shared[0] = 'S';
	own[1] = 'P';
	shared[5000] = 'x';
	EQ(pread(fd, &c, 1, 0), 1);
	EQ(c, 'S');
	EQ(pwrite(fd, "w", 1, 2), 1);
	EQ(shared[2], 'w');
	SYS(msync(shared, 8192, MS_SYNC));
	munmap(shared, 8192);
	EQ(pread(fd, &c, 1, 1), 1);
	EQ(c, '1');
	/* not from the cache */
	SYS(fsync(fd));
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	EQ(pread(fd, &c, 1, 5000), 1);
	EQ(c, 'x');
}

static void test_errors(void)
{
	char name[300];
	int fd;

	memset(name, 'n', sizeof(name) - 1);
	name[256] = 0;
	ERR(open(name, O_CREAT | O_RDWR, 0644), ENAMETOOLONG);
	name[255] = 0;
	close(SYS(open(name, O_CREAT | O_RDWR, 0644)));
	SYS(mkdir("d", 0755));
	ERR(open("d", O_RDWR), EISDIR);
	ERR(unlink("d"), EISDIR);
	ERR(rmdir(name), ENOTDIR);
	ERR(mkdir("d", 0755), EEXIST);
	ERR(open("none/x", O_CREAT | O_RDWR, 0644), ENOENT);
	ERR(open("none", O_RDONLY), ENOENT);
	/* that there was none has not been remembered */
	close(make("none", ""));
	fd = SYS(open("none", O_RDONLY));
	ERR(write(fd, "x", 1), EBADF);
	SYS(chdir("d"));
	SYS(rmdir("../d"));
	ERR(open("x", O_CREAT | O_RDWR, 0644), ENOENT);
}

static void test_flags(void)
{
	int fd = make("a", "text"), flags;

	SYS(ioctl(fd, FS_IOC_GETFLAGS, &flags));
	flags |= FS_NODUMP_FL;
	SYS(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	flags = 0;
	SYS(ioctl(fd, FS_IOC_GETFLAGS, &flags));
	CHECK(flags & FS_NODUMP_FL);
	ERR(ioctl(fd, FIGETBSZ + 100, &flags), ENOTTY);
	if (geteuid())
		return;
	flags |= FS_IMMUTABLE_FL;
	SYS(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	ERR(unlink("a"), EPERM);
	close(SYS(open("a", O_RDONLY)));
	flags &= ~FS_IMMUTABLE_FL;
	SYS(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	SYS(unlink("a"));
}

static void test_statfs(void)
{
	struct statvfs st;

	SYS(statvfs(".", &st));
	EQ(st.f_namemax, 255);
	CHECK(st.f_bavail > 0 && st.f_bavail <= st.f_bfree &&
	      st.f_bfree < st.f_blocks);
	CHECK(st.f_blocks * st.f_frsize > 100 << 20);
}

static const struct check tests[] = {
	{ "links", test_links },
	{ "rename", test_rename },
	{ "unlinked", test_unlinked },
	{ "append", test_append },
	{ "truncate", test_truncate },
	{ "holes", test_holes },
	{ "copy-range", test_copy_range },
	{ "xattr", test_xattr },
	{ "acl", test_acl },
	{ "modes", test_modes },
	{ "sockets", test_sockets },
	{ "times", test_times },
	{ "locks", test_locks },
	{ "mmap", test_mmap },
	{ "errors", test_errors },
	{ "flags", test_flags },
	{ "statfs", test_statfs },
};

int main(int argc, char **argv)
{
	return fuse_main(tests, ARRAY_SIZE(tests), argc, argv);
}
