// SPDX-License-Identifier: GPL-2.0-only
/*
 * A system call leaves all but three registers alone, under both ways in: the
 * vector and mask registers, those of the x87 and the control words, whatever
 * the call is, whether it waits, which wire it is for, in a parent and in a
 * child.
 */
#include <arpa/inet.h>
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

#include "run.h"

#define AREA 16384
/* x87, SSE, AVX, mask registers, and both parts of AVX-512. */
#define STATE 0xe7

struct regs {
	unsigned char before[AREA], after[AREA];
} __attribute__((aligned(64)));

static unsigned int mask;
static unsigned int offset[8], size[8];

static void find_state(void)
{
	unsigned int a, b, c, d;

	__cpuid_count(0xd, 0, a, b, c, d);
	CHECK(c <= AREA);
	mask = a & STATE;
	/* The first two are in the legacy area. */
	offset[0] = 32, size[0] = 128;
	offset[1] = 160, size[1] = 256;
	for (int i = 2; i < 8; i++)
		if (mask & 1 << i)
			__cpuid_count(0xd, i, size[i], offset[i], c, d);
}

/* Registers full of values that are nowhere else; unusual control words. */
static void fill(struct regs *r, unsigned int seed)
{
	memset(r, 0, sizeof(*r));
	asm volatile("fninit; xsave64 %0"
		     : "+m"(r->before)
		     : "a"(mask), "d"(0)
		     : "memory");
	for (int i = 0; i < 8; i++)
		for (unsigned int n = 0; mask & 1 << i && n < size[i]; n++) {
			/* Ten bytes of sixteen are a register of the x87. */
			if (i == 0 && n % 16 >= 10)
				continue;
			seed = seed * 1664525 + 1013904223;
			r->before[offset[i] + n] = seed >> 24;
		}
	/* Rounds down; all of the x87 are in use. */
	*(unsigned short *)r->before = 0x77f;
	r->before[4] = 0xff;
	*(unsigned int *)(r->before + 24) = 0x3f80;
	*(unsigned long *)(r->before + 512) = mask;
}

static long call_with(struct regs *r, long nr, const long *a)
{
	asm volatile("movl %[mask], %%eax\n\t"
		     "xorl %%edx, %%edx\n\t"
		     "xrstor64 (%[before])\n\t"
		     "movq %[nr], %%rax\n\t"
		     "movq (%[a]), %%rdi\n\t"
		     "movq 8(%[a]), %%rsi\n\t"
		     "movq 16(%[a]), %%rdx\n\t"
		     "movq 24(%[a]), %%r10\n\t"
		     "movq 32(%[a]), %%r8\n\t"
		     "movq 40(%[a]), %%r9\n\t"
		     "syscall\n\t"
		     "movq %%rax, %[nr]\n\t"
		     "movl %[mask], %%eax\n\t"
		     "xorl %%edx, %%edx\n\t"
		     "xsave64 (%[after])\n\t"
		     "fninit"
		     : [nr] "+&r"(nr)
		     : [before] "r"(r->before), [after] "r"(r->after),
		       [mask] "m"(mask), [a] "r"(a)
		     : "rax", "rcx", "rdx", "rdi", "rsi", "r8", "r9", "r10",
		       "r11", "memory");
	return nr;
}

static const char *where = "parent";

static long check_call(const char *name, long nr, long a, long b, long c,
		       long d, long e, long f)
{
	/* One for a call, one for a handler in the middle of it. */
	static __thread struct regs areas[2];
	static __thread int depth;
	struct regs *r = &areas[depth++];
	static const unsigned int mxcsr = 0x1f80;
	static const char *const names[] = { "x87", "xmm", "ymm", "",
					     "",    "k",   "zmm", "zmm16" };
	long args[6] = { a, b, c, d, e, f }, ret;

	fill(r, nr * 77 + a);
	ret = call_with(r, nr, args);
	asm volatile("ldmxcsr %0" : : "m"(mxcsr));
	for (int i = 0; i < 8; i++)
		if (mask & 1 << i && memcmp(r->before + offset[i],
					    r->after + offset[i], size[i])) {
			fprintf(stderr, "%s, %s: %s changed\n", where, name,
				names[i]);
			_exit(1);
		}
	if (memcmp(r->before, r->after, 2) ||
	    memcmp(r->before + 24, r->after + 24, 4)) {
		fprintf(stderr, "%s, %s: control words changed\n", where, name);
		_exit(1);
	}
	depth--;
	return ret;
}

