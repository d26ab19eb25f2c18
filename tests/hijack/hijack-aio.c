// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests to files (io_submit) are as on the host for sockets of the library:
 * to poll, read and write them, in one batch with those to files of the host,
 * cancelled, destroyed, and forked; in a process that has the kernel and in its
 * children.
 */
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "hijack.h"

#define READABLE (POLLIN | POLLRDNORM)

static aio_context_t context;
static const struct timespec none;

static int submit(struct iocb *r)
{
	return syscall(SYS_io_submit, context, 1, &r);
}

static int take(struct io_event *events, int least, int most)
{
	return syscall(SYS_io_getevents, context, least, most, events,
		       least ? NULL : &none);
}

/*
 * The next event is that of @r.  One that has come true later may say what
 * nobody asked for, too.
 */
static long result(struct iocb *r)
{
	struct io_event event;

	EQ(take(&event, 1, 1), 1);
	EQ(event.obj, (unsigned long)r);
	EQ(event.data, r->aio_data);
	if (r->aio_lio_opcode == IOCB_CMD_POLL)
		event.res &= r->aio_buf | POLLHUP | POLLERR;
	return event.res;
}

static void nothing(void)
{
	struct io_event event;

	EQ(take(&event, 0, 1), 0);
}

static struct iocb request(int op, int fd, const void *buf, long n)
{
	static long data;

	return (struct iocb){ .aio_lio_opcode = op,
			      .aio_fildes = fd,
			      .aio_buf = (long)buf,
			      .aio_nbytes = n,
			      .aio_data = ++data };
}

static struct iocb to_poll(int fd, int events)
{
	return request(IOCB_CMD_POLL, fd, (void *)(long)events, 0);
}

static bool begin(void)
{
	context = 0;
	if (!syscall(SYS_io_setup, 16, &context))
		return true;
	CHECK(errno == ENOSYS || errno == EPERM);
	return false;
}

static void end(void)
{
	SYS(syscall(SYS_io_destroy, context));
}

static int set_nonblocking(int fd)
{
	return SYS(fcntl(fd, F_SETFL, O_NONBLOCK));
}

static void polls(void)
{
	struct iocb in, out, before;
	int p[2];

	if (!begin())
		return;
	tcp_pair(p);
	/* Ready already, and not yet */
	out = to_poll(p[0], POLLIN | POLLOUT);
	EQ(submit(&out), 1);
	EQ(result(&out), POLLOUT);
	in = to_poll(p[0], POLLIN | POLLRDNORM);
	before = in;
	EQ(submit(&in), 1);
	CHECK(!memcmp(&in, &before, sizeof(in)));
	nothing();
	EQ(write(p[1], "x", 1), 1);
	EQ(result(&in), READABLE);
	/* It is once; the next one is at once. */
	EQ(write(p[1], "x", 1), 1);
	nothing();
	in = to_poll(p[0], POLLIN);
	EQ(submit(&in), 1);
	EQ(result(&in), POLLIN);
	/* All that was asked for and came true, and what nobody asks for */
	EQ(read(p[0], &before, 2), 2);
	in = to_poll(p[0], POLLIN | POLLRDHUP);
	EQ(submit(&in), 1);
	nothing();
	SYS(shutdown(p[1], SHUT_WR));
	EQ(result(&in), POLLIN | POLLRDHUP);
	SYS(shutdown(p[0], SHUT_WR));
	in = to_poll(p[0], 0);
	EQ(submit(&in), 1);
	EQ(result(&in), POLLHUP);
	SYS(close(p[0]));
	SYS(close(p[1]));
	end();
}

