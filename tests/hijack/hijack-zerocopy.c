// SPDX-License-Identifier: GPL-2.0-only
/*
 * What MSG_ZEROCOPY tells of is in a child of the process with the kernel what
 * the host's kernel tells over its loopback: each call has its number, and has
 * been copied.
 */
#include <time.h>

#include <linux/errqueue.h>
#include <poll.h>
#include <sys/wait.h>

#include "hijack.h"

#define LARGE (3 << 20)

static char data[LARGE], record[4096];

static void note(const char *what, long n)
{
	size_t len = strlen(record);

	snprintf(record + len, sizeof(record) - len, "%s %ld\n", what, n);
}

/* Take notifications until there is one of call @last; it is told how they
 * were. */
static void completed(int fd, unsigned int last)
{
	unsigned int next = -1, first = -1;
	int copied = 1;

	do {
		char control[256];
		struct msghdr msg = { .msg_control = control,
				      .msg_controllen = sizeof(control) };
		struct sock_extended_err *err;
		struct pollfd poll_fd = { fd, 0, 0 };

		EQ(poll(&poll_fd, 1, 10000), 1);
		EQ(poll_fd.revents & POLLERR, POLLERR);
		if (recvmsg(fd, &msg, MSG_ERRQUEUE) < 0 && errno == EAGAIN)
			continue;
		CHECK(CMSG_FIRSTHDR(&msg));
		err = (void *)CMSG_DATA(CMSG_FIRSTHDR(&msg));
		EQ(err->ee_origin, SO_EE_ORIGIN_ZEROCOPY);
		EQ(err->ee_errno, 0);
		if (first == -1U)
			first = err->ee_info;
		else
			EQ(err->ee_info, next);
		next = err->ee_data + 1;
		copied &= err->ee_code == SO_EE_CODE_ZEROCOPY_COPIED;
	} while (next != last + 1);
	note("first", first);
	note("last", next - 1);
	note("copied", copied);
}

/* A process that reads what comes. */
static pid_t reader(const int p[2])
{
	pid_t pid = SYS(fork());

	if (pid)
		return pid;
	SYS(close(p[0]));
	while (read(p[1], data, sizeof(data)) > 0)
		;
	_exit(0);
}

static void enable(int fd, int on)
{
	note("set", setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)));
}

/* Nothing is told of, now that what was sent has arrived. */
static void none(int fd)
{
	struct pollfd poll_fd = { fd, 0, 0 };

	EQ(poll(&poll_fd, 1, 50), 0);
}

static void streams(void)
{
	int p[2], value = -1, room = 300000;
	socklen_t len = sizeof(value);
	pid_t pid;
	long n;

	tcp_pair(p);
	/* Without the option the flag is ignored. */
	note("send", send(p[0], data, 10, MSG_ZEROCOPY));
	none(p[0]);
	enable(p[0], 1);
	SYS(getsockopt(p[0], SOL_SOCKET, SO_ZEROCOPY, &value, &len));
	note("value", value);
	pid = reader(p);
	note("send", send(p[0], data, 10, MSG_ZEROCOPY));
	note("send", send(p[0], data, 10, 0));
	note("send", send(p[0], data, 0, MSG_ZEROCOPY));
	note("send", send(p[0], data, 10, MSG_ZEROCOPY));
	completed(p[0], 1);
	/* One call, however much it sends. */
	note("send", send(p[0], data, LARGE, MSG_ZEROCOPY));
	completed(p[0], 2);
	/* One that has an error, and sends nothing. */
	note("send", send(p[0], (void *)8, 10, MSG_ZEROCOPY));
	note("errno", errno);
	note("send", send(p[0], data, 10, MSG_ZEROCOPY));
	completed(p[0], 3);
	SYS(close(p[0]));
	SYS(close(p[1]));
	EQ(waitpid(pid, NULL, 0), pid);

	/* As much as there is room for. */
	tcp_pair(p);
	enable(p[0], 1);
	SYS(setsockopt(p[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)));
	n = SYS(send(p[0], data, LARGE, MSG_ZEROCOPY | MSG_DONTWAIT));
	CHECK(n > 0 && n < LARGE);
	pid = reader(p);
	completed(p[0], 0);
	SYS(shutdown(p[0], SHUT_WR));
	note("send", send(p[0], data, 1, MSG_ZEROCOPY | MSG_NOSIGNAL));
	note("errno", errno);
	SYS(close(p[0]));
	SYS(close(p[1]));
	EQ(waitpid(pid, NULL, 0), pid);
}

static void datagrams(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	struct iovec iov = { data, 100 };
	struct msghdr msg = { .msg_name = &addr,
			      .msg_namelen = sizeof(addr),
			      .msg_iov = &iov,
			      .msg_iovlen = 1 };
	int to = SYS(socket(AF_INET, SOCK_DGRAM, 0));
	int fd = SYS(socket(AF_INET, SOCK_DGRAM, 0)), i;
	socklen_t len = sizeof(addr);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	SYS(bind(to, (void *)&addr, sizeof(addr)));
	SYS(getsockname(to, (void *)&addr, &len));
	enable(fd, 1);
	for (i = 0; i < 3; i++) {
		note("sendmsg", sendmsg(fd, &msg, MSG_ZEROCOPY));
		note("read", read(to, data, sizeof(data)));
	}
	completed(fd, 2);
	iov.iov_len = 100000;
	note("sendmsg", sendmsg(fd, &msg, MSG_ZEROCOPY));
	note("errno", errno);
	SYS(close(fd));
	SYS(close(to));
}

static void others(void)
{
	int p[2];

	SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	enable(p[0], 1);
	note("errno", errno);
	tcp_pair(p);
	enable(p[0], 2);
	note("errno", errno);
}

static void all(void)
{
	streams();
	datagrams();
	others();
}

static void as_on_the_host(void)
{
	const char *host = getenv("HOST_RECORD");
	int status;
	pid_t pid;

	/* It has the kernel, and the child has not. */
	SYS(socket(AF_INET, SOCK_DGRAM, 0));
	pid = SYS(fork());
	if (!pid) {
		all();
		if (strcmp(record, host))
			FAIL("the host:\n%sthe library:\n%s", host, record);
		_exit(0);
	}
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
}

static const struct check tests[] = {
	{ "as on the host", as_on_the_host },
};

int main(int argc, char **argv)
{
	if (!getenv("HOST_RECORD")) {
		all();
		setenv("HOST_RECORD", record, 1);
	}
	hijack_self(argv);
	return check_main(tests, ARRAY_SIZE(tests), argc, argv);
}
