// SPDX-License-Identifier: GPL-2.0-only
/*
 * A bad pointer gives the same error under interception as on the host, in every
 * argument of every call that is looked at, for descriptors of either side.
 *
 * The program prints what each call returns, and compares what it prints on the
 * host and under both ways in.
 */
#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "hijack.h"

/*
 * Calls and their arguments: d is the descriptor, e an epoll with it, f a file,
 * w a pipe to write to; lower-case x and n are numbers, 0 and a small one; the
 * others point to something: B room, L a length, T a time of 0, I an iovec, M a
 * message, N several, P a path, G a name of a network file, A an address, V an
 * epoll's event, K a signal mask and its size, F descriptors to poll, R how to
 * open, S signals to mask, Q what a signal does, X a program, Y a static
 * one, C arguments or environment of a program.
 */
static const struct call {
	const char *name;
	long nr;
	const char *args;
} calls[] = {
#define CALL(name, args) { #name, SYS_##name, args }
	CALL(read, "dBn"),
	CALL(write, "dBn"),
	CALL(open, "Pxx"),
	CALL(open, "Gxx"),
	CALL(stat, "PB"),
	CALL(stat, "GB"),
	CALL(fstat, "dB"),
	CALL(lstat, "PB"),
	CALL(poll, "Fox"),
	CALL(rt_sigaction, "cQQo"),
	CALL(rt_sigaction, "hQQo"),
	CALL(ioctl, "diB"),
	CALL(pread64, "dBnx"),
	CALL(pwrite64, "dBnx"),
	CALL(readv, "dIu"),
	CALL(writev, "dIu"),
	CALL(access, "Px"),
	CALL(access, "Gx"),
	CALL(select, "nBBBT"),
	CALL(sendfile, "dfBn"),
	CALL(connect, "dAn"),
	CALL(accept, "dAL"),
	CALL(execve, "XCC"),
	CALL(execve, "YCC"),
	CALL(execveat, "aXCCx"),
	CALL(sendto, "dBnxAn"),
	CALL(recvfrom, "dBnxAL"),
	CALL(sendmsg, "dMx"),
	CALL(recvmsg, "dMx"),
	CALL(bind, "dAn"),
	CALL(getsockname, "dAL"),
	CALL(getpeername, "dAL"),
	CALL(setsockopt, "dubBn"),
	CALL(getsockopt, "dubBL"),
	CALL(readlink, "PBn"),
	CALL(epoll_ctl, "eudV"),
	CALL(epoll_ctl, "dudV"),
	CALL(epoll_wait, "eVux"),
	CALL(epoll_pwait, "eVuxSo"),
	CALL(epoll_pwait2, "eVuTSo"),
	CALL(openat, "aPxx"),
	CALL(openat, "aGxx"),
	CALL(newfstatat, "aPBx"),
	CALL(newfstatat, "aGBx"),
	CALL(readlinkat, "aPBn"),
	CALL(faccessat, "aPx"),
	CALL(pselect6, "nBBBTK"),
	CALL(ppoll, "FoTSo"),
	CALL(splice, "dBwxnx"),
	CALL(splice, "dxwxnx"),
	CALL(splice, "dxwBnx"),
	CALL(accept4, "dALx"),
	CALL(preadv, "dIux"),
	CALL(pwritev, "dIux"),
	CALL(recvmmsg, "dNuxT"),
	CALL(sendmmsg, "dNux"),
	CALL(preadv2, "dIuxxx"),
	CALL(pwritev2, "dIuxxx"),
	CALL(statx, "aPxxB"),
	CALL(openat2, "aPRr"),
	CALL(faccessat2, "aPxx"),
	CALL(fgetxattr, "dPBn"),
	CALL(flistxattr, "dBn"),
	CALL(fstatfs, "dB"),
	CALL(getdents64, "dBn"),
};

#define BAD ((void *)1)

static struct {
	char bytes[4096];
	socklen_t len;
	struct timespec time;
	struct iovec iov;
	struct msghdr msg;
	struct mmsghdr messages[1];
	struct sockaddr_in addr;
	struct epoll_event event[1];
	struct pollfd fds[8];
	struct {
		void *mask;
		size_t size;
	} mask;
	unsigned long how[3], signals, action[4];
	char *strings[2];
} room;

static int fd, file, ep, pipe_fds[2];

/* As it is before each call. */
static void fill(void)
{
	memset(&room, 0, sizeof(room));
	room.len = 16;
	room.iov = (struct iovec){ room.bytes, 16 };
	room.msg = (struct msghdr){ .msg_iov = &room.iov, .msg_iovlen = 1 };
	room.messages[0].msg_hdr = room.msg;
	room.addr.sin_family = AF_INET;
	room.addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	room.addr.sin_port = htons(9);
	room.fds[0] = (struct pollfd){ fd, POLLIN, 0 };
	for (int i = 1; i < 8; i++)
		room.fds[i].fd = -1;
	room.mask.size = 8;
	room.strings[0] = "a";
}

