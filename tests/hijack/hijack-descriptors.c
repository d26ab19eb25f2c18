// SPDX-License-Identifier: GPL-2.0-only
/*
 * Under interception there is one number space of descriptors, and everything
 * that can be done with a descriptor can be done with one of the library's.
 */
#include <linux/close_range.h>
#include <net/if.h>
#include <ifaddrs.h>
#include <poll.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <linux/sockios.h>

#include "hijack.h"

extern char **environ;

static void numbers(void)
{
	int a = SYS(open("/dev/null", O_RDONLY)), b, c;
	struct stat st;

	b = SYS(socket(AF_INET, SOCK_STREAM, 0));
	EQ(b, a + 1);
	c = SYS(open("/dev/null", O_RDONLY));
	EQ(c, b + 1);
	SYS(close(b));
	FAILS(read(b, &st, 1), EBADF);
	EQ(SYS(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)), b);
	EQ(SYS(fcntl(b, F_GETFD)), FD_CLOEXEC);
	EQ(SYS(fcntl(b, F_GETFL)), O_RDWR);
	SYS(fstat(b, &st));
	CHECK(S_ISSOCK(st.st_mode));
}

static void duplicates(void)
{
	int p[2], fd, null = SYS(open("/dev/null", O_RDWR));
	char c = 0;

	tcp_pair(p);
	fd = SYS(dup(p[0]));
	EQ(write(fd, "1", 1), 1);
	EQ(read(p[1], &c, 1), 1);
	EQ(c, '1');
	/* Over one of the host's, and back. */
	EQ(SYS(dup2(fd, null)), null);
	EQ(write(null, "2", 1), 1);
	EQ(read(p[1], &c, 1), 1);
	EQ(c, '2');
	SYS(close(fd));
	fd = SYS(open("/dev/null", O_RDWR));
	EQ(SYS(dup3(fd, null, O_CLOEXEC)), null);
	EQ(write(null, "3", 1), 1);
	EQ(recv(p[1], &c, 1, MSG_DONTWAIT), -1);
	fd = SYS(fcntl(p[0], F_DUPFD_CLOEXEC, 300));
	EQ(fd, 300);
	EQ(SYS(fcntl(fd, F_GETFD)), FD_CLOEXEC);
	EQ(write(fd, "4", 1), 1);
	EQ(read(p[1], &c, 1), 1);
	EQ(c, '4');
	/* The connection ends with the last of them. */
	SYS(close(p[0]));
	EQ(recv(p[1], &c, 1, MSG_DONTWAIT), -1);
	SYS(close(fd));
	EQ(read(p[1], &c, 1), 0);
	FAILS(dup2(p[1], 1 << 20), EBADF);
	FAILS(dup(1000), EBADF);
}

/* A program may close what it does not know, but not the library's own. */
static void close_all(void)
{
	int p[2];
	char c;

	SYS(socket(AF_INET, SOCK_STREAM, 0));
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
	tcp_pair(p);
	EQ(p[0], 4);
	SYS(syscall(SYS_close_range, 3, ~0U, 0));
	FAILS(write(p[0], "x", 1), EBADF);
	tcp_pair(p);
	EQ(p[0], 4);
	EQ(write(p[0], "x", 1), 1);
	EQ(read(p[1], &c, 1), 1);
}

static void limit(void)
{
	const struct rlimit few = { 100, 100 };
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int fds[200], n, l, c;
	struct pollfd fd;

	l = SYS(socket(AF_INET, SOCK_STREAM, 0));
	fd = (struct pollfd){ l, POLLIN, 0 };
	/* What the library needs for it does not count. */
	poll(&fd, 1, 1);
	SYS(setrlimit(RLIMIT_NOFILE, &few));
	SYS(listen(l, 5));
	SYS(getsockname(l, (void *)&addr, &len));
	c = SYS(socket(AF_INET, SOCK_STREAM, 0));
	SYS(connect(c, (void *)&addr, len));
	for (n = 0; n < 200; n++) {
		fds[n] = socket(AF_INET, SOCK_DGRAM, 0);
		if (fds[n] < 0)
			break;
	}
	EQ(errno, EMFILE);
	FAILS(accept(l, NULL, NULL), EMFILE);
	SYS(close(fds[--n]));
	/* Nothing was lost for want of a number. */
	EQ(poll(&fd, 1, -1), 1);
	SYS(accept(l, NULL, NULL));
}

