// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host has for a socket of the library's looks like a socket, and is
 * nothing: no way leads from it to a file, and it is the same as another one
 * exactly if the sockets are.
 */
#include <dirent.h>
#include <linux/aio_abi.h>
#include <linux/kcmp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "hijack.h"

#ifndef F_DUPFD_QUERY
#define F_DUPFD_QUERY (1024 + 3)
#endif

/* Every call that begins at a directory says that it is none. */
static void no_way_out(int s)
{
	char *args[] = { "busybox", NULL }, buf[64];
	struct {
		unsigned long flags, mode, resolve;
	} how = { 0 };
	struct stat st;
	struct statx stx;
	struct {
		unsigned int bytes;
		int type;
		char data[128];
	} handle = { 128, 0, "" };
	int mount;

	FAILS(openat(s, "etc/passwd", O_RDONLY), ENOTDIR);
	FAILS(openat(s, "new", O_CREAT | O_WRONLY, 0600), ENOTDIR);
	FAILS(syscall(SYS_openat2, s, "etc/passwd", &how, sizeof(how)),
	      ENOTDIR);
	FAILS(mkdirat(s, "tmp/made", 0700), ENOTDIR);
	FAILS(mknodat(s, "tmp/made", S_IFIFO, 0), ENOTDIR);
	FAILS(fchownat(s, "etc", 0, 0, 0), ENOTDIR);
	FAILS(fchmodat(s, "etc", 0700, 0), ENOTDIR);
	FAILS(fstatat(s, "etc", &st, 0), ENOTDIR);
	FAILS(statx(s, "etc", 0, STATX_BASIC_STATS, &stx), ENOTDIR);
	FAILS(unlinkat(s, "tmp/nothing", 0), ENOTDIR);
	FAILS(unlinkat(s, "tmp", AT_REMOVEDIR), ENOTDIR);
	FAILS(renameat(s, "tmp/a", AT_FDCWD, "b"), ENOTDIR);
	FAILS(renameat(AT_FDCWD, ".", s, "b"), ENOTDIR);
	FAILS(renameat2(s, "tmp/a", s, "tmp/b", 0), ENOTDIR);
	FAILS(linkat(s, "etc/passwd", AT_FDCWD, "linked", 0), ENOTDIR);
	FAILS(symlinkat("to", s, "tmp/link"), ENOTDIR);
	FAILS(readlinkat(s, "etc", buf, sizeof(buf)), ENOTDIR);
	FAILS(faccessat(s, "etc", F_OK, 0), ENOTDIR);
	FAILS(syscall(SYS_faccessat2, s, "etc", F_OK, 0), ENOTDIR);
	FAILS(utimensat(s, "etc", NULL, 0), ENOTDIR);
	FAILS(syscall(SYS_futimesat, s, "etc", NULL), ENOTDIR);
	FAILS(name_to_handle_at(s, "etc", (void *)&handle, &mount, 0), ENOTDIR);
	FAILS(syscall(SYS_execveat, s, "bin/true", args, environ, 0), ENOTDIR);
	FAILS(syscall(SYS_open_tree, s, "etc", 0), ENOTDIR);
	FAILS(fchdir(s), ENOTDIR);
	snprintf(buf, sizeof(buf), "/proc/self/fd/%d/etc/passwd", s);
	FAILS(open(buf, O_RDONLY), ENOTDIR);
	FAILS(stat(buf, &st), ENOTDIR);
	FAILS(unlink(buf), ENOTDIR);
	snprintf(buf, sizeof(buf), "/dev/fd/%d/etc/passwd", s);
	FAILS(open(buf, O_RDONLY), ENOTDIR);
	snprintf(buf, sizeof(buf), "/proc/self/fd/%d", s);
	FAILS(open(buf, O_RDONLY), ENXIO);
	FAILS(chdir(buf), ENOTDIR);
	FAILS(chroot(buf), ENOTDIR);
}

