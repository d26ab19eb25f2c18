// SPDX-License-Identifier: GPL-2.0-only
/*
 * Short sequences of random calls return the same under both ways in as on the
 * host: over sockets of the library's and of the host's, pipes, epolls, poll(),
 * select(), duplicates, forks, threads and signals.
 *
 * The program prints what each call returns.  What it prints for the same
 * numbers is compared line by line.  A sequence that differs is made again some
 * times, as the host may deliver a packet later than usual; one that never
 * comes out the same is a fault.  DIFFER_SECONDS is how long it goes on,
 * DIFFER_SEED where it begins.
 *
 * No difference is meant.  What is known to differ is not among the calls:
 * descriptors of the library's are not passed through unix sockets, and a
 * receive with a limit of time that a handler with SA_RESTART interrupts is
 * made again, while the host ends it with EINTR.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>

#include "hijack.h"

/* Descriptors of a sequence, and its calls. */
#define SLOTS 8
#define CALLS 14
/* Sequences of one process, and how often one that differs is made again. */
#define BATCH 100
#define AGAIN 5

static int slots[SLOTS];
static unsigned long state;
static volatile int signals;

static unsigned int below(unsigned int n)
{
	state = state * 6364136223846793005 + 1442695040888963407;
	return (state >> 33) % n;
}

static int any(void)
{
	return slots[below(SLOTS)];
}

/* A slot for a new descriptor; what is in it is closed. */
static int *vacant(void)
{
	int i;

	for (i = 0; i < SLOTS; i++)
		if (slots[i] < 0)
			return &slots[i];
	i = below(SLOTS);
	close(slots[i]);
	return &slots[i];
}

static void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
}

/* What a call returned. */
static long told(const char *name, int fd, long ret)
{
	int err = errno;

	if (ret < 0)
		say(" %s(%d)=%s", name, fd, strerrorname_np(err));
	else
		say(" %s(%d)=%ld", name, fd, ret);
	return ret;
}

static void put(int fd)
{
	if (fd >= 0)
		*vacant() = fd;
}

static void loopback(struct sockaddr_in *addr)
{
	*addr = (struct sockaddr_in){ .sin_family = AF_INET };
	addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

/*
 * Making descriptors
 */
static void make_socket(void)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM };
	static const int families[] = { AF_INET, AF_INET6, AF_UNIX };
	int family = families[below(3)];
	int type = types[below(2)] | (below(2) ? SOCK_CLOEXEC : 0);

	put(told("socket", family, socket(family, type | SOCK_NONBLOCK, 0)));
}

static void make_pair(void)
{
	int p[2] = { -1, -1 };
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);

	switch (below(5)) {
	case 0:
		told("pipe", 0, pipe2(p, O_NONBLOCK));
		break;
	case 1:
		told("socketpair", 0,
		     socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p));
		break;
	case 2:
		p[0] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		p[1] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		loopback(&addr);
		SYS(bind(p[0], (void *)&addr, len));
		SYS(getsockname(p[0], (void *)&addr, &len));
		told("connect-udp", p[1], connect(p[1], (void *)&addr, len));
		SYS(getsockname(p[1], (void *)&addr, &len));
		SYS(connect(p[0], (void *)&addr, len));
		break;
	default:
		tcp_pair(p);
		SYS(fcntl(p[0], F_SETFL, O_NONBLOCK));
		SYS(fcntl(p[1], F_SETFL, O_NONBLOCK));
		told("tcp", p[0], p[1]);
	}
	put(p[0]);
	put(p[1]);
}

static void make_other(void)
{
	if (below(3))
		put(told("epoll_create", 0, epoll_create1(0)));
	else if (below(2))
		put(told("eventfd", 0, eventfd(below(2), EFD_NONBLOCK)));
	else
		put(told("open", 0, open("/etc/passwd", O_RDONLY)));
}

/* Of a listener, and what connects to it. */
static void make_connection(void)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);
	int l = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), c;

	loopback(&addr);
	SYS(bind(l, (void *)&addr, len));
	told("listen", l, listen(l, 2));
	SYS(getsockname(l, (void *)&addr, &len));
	c = SYS(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	if (connect(c, (void *)&addr, len) && errno != EINPROGRESS)
		told("connect", c, -1);
	usleep(200);
	put(l);
	put(c);
}