static void *accept_one(void *arg)
{
	return (void *)SYS(accept((long)arg, NULL, NULL));
}

/* The number that a sleeping accept() will return cannot be used until then. */
static void reserved(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int l = SYS(socket(AF_INET, SOCK_STREAM, 0)), c, n, status;
	struct pollfd fd;
	pthread_t thread;
	void *got;
	pid_t pid;

	SYS(listen(l, 5));
	SYS(getsockname(l, (void *)&addr, &len));
	c = SYS(socket(AF_INET, SOCK_STREAM, 0));
	n = c + 1;
	EQ(pthread_create(&thread, NULL, accept_one, (void *)(long)l), 0);
	/*
	 * It has the number as soon as another one does not get it; or the
	 * next, if it came while this was looking.
	 */
	for (int i = 0;; i++) {
		int null, next;

		usleep(i ? 1000 : 20000);
		null = SYS(open("/dev/null", O_RDWR));
		if (null > n)
			break;
		next = SYS(fcntl(null, F_DUPFD, n + 1));
		SYS(close(next));
		if (next > n + 1) {
			n++;
			break;
		}
		SYS(close(null));
		CHECK(i < 10000);
	}
	FAILS(close(n), EBADF);
	FAILS(fcntl(n, F_GETFD), EBADF);
	FAILS(write(n, "x", 1), EBADF);
	FAILS(dup(n), EBADF);
	FAILS(dup2(c, n), EBUSY);
	fd = (struct pollfd){ n, POLLIN, 0 };
	EQ(poll(&fd, 1, -1), 1);
	EQ(fd.revents, POLLNVAL);
	SYS(syscall(SYS_close_range, n, n, 0));
	pid = SYS(fork());
	if (!pid)
		_exit(open("/dev/null", O_RDWR) != n);
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
	SYS(connect(c, (void *)&addr, len));
	EQ(pthread_join(thread, &got), 0);
	EQ((long)got, n);
	EQ(SYS(fcntl(n, F_GETFD)), 0);
	EQ(write(c, "x", 1), 1);
	EQ(read(n, &c, 1), 1);
}

static void messages(void)
{
	struct iovec iov[2] = { { "ab", 2 }, { "cd", 2 } };
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	char data[2][8] = { { 0 } }, control[128];
	struct iovec in[2] = { { data[0], 8 }, { data[1], 8 } };
	struct mmsghdr out[2] = {
		{ .msg_hdr = { .msg_iov = iov, .msg_iovlen = 2 } },
		{ .msg_hdr = { .msg_iov = iov + 1, .msg_iovlen = 1 } }
	};
	struct mmsghdr got[2] = { { .msg_hdr = { .msg_iov = in,
						 .msg_iovlen = 1 } },
				  { .msg_hdr = { .msg_iov = in + 1,
						 .msg_iovlen = 1,
						 .msg_control = control,
						 .msg_controllen = 128 } } };
	struct cmsghdr *c;
	int one = 1, s = SYS(socket(AF_INET, SOCK_DGRAM, 0));

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	SYS(bind(s, (void *)&addr, len));
	SYS(getsockname(s, (void *)&addr, &len));
	SYS(connect(s, (void *)&addr, len));
	SYS(setsockopt(s, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one)));
	EQ(sendmmsg(s, out, 2, 0), 2);
	EQ(recvmmsg(s, got, 2, 0, NULL), 2);
	EQ(got[0].msg_len, 4);
	EQ(strcmp(data[0], "abcd"), 0);
	EQ(strcmp(data[1], "cd"), 0);
	c = CMSG_FIRSTHDR(&got[1].msg_hdr);
	CHECK(c && c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO);
}