static long argument(char kind)
{
	switch (kind) {
	case 'd': return fd;
	case 'e': return ep;
	case 'f': return file;
	case 'w': return pipe_fds[1];
	case 'a': return AT_FDCWD;
	case 'n': return 16;
	case 'o': return 8;
	case 'u': return 1;
	case 'b': return SO_REUSEADDR;
	case 'c': return SIGUSR1;
	case 'h': return SIGSEGV;
	case 'i': return FIONREAD;
	case 'r': return sizeof(room.how);
	case 'x': return 0;
	case 'B': return (long)room.bytes;
	case 'L': return (long)&room.len;
	case 'T': return (long)&room.time;
	case 'I': return (long)&room.iov;
	case 'M': return (long)&room.msg;
	case 'N': return (long)room.messages;
	case 'P': return (long)"/dev/null";
	case 'G': return (long)"/proc/net/dev";
	case 'A': return (long)&room.addr;
	case 'V': return (long)room.event;
	case 'K': return (long)&room.mask;
	case 'F': return (long)room.fds;
	case 'R': return (long)room.how;
	case 'S': return (long)&room.signals;
	case 'Q': return 0;
	case 'X': return (long)"/bin/true";
	case 'Y': return (long)"/sbin/ldconfig";
	case 'C': return (long)room.strings;
	}
	FAIL("no argument '%c'", kind);
}

static void call(const struct call *c, int bad, const char *what)
{
	long a[6] = { 0 }, ret;

	for (int i = 0; c->args[i]; i++)
		a[i] = i == bad ? (long)BAD : argument(c->args[i]);
	ret = syscall(c->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (ret < 0)
		printf("%s(%s), argument %d%s: %s\n", c->name, c->args, bad,
		       what, strerrorname_np(errno));
	else
		printf("%s(%s), argument %d%s: fine\n", c->name, c->args, bad,
		       what);
	if (ret > 2 && strstr(c->name, "open"))
		close(ret);
}

/* What structures point to is there, or not, like them. */
static void call_nested(const struct call *c, char kind)
{
	if (kind == 'I' || kind == 'M') {
		fill();
		room.iov.iov_base = BAD;
		call(c, -1, ", data");
	}
	if (kind == 'M') {
		fill();
		room.msg.msg_iov = BAD;
		call(c, -1, ", vector");
		fill();
		room.msg.msg_name = BAD;
		room.msg.msg_namelen = 16;
		call(c, -1, ", name");
		fill();
		room.msg.msg_control = BAD;
		room.msg.msg_controllen = 64;
		call(c, -1, ", control data");
	}
	if (kind == 'N') {
		fill();
		room.messages[0].msg_hdr.msg_iov = BAD;
		call(c, -1, ", vector");
		fill();
		room.messages[0].msg_hdr.msg_control = BAD;
		room.messages[0].msg_hdr.msg_controllen = 64;
		call(c, -1, ", control data");
	}
	if (kind == 'C') {
		fill();
		room.strings[0] = BAD;
		call(c, -1, ", string");
	}
	if (kind == 'K') {
		fill();
		room.mask.mask = BAD;
		call(c, -1, ", mask");
	}
}

static void call_all(const char *kind)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++) {
		const char *args = calls[i].args;

		printf("%s: ", kind);
		for (int at = 0; args[at]; at++) {
			if (!isupper(args[at]))
				continue;
			fill();
			call(&calls[i], at, "");
			call_nested(&calls[i], args[at]);
		}
		fflush(stdout);
	}
}

static void add(void)
{
	struct epoll_event ev = { EPOLLOUT, { .u64 = 0 } };

	ep = SYS(epoll_create1(0));
	SYS(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev));
}

static int report(void)
{
	int pair[2];

	signal(SIGPIPE, SIG_IGN);
	file = SYS(open("/etc/passwd", O_RDONLY));
	SYS(pipe2(pipe_fds, O_NONBLOCK));
	fill();
	fd = SYS(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	add();
	call_all("new");
	tcp_pair(pair);
	fd = pair[0];
	SYS(fcntl(fd, F_SETFL, O_NONBLOCK));
	EQ(write(pair[1], room.bytes, 4096), 4096);
	add();
	call_all("tcp");
	fd = SYS(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0));
	SYS(connect(fd, (void *)&room.addr, sizeof(room.addr)));
	add();
	call_all("udp");
	SYS(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair));
	fd = pair[0];
	EQ(write(pair[1], room.bytes, 1000), 1000);
	add();
	call_all("unix");
	return 0;
}

int main(int argc, char **argv)
{
	static const char *const ways[] = { "lkl-hijack.sh", "lkl-run" };
	char command[8192], self[4096] = "";

	(void)argv;
	if (argc > 1)
		return report();
	SYS(readlink("/proc/self/exe", self, sizeof(self) - 1));
	CHECK(getenv("BUILD"));
	snprintf(command, sizeof(command), "'%s' report >host", self);
	EQ(system(command), 0);
	for (int i = 0; i < 2; i++) {
		snprintf(command, sizeof(command),
			 "'%s/bin/%s' '%s' report >%s; diff host %s",
			 getenv("BUILD"), ways[i], self, ways[i], ways[i]);
		if (system(command))
			FAIL("%s: other errors than the host's", ways[i]);
	}
	return 0;
}