static void jail(void)
{
	int s = SYS(socket(AF_INET, SOCK_STREAM, 0)), p[2];

	no_way_out(s);
	tcp_pair(p);
	no_way_out(p[1]);
	SYS(dup2(s, 100));
	no_way_out(100);
}

/* A program that was not asked to use the library finds nothing in it, either.
 */
static void inherited(void)
{
	int s = SYS(socket(AF_INET, SOCK_STREAM, 0)), status;
	char text[256];
	pid_t pid;

	snprintf(text, sizeof(text),
		 "! read x </proc/self/fd/%d/etc/passwd && ! read x <&%d && "
		 "! cd /proc/self/fd/%d",
		 s, s, s);
	char *args[] = { "sh", "-c", text, NULL };
	pid = SYS(vfork());
	if (!pid) {
		execve("/bin/sh", args, (char *[]){ NULL });
		_exit(127);
	}
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
}

static unsigned long shown_of(pid_t pid, int fd)
{
	char path[64], link[64];
	unsigned long ino;
	char end;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	link[SYS(readlink(path, link, sizeof(link) - 1))] = 0;
	EQ(sscanf(link, "socket:[%lu]%c", &ino, &end), 1);
	return ino;
}

static unsigned long shown(int fd)
{
	return shown_of(getpid(), fd);
}

/* Is a socket with this inode in one of the library's tables? */
static bool listed(const char *table, unsigned long ino)
{
	FILE *file = fopen(table, "r");
	char line[512], number[32];
	bool found = false;

	CHECK(file);
	snprintf(number, sizeof(number), " %lu ", ino);
	while (fgets(line, sizeof(line), file))
		found |= !!strstr(line, number);
	fclose(file);
	return found;
}

static void names(void)
{
	int s = SYS(socket(AF_INET, SOCK_DGRAM, 0)), other, p[2];
	struct sockaddr_in addr = { .sin_family = AF_INET };
	struct stat st, again;
	char path[64];
	DIR *dir;
	struct dirent *e;
	bool found = false;

	SYS(bind(s, (void *)&addr, sizeof(addr)));
	SYS(fstat(s, &st));
	CHECK(S_ISSOCK(st.st_mode));
	EQ(st.st_ino, shown(s));
	CHECK(listed("/proc/net/udp", shown(s)));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", s);
	SYS(stat(path, &again));
	EQ(again.st_ino, st.st_ino);
	EQ(again.st_mode, st.st_mode);
	EQ(again.st_dev, st.st_dev);
	FAILS(open(path, O_RDWR), ENXIO);
	FAILS(open(path, O_RDWR | O_NOFOLLOW), ELOOP);
	other = SYS(open(path, O_PATH));
	SYS(fstat(other, &again));
	EQ(again.st_ino, st.st_ino);
	EQ(again.st_mode, st.st_mode);
	SYS(close(other));
	other = SYS(open(path, O_PATH | O_NOFOLLOW));
	SYS(fstat(other, &again));
	CHECK(S_ISLNK(again.st_mode));
	SYS(close(other));
	other = SYS(dup(s));
	EQ(shown(other), shown(s));
	other = SYS(socket(AF_INET, SOCK_DGRAM, 0));
	CHECK(shown(other) != shown(s));
	tcp_pair(p);
	CHECK(shown(p[0]) != shown(p[1]));
	CHECK(listed("/proc/net/tcp", shown(p[0])));
	CHECK(listed("/proc/net/tcp", shown(p[1])));
	/* A file of the library's has its name, as a directory has. */
	other = SYS(open("/proc/net/dev", O_RDONLY));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", other);
	char link[64], self[64];
	link[SYS(readlink(path, link, sizeof(link) - 1))] = 0;
	snprintf(self, sizeof(self), "/proc/%d/net/dev", getpid());
	EQ(strcmp(link, self), 0);
	SYS(stat(path, &st));
	CHECK(S_ISREG(st.st_mode));
	other = SYS(open(path, O_RDONLY));
	EQ(read(other, link, 6), 6);
	EQ(memcmp(link, "Inter-", 6), 0);
	dir = opendir("/proc/self/fd");
	CHECK(dir);
	while ((e = readdir(dir)))
		found |= atoi(e->d_name) == s;
	CHECK(found);
	closedir(dir);
}