/* Unix sockets are the host's and carry what is the host's. */
static void passing(void)
{
	union {
		struct cmsghdr c;
		char room[CMSG_SPACE(sizeof(int))];
	} u = { .c = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct iovec iov = { "x", 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &u,
			      .msg_controllen = sizeof(u) };
	int pair[2], null = SYS(open("/dev/zero", O_RDONLY)), fd;
	char c = 1;
	struct ucred cred;
	socklen_t len = sizeof(cred);

	SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	SYS(getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &cred, &len));
	EQ(cred.pid, getpid());
	memcpy(CMSG_DATA(&u.c), &null, sizeof(null));
	EQ(sendmsg(pair[0], &msg, 0), 1);
	iov.iov_base = &c;
	EQ(recvmsg(pair[1], &msg, 0), 1);
	memcpy(&fd, CMSG_DATA(&u.c), sizeof(fd));
	EQ(read(fd, &c, 1), 1);
	EQ(c, 0);
	fd = SYS(socket(AF_INET, SOCK_STREAM, 0));
	memcpy(CMSG_DATA(&u.c), &fd, sizeof(fd));
	EQ(sendmsg(pair[0], &msg, 0), 1);
}

#define MANY (300 * 1024)
#define MUCH 60000

static void *drain(void *arg)
{
	char *all = malloc(MANY);
	long n, sum = 0;

	while (sum < MANY && (n = read(*(int *)arg, all + sum, MANY - sum)) > 0)
		sum += n;
	EQ(sum, MANY);
	for (long i = 0; i < MANY; i++)
		EQ(all[i], (char)(i * 7 >> 3));
	free(all);
	return NULL;
}

static void copying(void)
{
	int p[2], pipes[2], file = SYS(open(".", O_TMPFILE | O_RDWR, 0600));
	char *all = malloc(MANY);
	pthread_t thread;
	off_t offset = 0;
	long n, sum;

	for (long i = 0; i < MANY; i++)
		all[i] = i * 7 >> 3;
	EQ(write(file, all, MANY), MANY);
	tcp_pair(p);
	EQ(pthread_create(&thread, NULL, drain, &p[1]), 0);
	for (sum = 0; sum < MANY; sum += n)
		n = SYS(sendfile(p[0], file, &offset, MANY - sum));
	EQ(offset, MANY);
	pthread_join(thread, NULL);
	/* With the file's own position */
	SYS(lseek(file, 0, SEEK_SET));
	EQ(pthread_create(&thread, NULL, drain, &p[1]), 0);
	for (sum = 0; sum < MANY; sum += n)
		n = SYS(sendfile(p[0], file, NULL, MANY - sum));
	EQ(lseek(file, 0, SEEK_CUR), MANY);
	EQ(sendfile(p[0], file, NULL, 1), 0);
	pthread_join(thread, NULL);
	/* File, pipe, socket, pipe, and back */
	SYS(pipe(pipes));
	EQ(pthread_create(&thread, NULL, drain, &p[1]), 0);
	offset = 0;
	for (sum = 0; sum < MANY; sum += n) {
		n = SYS(splice(file, &offset, pipes[1], NULL, 4096, 0));
		EQ(splice(pipes[0], NULL, p[0], NULL, n, 0), n);
	}
	pthread_join(thread, NULL);
	/* Much at once, there and back */
	EQ(write(p[0], all, MUCH), MUCH);
	for (sum = 0; sum < MUCH; sum += n)
		n = SYS(splice(p[1], NULL, pipes[1], NULL, MANY, 0));
	for (sum = 0; sum < MUCH; sum += n)
		n = SYS(splice(pipes[0], NULL, p[0], NULL, MANY, 0));
	memset(all, 0, MUCH);
	EQ(recv(p[1], all, MANY, MSG_WAITALL | MSG_DONTWAIT), MUCH);
	for (long i = 0; i < MUCH; i++)
		EQ(all[i], (char)(i * 7 >> 3));
	EQ(write(p[0], "spliced", 7), 7);
	EQ(splice(p[1], NULL, pipes[1], NULL, 100, 0), 7);
	EQ(read(pipes[0], all, 100), 7);
	EQ(memcmp(all, "spliced", 7), 0);
	/* That is about the pipe, as the socket has a flag of its own. */
	FAILS(splice(pipes[0], NULL, p[0], NULL, 100, SPLICE_F_NONBLOCK),
	      EAGAIN);
	SYS(fcntl(p[1], F_SETFL, O_NONBLOCK));
	FAILS(splice(p[1], NULL, pipes[1], NULL, 100, 0), EAGAIN);
	EQ(splice(p[1], NULL, pipes[1], NULL, 0, 0), 0);
	FAILS(splice(p[1], NULL, pipes[0], NULL, 100, 0), EBADF);
	FAILS(splice(pipes[1], NULL, p[0], NULL, 100, 0), EBADF);
	FAILS(splice(p[0], NULL, p[1], NULL, 100, 0), EINVAL);
	offset = 0;
	FAILS(splice(p[1], &offset, pipes[1], NULL, 100, 0), EINVAL);
	FAILS(sendfile(p[0], pipes[0], NULL, 100), EINVAL);
	FAILS(sendfile(p[0], pipes[0], &offset, 100), ESPIPE);
	int set = SYS(epoll_create1(0));

	FAILS(sendfile(p[0], set, &offset, 0), ESPIPE);
	FAILS(sendfile(p[0], set, &offset, 100), ESPIPE);
	SYS(close(set));
	EQ(write(p[0], "file", 4), 4);
	SYS(fcntl(p[1], F_SETFL, 0));
	EQ(sendfile(pipes[1], p[1], NULL, 100), 4);
	EQ(read(pipes[0], all, 100), 4);
	FAILS(tee(pipes[0], p[0], 100, 0), EINVAL);
	FAILS(copy_file_range(file, NULL, p[0], NULL, 10, 0), EXDEV);
	free(all);
}

