// SPDX-License-Identifier: GPL-2.0-only
/*
 * A file that tells about the network is the library's, whatever way leads to
 * it, and the files beside it are the host's.
 */
#include <limits.h>
#include <linux/openat2.h>
#include <net/if.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "hijack.h"

#define PORT 0xd431
#define PORT_TEXT ":D431 "
#define LENGTH 1234

/* What only the library's files tell. */
static void mark(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_port = htons(PORT) };
	struct ifreq lo = { .ifr_name = "lo", .ifr_qlen = LENGTH };
	int s = SYS(socket(AF_INET, SOCK_DGRAM, 0)), one = 1;

	/* A forked test has it from its parent. */
	SYS(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	SYS(bind(s, (void *)&addr, sizeof(addr)));
	SYS(ioctl(s, SIOCSIFTXQLEN, &lo));
}

static bool tells(int fd)
{
	char text[4096];
	ssize_t n = 0, m;

	while ((m = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += m;
	text[n] = 0;
	close(fd);
	return strstr(text, PORT_TEXT) || strtol(text, NULL, 10) == LENGTH;
}

static void ours_at(int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY);

	if (fd < 0)
		FAIL("%s: %s", path, strerror(errno));
	if (!tells(fd))
		FAIL("%s is the host's", path);
}

static void ours(const char *path)
{
	ours_at(AT_FDCWD, path);
}

static void absolute(void)
{
	char path[PATH_MAX];

	mark();
	ours("/proc/net/udp");
	ours("//proc/net/udp");
	ours("/proc//net/udp");
	ours("/proc/./net/./udp");
	ours("/./proc/net//udp");
	ours("/proc/../proc/net/udp");
	ours("/../proc/net/udp");
	ours("/usr/../proc/net/udp");
	ours("/usr/bin/../../proc/sys/../net/udp");
	ours("/proc/net/../net/udp");
	ours("/proc/net/../../self/net/udp");
	ours("/proc/self/net/udp");
	ours("/proc/thread-self/net/udp");
	ours("/proc/self/../self/net/udp");
	ours("/proc/self/root/proc/net/udp");
	ours("/proc/sys/net/../../net/udp");
	snprintf(path, sizeof(path), "/proc/%d/net/udp", getpid());
	ours(path);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/net/udp", getpid(),
		 gettid());
	ours(path);
	snprintf(path, sizeof(path), "/proc/self/task/%d/net/udp", gettid());
	ours(path);
	ours("/sys/class/net/lo/tx_queue_len");
	ours("/sys/class/../class/net/lo/tx_queue_len");
	ours("/sys/class/net/lo/../lo/tx_queue_len");
	ours("/sys/devices/virtual/net/lo/tx_queue_len");
	ours("/sys/class/net/lo/subsystem/lo/tx_queue_len");
	ours("/sys/class/net/lo/statistics/../tx_queue_len");
}

static bool exists(const char *path)
{
	struct stat st;

	return !stat(path, &st);
}

/* What is not the library's, though the way to it passes there. */
static void beside(void)
{
	char link[PATH_MAX], text[64], path[PATH_MAX];
	int fd;

	mark();
	fd = SYS(open("/proc/net/../status", O_RDONLY));
	CHECK(read(fd, text, 64) > 0);
	CHECK(!strncmp(text, "Name:\thijack", 12));
	/* A link is one. */
	link[SYS(readlink("/proc/net", link, sizeof(link) - 1))] = 0;
	EQ(strcmp(link, "self/net"), 0);
	FAILS(readlink("/sys/class/net", link, sizeof(link)), EINVAL);
	CHECK(exists("/sys/class/net/../../kernel"));
	CHECK(exists("/proc/sys/net/../kernel/ostype"));
	CHECK(!exists("/sys/class/net/../lo"));
	CHECK(!exists("/sys/class/net/no-such/../lo"));
	CHECK(!exists("/proc/network"));
	/* Elsewhere the same names are the program's own. */
	SYS(mkdir("net", 0755));
	fd = SYS(open("net/dev", O_CREAT | O_RDWR, 0600));
	EQ(write(fd, "mine", 4), 4);
	CHECK(getcwd(path, sizeof(path)));
	strcat(path, "/net/dev");
	fd = SYS(open(path, O_RDONLY));
	EQ(read(fd, text, 5), 4);
	fd = SYS(open("net/../net/dev", O_RDONLY));
	EQ(read(fd, text, 5), 4);
	SYS(unlink("net/dev"));
	SYS(rmdir("net"));
	FAILS(open("", O_RDONLY), ENOENT);
	FAILS(open("/proc/net/no-such", O_RDONLY), ENOENT);
	FAILS(open("/proc/net/udp/x", O_RDONLY), ENOTDIR);
	FAILS(open("/proc/net/udp/", O_RDONLY), ENOTDIR);
}