/*
 * Data
 */
static void send_some(void)
{
	static char data[3000];
	struct iovec iov[2] = { { data, 5 }, { data, below(20) } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	int fd = any();

	switch (below(6)) {
	case 0:
		told("write", fd, write(fd, data, 8 * below(3)));
		break;
	case 1:
		told("send", fd, send(fd, data, below(3000), 0));
		break;
	case 2:
		told("send-nosignal", fd, send(fd, data, 10, MSG_NOSIGNAL));
		break;
	case 3:
		told("writev", fd, writev(fd, iov, 2));
		break;
	case 4:
		told("sendmsg", fd, sendmsg(fd, &msg, MSG_DONTWAIT));
		break;
	default:
		told("pwrite", fd, pwrite(fd, data, 1, 0));
	}
}

static void receive_some(void)
{
	static char data[3000];
	struct sockaddr_storage from = { .ss_family = 0 };
	socklen_t len = sizeof(from);
	int fd = any();

	switch (below(5)) {
	case 0:
		told("read", fd, read(fd, data, 8 * below(3)));
		break;
	case 1:
		told("recv", fd, recv(fd, data, 1 + below(2999), 0));
		break;
	case 2:
		told("recv-peek", fd, recv(fd, data, 4, MSG_PEEK));
		break;
	case 3:
		if (told("recvfrom", fd,
			 recvfrom(fd, data, 100, MSG_TRUNC, (void *)&from,
				  &len)) >= 0)
			say(" from %d/%u", from.ss_family, len);
		break;
	default:
		told("pread", fd, pread(fd, data, 1, 0));
	}
}

static void copy_some(void)
{
	int in = any(), out = any();
	off_t offset = 0;
	unsigned int n = below(3) * 10;

	switch (below(5)) {
	case 0:
		told("sendfile", out, sendfile(out, in, NULL, n));
		break;
	case 1:
		told("sendfile-at", out, sendfile(out, in, &offset, n));
		break;
	case 2:
		told("splice-at", in, splice(in, &offset, out, NULL, n, 0));
		break;
	case 3:
		told("tee", in, tee(in, out, n, SPLICE_F_NONBLOCK));
		break;
	default:
		told("splice", in,
		     splice(in, NULL, out, NULL, n, SPLICE_F_NONBLOCK));
	}
}

/*
 * Descriptors
 */
static void duplicate(void)
{
	int fd = any(), *to = &slots[below(SLOTS)];

	switch (below(4)) {
	case 0:
		put(told("dup", fd, dup(fd)));
		break;
	case 1:
		put(told("fcntl-dup", fd, fcntl(fd, F_DUPFD_CLOEXEC, 20)));
		break;
	case 2:
		if (*to >= 0)
			told("dup2", fd, dup2(fd, *to));
		break;
	default:
		if (*to >= 0)
			told("dup3", fd, dup3(fd, *to, O_CLOEXEC));
	}
}

static void close_one(void)
{
	int *fd = &slots[below(SLOTS)];

	told("close", *fd, close(*fd));
	*fd = -1;
}

static void ask(void)
{
	static const int options[] = { SO_TYPE, SO_ERROR, SO_ACCEPTCONN,
				       SO_DOMAIN, SO_PROTOCOL };
	struct sockaddr_storage name = { .ss_family = 0 };
	int fd = any(), value = -1, option = options[below(5)];
	socklen_t len = sizeof(value);
	struct stat st;

	switch (below(9)) {
	case 0:
		if (told("getsockopt", fd,
			 getsockopt(fd, SOL_SOCKET, option, &value, &len)) >= 0)
			say(" %d: %d", option, value);
		break;
	case 1:
		told("getfl", fd, fcntl(fd, F_GETFL));
		break;
	case 2:
		told("getfd", fd, fcntl(fd, F_GETFD));
		break;
	case 3:
		if (told("fionread", fd, ioctl(fd, FIONREAD, &value)) >= 0)
			say(" %d", value);
		break;
	case 4:
		if (told("fstat", fd, fstat(fd, &st)) >= 0)
			say(" %o", st.st_mode & S_IFMT);
		break;
	case 5:
		told("lseek", fd, lseek(fd, 0, SEEK_CUR));
		break;
	case 6:
		len = sizeof(name);
		if (told("getpeername", fd,
			 getpeername(fd, (void *)&name, &len)) >= 0)
			say(" %d/%u", name.ss_family, len);
		break;
	case 7:
		len = sizeof(name);
		if (told("getsockname", fd,
			 getsockname(fd, (void *)&name, &len)) >= 0)
			say(" %d/%u", name.ss_family, len);
		break;
	default:
		told("fsync", fd, fsync(fd));
	}
}

static void change(void)
{
	struct sockaddr_in addr;
	int fd = any(), one = 1;

	loopback(&addr);
	switch (below(7)) {
	case 0:
		told("shutdown", fd, shutdown(fd, below(4)));
		break;
	case 1:
		told("listen", fd, listen(fd, 1));
		break;
	case 2:
		told("bind", fd, bind(fd, (void *)&addr, sizeof(addr)));
		break;
	case 3:
		addr.sin_port = htons(1);
		told("connect", fd, connect(fd, (void *)&addr, sizeof(addr)));
		break;
	case 4:
		put(told("accept", fd, accept4(fd, NULL, NULL, SOCK_NONBLOCK)));
		break;
	case 5:
		told("setsockopt", fd,
		     setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one,
				sizeof(one)));
		break;
	default:
		told("setfd", fd, fcntl(fd, F_SETFD, below(2)));
	}
}