/* A socket that a child makes has the number that the host tells others. */
static void forked(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int status, made[2], done[2], s;
	pid_t pid;

	SYS(socket(AF_INET, SOCK_DGRAM, 0));
	SYS(pipe(made));
	SYS(pipe(done));
	pid = SYS(fork());
	if (!pid) {
		s = SYS(socket(AF_INET, SOCK_DGRAM, 0));
		SYS(bind(s, (void *)&addr, sizeof(addr)));
		EQ(write(made[1], &s, sizeof(s)), sizeof(s));
		close(done[1]);
		EQ(read(done[0], &s, 1), 0);
		_exit(0);
	}
	close(made[1]);
	EQ(read(made[0], &s, sizeof(s)), sizeof(s));
	CHECK(listed("/proc/net/udp", shown_of(pid, s)));
	close(done[1]);
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
}

static int same(int a, int b)
{
	return SYS(syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, a, b)) == 0;
}

static void equality(void)
{
	int a = SYS(socket(AF_INET, SOCK_STREAM, 0)), b, c;

	b = SYS(socket(AF_INET, SOCK_STREAM, 0));
	c = SYS(dup(a));
	CHECK(!same(a, b));
	CHECK(same(a, c));
	CHECK(!same(a, 0));
	if (fcntl(0, F_DUPFD_QUERY, 0) != 1)
		return;
	EQ(fcntl(a, F_DUPFD_QUERY, b), 0);
	EQ(fcntl(a, F_DUPFD_QUERY, c), 1);
	EQ(fcntl(a, F_DUPFD_QUERY, 0), 0);
	FAILS(fcntl(a, F_DUPFD_QUERY, -1), EBADF);
}

static void owners(void)
{
	struct f_owner_ex owner = { F_OWNER_PID, getpid() };
	int n = getpid();
	int s = SYS(socket(AF_INET, SOCK_DGRAM, 0));

	EQ(fcntl(s, F_GETOWN), 0);
	SYS(fcntl(s, F_SETOWN, getpid()));
	EQ(fcntl(s, F_GETOWN), getpid());
	SYS(fcntl(s, F_GETOWN_EX, &owner));
	EQ(owner.type, F_OWNER_PID);
	EQ(owner.pid, getpid());
	FAILS(fcntl(s, F_SETOWN, getppid()), ESRCH);
	SYS(ioctl(s, SIOCGPGRP, &n));
	EQ(n, getpid());
	owner = (struct f_owner_ex){ F_OWNER_TID, gettid() };
	SYS(fcntl(s, F_SETOWN_EX, &owner));
	owner.pid = 0;
	SYS(fcntl(s, F_GETOWN_EX, &owner));
	EQ(owner.type, F_OWNER_TID);
	EQ(owner.pid, gettid());
	owner = (struct f_owner_ex){ F_OWNER_PGRP, getpgrp() };
	SYS(fcntl(s, F_SETOWN_EX, &owner));
	owner = (struct f_owner_ex){ 0 };
	SYS(fcntl(s, F_GETOWN_EX, &owner));
	EQ(owner.type, F_OWNER_PGRP);
	EQ(owner.pid, getpgrp());
	SYS(fcntl(s, F_SETOWN, getpid()));
	SYS(fcntl(s, F_SETOWN, -getpgrp()));
	EQ(fcntl(s, F_GETOWN), -getpgrp());
	SYS(fcntl(s, F_SETOWN, 0));
	EQ(fcntl(s, F_GETOWN), 0);
	SYS(ioctl(s, FIOSETOWN, &n));
	EQ(fcntl(s, F_GETOWN), getpid());
	FAILS(fcntl(s, F_SETOWN_EX, 8), EFAULT);
	owner.type = 7;
	FAILS(fcntl(s, F_SETOWN_EX, &owner), EINVAL);
}