static bool here(const char *want)
{
	char path[PATH_MAX];

	CHECK(getcwd(path, sizeof(path)));
	if (strcmp(path, want))
		fprintf(stderr, "%s, not %s\n", path, want);
	return !strcmp(path, want);
}

static void directory(void)
{
	char net[64], path[PATH_MAX], start[PATH_MAX];
	int fd, dir;

	mark();
	CHECK(getcwd(start, sizeof(start)));
	snprintf(net, sizeof(net), "/proc/%d/net", getpid());
	SYS(chdir("/proc/net"));
	CHECK(here(net));
	ours("udp");
	ours("./udp");
	ours("../net/udp");
	ours("../../net/udp");
	CHECK(exists("../status"));
	CHECK(exists("../../version"));
	SYS(chdir(".."));
	*strrchr(net, '/') = 0;
	CHECK(here(net));
	ours("net/udp");
	SYS(chdir("net"));
	ours("udp");
	SYS(chdir("/sys/class/net/lo"));
	CHECK(here("/sys/devices/virtual/net/lo"));
	ours("tx_queue_len");
	SYS(chdir("statistics"));
	ours("../tx_queue_len");
	SYS(chdir(".."));
	SYS(chdir(".."));
	CHECK(here("/sys/devices/virtual/net"));
	ours("lo/tx_queue_len");
	SYS(chdir("../../.."));
	CHECK(here("/sys"));
	ours("class/net/lo/tx_queue_len");
	SYS(chdir("/"));
	ours("proc/net/udp");
	ours("../proc/net/udp");
	SYS(chdir("/usr"));
	ours("../proc/net/udp");
	FAILS(chdir("/sys/class/net/no-such"), ENOENT);
	FAILS(chdir("/proc/net/udp"), ENOTDIR);
	CHECK(here("/usr"));
	/* By descriptors, of the host's and the library's. */
	dir = SYS(open("/proc/self", O_RDONLY | O_DIRECTORY));
	ours_at(dir, "net/udp");
	ours_at(dir, "../net/udp");
	SYS(fchdir(dir));
	ours("net/udp");
	dir = SYS(openat(dir, "net", O_PATH | O_DIRECTORY));
	ours_at(dir, "udp");
	ours_at(dir, "../net/udp");
	fd = SYS(openat(dir, "../status", O_RDONLY));
	CHECK(read(fd, path, 5) == 5 && !memcmp(path, "Name:", 5));
	SYS(chdir(start));
	SYS(fchdir(dir));
	ours("udp");
	dir = SYS(open("/sys/class", O_RDONLY));
	ours_at(dir, "net/lo/tx_queue_len");
	SYS(close(dir));
	FAILS(getcwd(path, 3) ? 0 : -1, ERANGE);
	SYS(chdir(start));
	CHECK(here(start));
}

static void *go(void *path)
{
	SYS(chdir(path));
	return NULL;
}

/* All threads are in the same directory, and a child begins there. */
static void together(void)
{
	pthread_t thread;
	int status;
	pid_t pid;

	mark();
	EQ(pthread_create(&thread, NULL, go, "/sys/class/net"), 0);
	pthread_join(thread, NULL);
	ours("lo/tx_queue_len");
	pid = SYS(fork());
	if (!pid) {
		ours("lo/tx_queue_len");
		go("/");
		CHECK(here("/"));
		_exit(0);
	}
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
	CHECK(here("/sys/class/net"));
}