#define CALL6(nr, a, b, c, d, e, f)                                            \
	check_call(#nr, SYS_##nr, (long)(a), (long)(b), (long)(c), (long)(d),  \
		   (long)(e), (long)(f))
#define CALL(nr, a, b, c) CALL6(nr, a, b, c, 0, 0, 0)

static void *write_later(void *arg)
{
	usleep(20000);
	CHECK(write(*(int *)arg, "later", 5) == 5);
	return NULL;
}

/* Have a call wait until another thread writes to @fd. */
#define WAITING(fd, expr)                                                      \
	do {                                                                   \
		pthread_t thread_;                                             \
		CHECK(!pthread_create(&thread_, NULL, write_later, &(fd)));    \
		CHECK(expr);                                                   \
		CHECK(!pthread_join(thread_, NULL));                           \
	} while (0)

static void exchange(int from, int to)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct pollfd p = { .fd = from, .events = POLLIN };
	struct timespec ts = { .tv_sec = 20 };
	char buf[65536] = "";
	struct iovec iov = { buf, 5 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int ep = CALL(epoll_create1, 0, 0, 0), n;
	fd_set set;

	CHECK(ep >= 0);
	CHECK(!CALL6(epoll_ctl, ep, EPOLL_CTL_ADD, from, &ev, 0, 0));
	/* At once */
	for (n = 1; n <= 1400; n = n * 3 + 1) {
		CHECK(CALL(write, to, buf, n) == n);
		CHECK(CALL(poll, &p, 1, -1) == 1);
		CHECK(CALL(read, from, buf, sizeof(buf)) == n);
	}
	CHECK(CALL6(sendto, to, buf, 5, 0, 0, 0) == 5);
	CHECK(CALL6(epoll_wait, ep, &ev, 1, -1, 0, 0) == 1);
	CHECK(CALL6(recvfrom, from, buf, 5, 0, 0, 0) == 5);
	CHECK(CALL(sendmsg, to, &msg, 0) == 5);
	CHECK(CALL(recvmsg, from, &msg, 0) == 5);
	CHECK(CALL(writev, to, &iov, 1) == 5);
	FD_ZERO(&set);
	FD_SET(from, &set);
	CHECK(CALL6(pselect6, from + 1, &set, 0, 0, &ts, 0) == 1);
	CHECK(CALL(readv, from, &iov, 1) == 5);
	CHECK(CALL(ioctl, from, FIONREAD, &n) == 0 && n == 0);
	CHECK(CALL6(recvfrom, from, buf, 5, MSG_DONTWAIT, 0, 0) == -EAGAIN);
	CHECK(CALL(poll, &p, 1, 1) == 0);
	/* Later */
	WAITING(to, CALL(read, from, buf, sizeof(buf)) == 5);
	WAITING(to, CALL(poll, &p, 1, -1) == 1);
	WAITING(to, CALL6(recvfrom, from, buf, 5, 0, 0, 0) == 5);
	CHECK(CALL(read, from, buf, sizeof(buf)) == 5);
	WAITING(to, CALL6(epoll_wait, ep, &ev, 1, -1, 0, 0) == 1);
	CHECK(CALL(read, from, buf, sizeof(buf)) == 5);
	FD_ZERO(&set);
	FD_SET(from, &set);
	WAITING(to, CALL6(pselect6, from + 1, &set, 0, 0, &ts, 0) == 1);
	CHECK(CALL(read, from, buf, sizeof(buf)) == 5);
	CHECK(!CALL(close, ep, 0, 0));
}

static void sockets(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int u = CALL(socket, AF_INET, SOCK_DGRAM, 0);
	int l = CALL(socket, AF_INET, SOCK_STREAM, 0), c, s, one = 1;

	CHECK(u >= 0 && l >= 0);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(!CALL(bind, u, &addr, len));
	CHECK(!CALL(getsockname, u, &addr, &len));
	CHECK(!CALL(connect, u, &addr, len));
	exchange(u, u);
	addr.sin_port = 0;
	CHECK(!CALL(bind, l, &addr, len));
	CHECK(!CALL(listen, l, 5, 0));
	CHECK(!CALL(getsockname, l, &addr, &len));
	c = CALL(socket, AF_INET, SOCK_STREAM, 0);
	CHECK(!CALL(connect, c, &addr, len));
	s = CALL6(accept4, l, 0, 0, 0, 0, 0);
	CHECK(s >= 0);
	CHECK(!CALL6(setsockopt, c, 6, 1, &one, 4, 0));
	exchange(c, s);
	exchange(s, c);
	CHECK(CALL(dup, c, 0, 0) >= 0);
	CHECK(!CALL(shutdown, c, SHUT_WR, 0));
	for (int fd = u; fd <= s + 1; fd++)
		CALL(close, fd, 0, 0);
}