/*
 * Waiting
 */
static void control(void)
{
	static const unsigned int kinds[] = { EPOLLIN, EPOLLOUT,
					      EPOLLIN | EPOLLOUT | EPOLLRDHUP,
					      0 };
	static const unsigned int modes[] = { 0, EPOLLET, EPOLLONESHOT, 0 };
	int ep = any(), op = 1 + below(4), fd = any();
	struct epoll_event ev = { kinds[below(4)] | modes[below(4)],
				  { .u64 = fd } };

	/* Of most, that there is something to wait for. */
	if (op == 4)
		op = EPOLL_CTL_ADD;
	for (int i = 0; i < 2 * SLOTS && epoll_wait(ep, &ev, 1, 0) < 0; i++) {
		ep = slots[i % SLOTS];
		ev.data.u64 = fd;
	}
	ev.events = kinds[below(4)] | modes[below(4)];
	ev.data.u64 = fd;
	say(" %d:", fd);
	told(op == EPOLL_CTL_ADD   ? "add"
	     : op == EPOLL_CTL_MOD ? "mod"
				   : "del",
	     ep, epoll_ctl(ep, op, fd, &ev));
}

static int by_number(const void *a, const void *b)
{
	const struct epoll_event *x = a, *y = b;

	return (int)x->data.u64 - (int)y->data.u64;
}

static void look_epoll(int timeout)
{
	struct epoll_event ev[64];
	int ep = any(), n = epoll_wait(ep, ev, 64, timeout);

	if (told("epoll_wait", ep, n) <= 0)
		return;
	qsort(ev, n, sizeof(*ev), by_number);
	for (int i = 0; i < n; i++)
		say(" %d:%x", (int)ev[i].data.u64, ev[i].events);
}

static void look_poll(int timeout)
{
	struct pollfd fds[SLOTS];
	int i, n = 1 + below(SLOTS);

	for (i = 0; i < n; i++)
		fds[i] = (struct pollfd){ any(),
					  below(8) ? POLLIN | POLLOUT : POLLPRI,
					  0 };
	told("poll", n, poll(fds, n, timeout));
	for (i = 0; i < n; i++)
		say(" %d:%x", fds[i].fd, fds[i].revents);
}

static void look_select(int timeout)
{
	struct timeval tv = { 0, timeout * 1000 };
	fd_set in, out;
	int i, fd;

	FD_ZERO(&in);
	FD_ZERO(&out);
	for (i = 0; i < 4; i++) {
		fd = any();
		if (fd >= 0)
			FD_SET(fd, below(2) ? &in : &out);
	}
	told("select", 0, select(100, &in, &out, NULL, &tv));
	for (fd = 0; fd < 100; fd++)
		if (FD_ISSET(fd, &in) || FD_ISSET(fd, &out))
			say(" %d:%d%d", fd, !!FD_ISSET(fd, &in),
			    !!FD_ISSET(fd, &out));
}