/* All the calls that take a name. */
static void calls(void)
{
	static const char file[] = "/sys//class/net/lo/tx_queue_len";
	static const char link[] = "/sys//class/net/lo";
	struct open_how how = { .flags = O_RDONLY };
	struct stat st, want;
	struct statfs fs;
	struct statx stx;
	char text[PATH_MAX];
	int fd;

	mark();
	fd = SYS(open(file, O_RDONLY));
	SYS(fstat(fd, &want));
	SYS(stat(file, &st));
	EQ(st.st_ino, want.st_ino);
	SYS(fstatat(AT_FDCWD, file, &st, 0));
	EQ(st.st_ino, want.st_ino);
	SYS(syscall(SYS_stat, file, &st));
	EQ(st.st_ino, want.st_ino);
	SYS(statx(AT_FDCWD, file, 0, STATX_BASIC_STATS, &stx));
	EQ(stx.stx_ino, want.st_ino);
	SYS(fstatat(fd, "", &st, AT_EMPTY_PATH));
	EQ(st.st_ino, want.st_ino);
	CHECK(tells(
		SYS(syscall(SYS_openat2, AT_FDCWD, file, &how, sizeof(how)))));
	CHECK(tells(SYS(syscall(SYS_open, file, O_RDONLY))));
	SYS(lstat(link, &st));
	CHECK(S_ISLNK(st.st_mode));
	SYS(stat(link, &st));
	CHECK(S_ISDIR(st.st_mode));
	FAILS(open(link, O_RDONLY | O_NOFOLLOW), ELOOP);
	SYS(access(file, R_OK));
	SYS(faccessat(AT_FDCWD, file, R_OK, 0));
	SYS(syscall(SYS_faccessat2, AT_FDCWD, file, R_OK, 0));
	text[SYS(readlink(link, text, sizeof(text) - 1))] = 0;
	EQ(strcmp(text, "../../devices/virtual/net/lo"), 0);
	text[SYS(readlinkat(AT_FDCWD, link, text, sizeof(text) - 1))] = 0;
	EQ(strcmp(text, "../../devices/virtual/net/lo"), 0);
	EQ(readlink(link, text, 5), 5);
	FAILS(readlink(link, text, 0), EINVAL);
	CHECK(realpath(link, text));
	EQ(strcmp(text, "/sys/devices/virtual/net/lo"), 0);
	SYS(statfs(file, &fs));
	EQ(fs.f_type, 0x62656572);
	FAILS(getxattr(file, "security.none", text, 10), ENODATA);
	FAILS(lgetxattr(file, "security.none", text, 10), ENODATA);
	SYS(listxattr(file, text, sizeof(text)));
	SYS(llistxattr(file, text, sizeof(text)));
	SYS(stat("/dev/net/tun", &st));
	EQ(st.st_rdev, makedev(10, 200));
	fd = SYS(open("/proc/sys/net/ipv4/../ipv4/ip_default_ttl",
		      O_WRONLY | O_TRUNC));
	EQ(write(fd, "99", 2), 2);
	fd = SYS(open("/proc/sys/net/ipv4/ip_default_ttl", O_RDONLY));
	EQ(read(fd, text, 2), 2);
	EQ(memcmp(text, "99", 2), 0);
	FAILS(open((char *)1, O_RDONLY), EFAULT);
	FAILS(syscall(SYS_open, NULL, O_RDONLY), EFAULT);
	FAILS(syscall(SYS_stat, 1, &st), EFAULT);
	FAILS(chdir((char *)1), EFAULT);
}

static const struct check tests[] = {
	{ "absolute", absolute },   { "beside", beside },
	{ "directory", directory }, { "together", together },
	{ "calls", calls },
};

HIJACK_MAIN(tests)