/* No request gets to the host's side of a file of the library's. */
static void requests(void)
{
	static char text[2][4] = { "abc", "abc" };
	struct io_event events[4];
	struct iocb r[3] = { 0 }, *all[3] = { &r[0], &r[1], &r[2] };
	struct timespec none = { 0 };
	aio_context_t context = 0;
	struct epoll_event in = { .events = EPOLLIN };
	int s[2], p[2], epoll;

	if (syscall(SYS_io_setup, 4, &context)) {
		CHECK(errno == ENOSYS || errno == EPERM);
		return;
	}
	tcp_pair(s);
	SYS(pipe(p));
	/* A file of the library's can be read. */
	r[1].aio_fildes = SYS(open("/proc/net/dev", O_RDONLY));
	r[1].aio_lio_opcode = IOCB_CMD_PREAD;
	r[1].aio_buf = (long)text[1];
	r[1].aio_nbytes = 3;
	EQ(syscall(SYS_io_submit, context, 1, &all[1]), 1);
	EQ(syscall(SYS_io_getevents, context, 1, 4, events, NULL), 1);
	EQ(events[0].res, 3);
	CHECK(!memcmp(text[1], "Int", 3));
	SYS(close(r[1].aio_fildes));
	r[1].aio_fildes = s[0];
	r[1].aio_lio_opcode = IOCB_CMD_FSYNC;
	/* What is before it is done, what is after it is not. */
	r[0] = r[2] = (struct iocb){ .aio_lio_opcode = IOCB_CMD_PWRITE,
				     .aio_fildes = p[1],
				     .aio_buf = (long)text[0],
				     .aio_nbytes = 3 };
	EQ(syscall(SYS_io_submit, context, 3, all), 1);
	EQ(syscall(SYS_io_getevents, context, 1, 4, events, NULL), 1);
	EQ(events[0].obj, (unsigned long)&r[0]);
	EQ(events[0].res, 3);
	EQ(syscall(SYS_io_getevents, context, 0, 4, events, &none), 0);
	/* An epoll is the host's, and tells of the library's files, too. */
	epoll = SYS(epoll_create1(0));
	SYS(epoll_ctl(epoll, EPOLL_CTL_ADD, s[0], &in));
	r[1] = (struct iocb){ .aio_lio_opcode = IOCB_CMD_POLL,
			      .aio_fildes = epoll,
			      .aio_buf = POLLIN };
	EQ(syscall(SYS_io_submit, context, 1, &all[1]), 1);
	EQ(syscall(SYS_io_getevents, context, 0, 4, events, &none), 0);
	EQ(write(s[1], "x", 1), 1);
	EQ(syscall(SYS_io_getevents, context, 1, 4, events, NULL), 1);
	EQ(events[0].obj, (unsigned long)&r[1]);
	CHECK(events[0].res & POLLIN);
	/* Bad pointers, and contexts that are none */
	FAILS(syscall(SYS_io_submit, context, 1, 8), EFAULT);
	all[0] = (void *)8;
	FAILS(syscall(SYS_io_submit, context, 1, all), EFAULT);
	all[0] = &r[0];
	all[1] = (void *)8;
	EQ(syscall(SYS_io_submit, context, 2, all), 1);
	EQ(syscall(SYS_io_submit, context, 0, all), 0);
	FAILS(syscall(SYS_io_submit, context, -1L, all), EINVAL);
	FAILS(syscall(SYS_io_submit, 8, 1, all), EINVAL);
	SYS(syscall(SYS_io_destroy, context));
}

static const struct check tests[] = {
	{ "jail", jail },	  { "inherited", inherited },
	{ "names", names },	  { "forked", forked },
	{ "equality", equality }, { "owners", owners },
	{ "requests", requests },
};

HIJACK_MAIN(tests)