static void look(void)
{
	int timeout = below(8) ? 0 : 2;

	switch (below(4)) {
	case 0:
		look_poll(timeout);
		break;
	case 1:
		look_select(timeout);
		break;
	default:
		look_epoll(timeout);
	}
}

/*
 * More than one
 */

/* A child does one thing to what it has inherited. */
static void in_child(void)
{
	int fd = any(), what = below(5), status = 0;
	struct pollfd pfd = { fd, POLLIN | POLLOUT, 0 };
	char c[4];
	pid_t pid;

	fflush(stdout);
	pid = SYS(fork());
	if (!pid) {
		long ret = what == 0   ? write(fd, "abc", 3)
			   : what == 1 ? read(fd, c, 4)
			   : what == 2 ? close(fd)
			   : what == 3 ? dup(fd)
				       : poll(&pfd, 1, 0) + pfd.revents;

		_exit(ret < 0 ? 100 + errno : ret & 63);
	}
	EQ(waitpid(pid, &status, 0), pid);
	say(" child-%d(%d)=%x", what, fd, status);
	/* The library closes what the child had a little later. */
	usleep(20000);
}

struct sleeper {
	int kind, fd, ret, revents;
};

static void *sleep_on(void *arg)
{
	struct sleeper *s = arg;
	struct pollfd fd = { s->fd, POLLIN, 0 };
	struct epoll_event ev;
	fd_set in;

	switch (s->kind) {
	case 0:
		s->ret = poll(&fd, 1, 3000);
		s->revents = fd.revents;
		break;
	case 1:
		FD_ZERO(&in);
		FD_SET(s->fd, &in);
		s->ret = select(s->fd + 1, &in, NULL, NULL,
				&(struct timeval){ 3, 0 });
		break;
	default:
		s->ret = epoll_wait(s->fd, &ev, 1, 3000);
		s->revents = s->ret > 0 ? (int)ev.events : 0;
	}
	return NULL;
}

/* A thread sleeps, and another one has it wake up, by more ways than one. */
static void with_thread(void)
{
	int p[2], ep = -1, how = below(4);
	struct epoll_event ev = { EPOLLIN, { .u64 = 1 } };
	struct sleeper s = { .kind = below(3) };
	pthread_t thread;

	if (below(3))
		tcp_pair(p);
	else
		SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	s.fd = p[1];
	if (s.kind == 2) {
		ep = SYS(epoll_create1(0));
		if (how != 3)
			SYS(epoll_ctl(ep, EPOLL_CTL_ADD, p[1], &ev));
		s.fd = ep;
	}
	EQ(pthread_create(&thread, NULL, sleep_on, &s), 0);
	usleep(below(3) * 500);
	if (how == 0)
		SYS(shutdown(p[0], SHUT_WR));
	else if (how == 1)
		SYS(close(p[0]));
	else
		EQ(write(p[0], "x", 1), 1);
	if (s.kind == 2 && how == 3)
		SYS(epoll_ctl(ep, EPOLL_CTL_ADD, p[1], &ev));
	pthread_join(thread, NULL);
	say(" thread-%d-%d=%d:%x", s.kind, how, s.ret, s.revents);
	if (how != 1)
		close(p[0]);
	close(p[1]);
	if (ep >= 0)
		close(ep);
}

static void on_signal(int sig)
{
	(void)sig;
	signals++;
}

/* A signal ends a wait, or does not. */
static void with_signal(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct itimerval timer = { { 0, 3000 }, { 0, 3000 } }, none = { 0 };
	int p[2], what = below(4);
	struct pollfd fd;
	char c;

	sa.sa_flags = below(2) ? SA_RESTART : 0;
	tcp_pair(p);
	fd = (struct pollfd){ p[0], POLLIN, 0 };
	/* It would go on for ever if it goes on. */
	if (sa.sa_flags && what > 1)
		SYS(shutdown(p[1], SHUT_WR));
	SYS(sigaction(SIGALRM, &sa, NULL));
	SYS(setitimer(ITIMER_REAL, &timer, NULL));
	say(" signal-%d-%d", what, !!sa.sa_flags);
	if (what == 0)
		told("poll", 0, poll(&fd, 1, -1));
	else if (what == 1)
		told("pause", 0, pause());
	else
		told("read", 0, read(p[0], &c, 1));
	SYS(setitimer(ITIMER_REAL, &none, NULL));
	close(p[0]);
	close(p[1]);
}