static void files(void)
{
	char buf[8192];
	struct stat st;
	int fd = CALL6(openat, AT_FDCWD, "/proc/net/dev", O_RDONLY, 0, 0, 0);

	CHECK(fd >= 0);
	CHECK(CALL(read, fd, buf, sizeof(buf)) > 0);
	CHECK(!CALL(fstat, fd, &st, 0));
	CHECK(!CALL(close, fd, 0, 0));
	CHECK(!CALL(stat, "/sys/class/net/lo", &st, 0));
	CHECK(!CALL(access, "/proc/net/tcp", R_OK, 0));
	CALL(readlink, "/proc/self/exe", buf, sizeof(buf));
	fd = CALL6(openat, AT_FDCWD, "/etc/passwd", O_RDONLY, 0, 0, 0);
	CHECK(fd >= 0 && CALL(read, fd, buf, sizeof(buf)) > 0);
	CHECK(!CALL(close, fd, 0, 0));
	CHECK(CALL6(openat, AT_FDCWD, "/nowhere", O_RDONLY, 0, 0, 0) ==
	      -ENOENT);
}

static void memory(void)
{
	long at = CALL6(mmap, 0, 65536, 3, 0x22, -1, 0);

	CHECK(at > 0);
	CHECK(!CALL(mprotect, at, 4096, 1));
	CHECK(!CALL(munmap, at, 65536, 0));
	CALL(brk, 0, 0, 0);
}

/* What goes to another host, by a wire. */
static void wire(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	int fd = CALL(socket, AF_INET, SOCK_DGRAM, 0), none = 0;
	char buf[1400] = "";

	inet_pton(AF_INET, "10.9.1.255", &to.sin_addr);
	none = 1;
	CHECK(!CALL6(setsockopt, fd, SOL_SOCKET, SO_BROADCAST, &none, 4, 0));
	for (int i = 0; i < 50; i++)
		CHECK(CALL6(sendto, fd, buf, sizeof(buf), 0, &to, sizeof(to)) ==
		      sizeof(buf));
	CHECK(!CALL(close, fd, 0, 0));
}

static void on_signal(int sig)
{
	(void)sig;
	CALL(getppid, 0, 0, 0);
}

static void signals(void)
{
	struct timespec ts = { .tv_nsec = 20000000 };
	struct sigaction sa = { .sa_handler = on_signal };

	CHECK(!sigaction(SIGUSR1, &sa, NULL));
	for (int i = 0; i < 20; i++)
		CHECK(!CALL(tkill, syscall(SYS_gettid), SIGUSR1, 0));
	CALL(nanosleep, &ts, 0, 0);
}

static void all(void)
{
	sockets();
	files();
	memory();
	signals();
	if (getenv("LKL_HIJACK_NET_IFTYPE"))
		wire();
}

static void children(void)
{
	pid_t pid;
	int status, held = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK(held >= 0);
	for (int i = 0; i < 2; i++) {
		/* After the first, there is nothing left to prepare. */
		pid = i ? CALL6(clone, SIGCHLD, 0, 0, 0, 0, 0) : fork();
		CHECK(pid >= 0);
		if (!pid) {
			where = "child";
			sockets();
			files();
			_exit(0);
		}
		CHECK(waitpid(pid, &status, 0) == pid && !status);
	}
}

int main(int argc, char **argv)
{
	(void)argc;
	if (!getenv("UNDER_LKL_RUN") && !access("/dev/net/tun", W_OK) &&
	    !geteuid()) {
		setenv("LKL_HIJACK_NET_IFTYPE", "tap", 1);
		setenv("LKL_HIJACK_NET_IFPARAMS", "vectors", 1);
		setenv("LKL_HIJACK_NET_IP", "10.9.1.2", 1);
		setenv("LKL_HIJACK_NET_NETMASK_LEN", "24", 1);
	}
	run_both(argv);
	find_state();
	all();
	children();
	all();
	return 0;
}