/* Only the library's network is to be seen. */
static void interfaces(void)
{
	struct ifaddrs *all, *i;
	struct ifreq req = { .ifr_name = "lo" };
	char line[256];
	int found = 0, s = SYS(socket(AF_UNIX, SOCK_DGRAM, 0));
	FILE *file;

	SYS(getifaddrs(&all));
	for (i = all; i; i = i->ifa_next)
		if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET) {
			EQ(strcmp(i->ifa_name, "lo"), 0);
			found++;
		}
	EQ(found, 1);
	freeifaddrs(all);
	EQ(if_nametoindex("lo"), 1);
	SYS(ioctl(s, SIOCGIFFLAGS, &req));
	CHECK(req.ifr_flags & IFF_UP);
	file = fopen("/proc/net/dev", "r");
	CHECK(file);
	for (found = 0; fgets(line, sizeof(line), file);)
		found += !!strchr(line, ':') && !strstr(line, "lo:") &&
			 !strstr(line, "teql0:");
	EQ(found, 0);
	fclose(file);
	SYS(access("/sys/class/net/lo", F_OK));
	file = fopen("/proc/sys/net/ipv4/ip_default_ttl", "w");
	CHECK(file);
	fputs("77", file);
	EQ(fclose(file), 0);
	file = fopen("/proc/sys/net/ipv4/ip_default_ttl", "r");
	CHECK(fgets(line, sizeof(line), file));
	EQ(atoi(line), 77);
}

static void refused(void)
{
	char params[256] = { 0 };

	void *librarys = (void *)0x120000000000;

	FAILS(syscall(SYS_io_uring_setup, 1, params), ENOSYS);
	/* Where the library is the program has nothing, but it may ask for it.
	 */
	FAILS((long)mmap(librarys, 4096, PROT_READ,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
	      ENOMEM);
	FAILS((long)mmap(librarys, 4096, PROT_READ,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
			 0),
	      EEXIST);
	CHECK((void *)SYS(mmap(librarys, 4096, PROT_READ,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) !=
	      librarys);
}

/* A child that executes another program. */
static void children(void)
{
	char *args[] = { "sh", "-c", "exit 42", NULL };
	posix_spawn_file_actions_t actions;
	int p[2], status, ep;
	pid_t pid;
	char c;

	tcp_pair(p);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addclose(&actions, p[0]);
	posix_spawn_file_actions_adddup2(&actions, p[1], 0);
	EQ(posix_spawn(&pid, "/bin/sh", &actions, NULL, args, environ), 0);
	EQ(waitpid(pid, &status, 0), pid);
	EQ(WEXITSTATUS(status), 42);
	/* What it did to its descriptors has not hurt ours. */
	EQ(write(p[0], "x", 1), 1);
	EQ(read(p[1], &c, 1), 1);
	ep = SYS(dup(0));
	SYS(close(ep));
}

static const struct check tests[] = {
	{ "numbers", numbers },	      { "duplicates", duplicates },
	{ "close-all", close_all },   { "limit", limit },
	{ "reserved", reserved },     { "messages", messages },
	{ "passing", passing },	      { "copying", copying },
	{ "interfaces", interfaces }, { "refused", refused },
	{ "children", children },
};

HIJACK_MAIN(tests)