static void sequence(unsigned long seed)
{
	static void (*const calls[])(void) = {
		make_socket, make_pair,	   make_pair,
		make_other,  send_some,	   send_some,
		send_some,   receive_some, receive_some,
		copy_some,   duplicate,	   close_one,
		ask,	     ask,	   change,
		control,     control,	   control,
		look,	     look,	   make_connection,
	};
	static void (*const seldom[])(void) = { in_child, with_thread,
						with_signal };

	state = seed;
	signals = 0;
	for (int i = 0; i < SLOTS; i++)
		slots[i] = -1;
	for (int i = 0; i < CALLS; i++) {
		say("%lu.%d:", seed, i);
		if (i < 2)
			make_pair();
		else if (!below(20))
			seldom[below(ARRAY_SIZE(seldom))]();
		else
			calls[below(ARRAY_SIZE(calls))]();
		say("\n");
		/* Packets arrive. */
		usleep(50);
	}
	say("%lu: %d signals\n", seed, !!signals);
	SYS(syscall(SYS_close_range, 3, ~0U, 0));
}

static int report(unsigned long first, unsigned long count)
{
	signal(SIGPIPE, on_signal);
	/* Those that the harness has left open are of no concern. */
	SYS(syscall(SYS_close_range, 3, ~0U, 0));
	for (unsigned long i = 0; i < count; i++)
		sequence(first + i);
	return 0;
}

/*
 * Comparing
 */
static char self[4096];

static void run(const char *way, unsigned long first, unsigned long count)
{
	char command[8192];
	int status;

	if (way)
		snprintf(command, sizeof(command),
			 "'%s/bin/%s' '%s' %lu %lu >%s 2>&1", getenv("BUILD"),
			 way, self, first, count, way);
	else
		snprintf(command, sizeof(command), "'%s' %lu %lu >host 2>&1",
			 self, first, count);
	status = system(command);
	if (status) {
		snprintf(command, sizeof(command), "tail -n 3 %s",
			 way ? way : "host");
		status = system(command);
		FAIL("%s: sequences %lu to %lu fail", way ? way : "host", first,
		     first + count - 1);
	}
}

/* The first sequence that differs, or 0. */
static unsigned long compare(const char *way)
{
	FILE *a = fopen("host", "r"), *b = fopen(way, "r");
	char x[1024], y[1024];
	unsigned long differs = 0;

	CHECK(a && b);
	while (!differs && fgets(x, sizeof(x), a))
		if (!fgets(y, sizeof(y), b) || strcmp(x, y))
			differs = strtoul(x, NULL, 10);
	fclose(a);
	fclose(b);
	return differs;
}

static void check(const char *way, unsigned long first, unsigned long count)
{
	char command[256];
	unsigned long seed;
	int tries;

	run(NULL, first, count);
	run(way, first, count);
	while ((seed = compare(way))) {
		for (tries = 0; tries < AGAIN; tries++) {
			run(NULL, seed, 1);
			run(way, seed, 1);
			if (!compare(way))
				break;
		}
		if (tries == AGAIN) {
			snprintf(command, sizeof(command), "diff -U 20 host %s",
				 way);
			tries = system(command);
			FAIL("%s: sequence %lu differs", way, seed);
		}
		count -= seed + 1 - first;
		first = seed + 1;
		if (!count)
			break;
		run(NULL, first, count);
		run(way, first, count);
	}
}

int main(int argc, char **argv)
{
	const char *seconds = getenv("DIFFER_SECONDS");
	const char *seed = getenv("DIFFER_SEED");
	unsigned long first = seed ? strtoul(seed, NULL, 10) : 1;
	time_t end = time(NULL) + (seconds ? atoi(seconds) : 20);
	unsigned long n;

	if (argc > 2)
		return report(strtoul(argv[1], NULL, 10),
			      strtoul(argv[2], NULL, 10));
	CHECK(getenv("BUILD"));
	self[SYS(readlink("/proc/self/exe", self, sizeof(self) - 1))] = 0;
	for (n = 0; time(NULL) < end; n += BATCH) {
		check("lkl-hijack.sh", first + n, BATCH);
		check("lkl-run", first + n, BATCH);
	}
	printf("%lu sequences\n", n);
	return 0;
}