/* One that connects becomes writable only: what waits to read is not told. */
static void connects(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	struct iocb in, out, come;
	int l, s, c;

	if (!begin())
		return;
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	l = SYS(socket(AF_INET, SOCK_STREAM, 0));
	SYS(bind(l, (void *)&addr, len));
	SYS(getsockname(l, (void *)&addr, &len));
	SYS(listen(l, 5));
	s = SYS(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	come = to_poll(l, POLLIN);
	EQ(submit(&come), 1);
	nothing();
	connect(s, (void *)&addr, len);
	EQ(result(&come), POLLIN);
	out = to_poll(s, POLLOUT);
	in = to_poll(s, POLLIN);
	EQ(submit(&in), 1);
	EQ(submit(&out), 1);
	EQ(result(&out), POLLOUT);
	nothing();
	c = SYS(accept(l, NULL, NULL));
	/* The file stays, though it has no descriptor. */
	SYS(close(s));
	nothing();
	EQ(write(c, "x", 1), 1);
	EQ(result(&in), POLLIN);
	SYS(close(c));
	SYS(close(l));
	end();
}

static void transfers(void)
{
	struct iovec parts[2] = { { "ab", 2 }, { "cde", 3 } };
	struct iocb r[3], *all[3] = { &r[0], &r[1], &r[2] };
	struct io_event events[3];
	char buf[16] = "", *mapped = NULL;
	int p[2], pipes[2], n, got;

	if (!begin())
		return;
	tcp_pair(p);
	SYS(pipe(pipes));
	/* In one batch with the host's */
	r[0] = request(IOCB_CMD_PWRITEV, p[0], parts, 2);
	r[1] = request(IOCB_CMD_PWRITE, pipes[1], "xyz", 3);
	r[2] = request(IOCB_CMD_PREAD, p[1], buf, sizeof(buf));
	EQ(syscall(SYS_io_submit, context, 3, all), 3);
	for (n = 0; n < 3; n += got) {
		got = take(events, 1, 3);
		for (int i = 0; i < got; i++)
			EQ(events[i].res,
			   events[i].obj == (unsigned long)&r[1] ? 3 : 5);
	}
	CHECK(!memcmp(buf, "abcde", 5));
	/* What does not work is said by the event, */
	set_nonblocking(p[1]);
	EQ(submit(&r[2]), 1);
	EQ(result(&r[2]), -EAGAIN);
	r[0] = request(IOCB_CMD_PREAD, p[1], buf, 1);
	r[0].aio_offset = 1;
	EQ(submit(&r[0]), 1);
	EQ(result(&r[0]), -ESPIPE);
	SYS(close(p[0]));
	EQ(submit(&r[2]), 1);
	EQ(result(&r[2]), 0);
	/* or at once. */
	for (int op = IOCB_CMD_FSYNC; op <= IOCB_CMD_NOOP; op++) {
		r[0] = request(op, p[1], NULL, 0);
		if (op != IOCB_CMD_POLL)
			FAILS(submit(&r[0]), EINVAL);
	}
	r[0] = to_poll(p[1], 0x10000);
	FAILS(submit(&r[0]), EINVAL);
	r[0] = to_poll(p[1], POLLIN);
	r[0].aio_offset = 1;
	FAILS(submit(&r[0]), EINVAL);
	r[0].aio_offset = 0;
	r[0].aio_reserved2 = 1;
	FAILS(submit(&r[0]), EINVAL);
	/* An eventfd is told of the event, too. */
	r[0] = to_poll(p[1], POLLIN);
	r[0].aio_flags = IOCB_FLAG_RESFD;
	r[0].aio_resfd = SYS(eventfd(0, 0));
	EQ(submit(&r[0]), 1);
	EQ(read(r[0].aio_resfd, buf, 8), 8);
	EQ(result(&r[0]), POLLIN);
	FAILS(submit((void *)mapped), EFAULT);
	SYS(close(r[0].aio_resfd));
	SYS(close(p[1]));
	end();
	/* The context is no more. */
	FAILS(submit(&r[0]), EINVAL);
}

/* A request that is destroyed or forked is nobody's. */
static void ends(void)
{
	struct io_event event = { .res = 1 };
	struct iocb in;
	int p[2], status;
	pid_t pid;

	if (!begin())
		return;
	tcp_pair(p);
	in = to_poll(p[0], POLLIN);
	EQ(submit(&in), 1);
	/* Cancelled, it has an event, and another one can be submitted. */
	EQ(syscall(SYS_io_cancel, context, &in, &event), -1);
	EQ(errno, EINPROGRESS);
	EQ(result(&in), 0);
	EQ(submit(&in), 1);
	pid = SYS(fork());
	if (!pid) {
		FAILS(submit(&in), EINVAL);
		EQ(write(p[1], "x", 1), 1);
		_exit(0);
	}
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
	EQ(result(&in), POLLIN);
	in = to_poll(p[1], POLLIN);
	EQ(submit(&in), 1);
	end();
	if (!begin())
		return;
	/* What is destroyed does not keep a connection open. */
	EQ(read(p[0], &event, 1), 1);
	in = to_poll(p[0], POLLIN);
	EQ(submit(&in), 1);
	SYS(close(p[1]));
	EQ(result(&in), POLLIN);
	SYS(close(p[0]));
	end();
}

/* Threads that submit, and others that take: each event comes once. */
enum { THREADS = 2, ROUNDS = 2000 };
static int taken;

static void *submitter(void *unused)
{
	struct iocb r;
	char c;
	int p[2];

	tcp_pair(p);
	for (int i = 0; i < ROUNDS; i++) {
		if (i % 3)
			r = to_poll(p[0], POLLIN);
		else
			r = request(IOCB_CMD_PWRITE, p[1], "x", 1);
		r.aio_data = (unsigned long)&r;
		__atomic_store_n(&r.aio_reserved2, 0, __ATOMIC_RELEASE);
		EQ(submit(&r), 1);
		if (i % 3)
			EQ(write(p[1], "x", 1), 1);
		/* The other thread says when by what it puts there. */
		while (!__atomic_load_n(&r.aio_reserved2, __ATOMIC_ACQUIRE))
			usleep(10);
		EQ(read(p[0], &c, 1), 1);
	}
	SYS(close(p[0]));
	SYS(close(p[1]));
	return unused;
}

static void *taker(void *unused)
{
	struct timespec soon = { .tv_nsec = 1000000 };
	struct io_event e[4];

	while (__atomic_load_n(&taken, __ATOMIC_RELAXED) < THREADS * ROUNDS) {
		int n = SYS(syscall(SYS_io_getevents, context, 1, 4, e, &soon));

		for (int i = 0; i < n; i++) {
			struct iocb *r = (void *)(unsigned long)e[i].data;

			EQ(e[i].obj, e[i].data);
			CHECK(e[i].res & 1);
			__atomic_store_n(&r->aio_reserved2, 1,
					 __ATOMIC_RELEASE);
		}
		__atomic_fetch_add(&taken, n, __ATOMIC_RELAXED);
	}
	return unused;
}

static void threads(void)
{
	pthread_t id[2 * THREADS];

	if (!begin())
		return;
	taken = 0;
	for (int i = 0; i < 2 * THREADS; i++)
		EQ(pthread_create(&id[i], NULL, i & 1 ? taker : submitter,
				  NULL),
		   0);
	for (int i = 0; i < 2 * THREADS; i++)
		EQ(pthread_join(id[i], NULL), 0);
	EQ(taken, THREADS * ROUNDS);
	end();
}

static const struct check tests[] = {
	{ "polls", polls },	    { "connects", connects },
	{ "transfers", transfers }, { "ends", ends },
	{ "threads", threads },
};

HIJACK_MAIN(tests)
