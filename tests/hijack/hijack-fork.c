// SPDX-License-Identifier: GPL-2.0-only
/*
 * A forked process goes on using the sockets that it has inherited, and makes
 * new ones, as on a host, and leaves nothing behind.  Other tests show that
 * waiting, signals and messages are the same there: see hijack-fork.sh.
 */
#include <linux/ethtool.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/route.h>
#include <poll.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "hijack.h"

static int pair[2], ep;
/* Pipes of the host's: from a child, and to it. */
static int up[2], down[2];

static void setup(void)
{
	SYS(pipe(up));
	SYS(pipe(down));
	tcp_pair(pair);
}

static pid_t child(void (*fn)(void))
{
	pid_t pid = SYS(fork());

	if (pid)
		return pid;
	fn();
	_exit(0);
}

static void ends(pid_t pid, int want)
{
	int status;

	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, want);
}

static void put(int fd)
{
	EQ(write(fd, "x", 1), 1);
}

static void get(int fd)
{
	char c = 0;

	EQ(read(fd, &c, 1), 1);
	EQ(c, 'x');
}

static void at_end(int fd)
{
	char c;

	EQ(read(fd, &c, 1), 0);
}

/* A socket that listens on the loopback interface. */
static struct sockaddr_in addr;

static int listener(void)
{
	socklen_t len = sizeof(addr);
	int fd = SYS(socket(AF_INET, SOCK_STREAM, 0));

	addr = (struct sockaddr_in){ .sin_family = AF_INET };
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	SYS(bind(fd, (void *)&addr, sizeof(addr)));
	SYS(listen(fd, 100));
	SYS(getsockname(fd, (void *)&addr, &len));
	return fd;
}

static int connection(void)
{
	int fd = SYS(socket(AF_INET, SOCK_STREAM, 0));

	SYS(connect(fd, (void *)&addr, sizeof(addr)));
	return fd;
}

static void use_pair(void)
{
	get(pair[1]);
	put(pair[1]);
	SYS(close(pair[0]));
	SYS(close(pair[1]));
	put(up[1]);
	get(down[0]);
}

static void sharing(void)
{
	pid_t pid;

	setup();
	pid = child(use_pair);
	put(pair[0]);
	get(pair[0]);
	/* The child has closed both, but not ours. */
	get(up[0]);
	put(pair[0]);
	get(pair[1]);
	SYS(close(pair[1]));
	/* Nor has it them any more. */
	at_end(pair[0]);
	put(down[1]);
	ends(pid, 0);
}

/* A child has room within a limit of its address space. */
static void count_pages(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long pages;

	CHECK(file);
	EQ(fscanf(file, "%lu", &pages), 1);
	CHECK(pages < 1 << 18);
	fclose(file);
}

static void room(void)
{
	setup();
	ends(child(count_pages), 0);
}

static void keep_pair(void)
{
	SYS(close(pair[0]));
	get(pair[1]);
}

static void last_close(void)
{
	struct pollfd fd;
	pid_t pid;

	tcp_pair(pair);
	pid = child(keep_pair);
	SYS(close(pair[1]));
	fd = (struct pollfd){ pair[0], POLLIN, 0 };
	EQ(poll(&fd, 1, 50), 0);
	put(pair[0]);
	EQ(poll(&fd, 1, 10000), 1);
	at_end(pair[0]);
	ends(pid, 0);
}

static int server;

static void accept_one(void)
{
	int fd = SYS(accept(server, NULL, NULL));

	put(fd);
	get(fd);
}

/* Any of them may accept first; each of them does once. */
static void preforked(void)
{
	pid_t pids[4];
	int i, fds[4];

	server = listener();
	for (i = 0; i < 4; i++)
		pids[i] = child(accept_one);
	for (i = 0; i < 4; i++)
		get(fds[i] = connection());
	for (i = 0; i < 4; i++) {
		put(fds[i]);
		at_end(fds[i]);
		SYS(close(fds[i]));
	}
	for (i = 0; i < 4; i++)
		ends(pids[i], 0);
}

static void grandchild(void)
{
	char name[64];
	int fd = connection();

	put(fd);
	get(pair[1]);
	get(server);
	/* New ones: of all kinds, and files. */
	SYS(close(SYS(socket(AF_INET6, SOCK_DGRAM, 0))));
	SYS(close(SYS(socket(AF_NETLINK, SOCK_RAW, 0))));
	fd = SYS(open("/proc/sys/net/ipv4/ip_default_ttl", O_RDONLY));
	CHECK(SYS(read(fd, name, sizeof(name))) > 0);
}

static void middle(void)
{
	int fd = listener(), status;
	pid_t pid;

	server = connection();
	fd = SYS(accept(fd, NULL, NULL));
	put(fd);
	addr.sin_port = 0;
	fd = listener();
	pid = child(grandchild);
	SYS(close(server));
	SYS(close(pair[1]));
	fd = SYS(accept(fd, NULL, NULL));
	get(fd);
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
	at_end(fd);
}

static void descendants(void)
{
	pid_t pid;

	tcp_pair(pair);
	pid = child(middle);
	put(pair[0]);
	SYS(close(pair[1]));
	at_end(pair[0]);
	ends(pid, 0);
}

static void *thread_accepts(void *arg)
{
	int fd = SYS(accept((long)arg, NULL, NULL));

	put(fd);
	at_end(fd);
	SYS(close(fd));
	return NULL;
}

static void *thread_talks(void *unused)
{
	int p[2], i;

	(void)unused;
	for (i = 0; i < 20; i++) {
		tcp_pair(p);
		put(p[0]);
		get(p[1]);
		SYS(close(p[0]));
		at_end(p[1]);
		SYS(close(p[1]));
	}
	return NULL;
}

/* A thread that waits holds up no other; threads come and go. */
static void in_threads(void)
{
	pthread_t waits[4], talks[8];
	int round, i, fd;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < 4; i++)
			waits[i] = start(thread_accepts, (void *)(long)server);
		for (i = 0; i < 8; i++)
			talks[i] = start(thread_talks, NULL);
		for (i = 0; i < 8; i++)
			EQ(pthread_join(talks[i], NULL), 0);
		for (i = 0; i < 4; i++) {
			get(fd = connection());
			SYS(close(fd));
		}
		for (i = 0; i < 4; i++)
			EQ(pthread_join(waits[i], NULL), 0);
	}
}

static void threads(void)
{
	struct sockaddr_in was;

	server = listener();
	was = addr;
	ends(child(in_threads), 0);
	addr = was;
	/* And from one of several. */
	in_threads();
	ends(child(in_threads), 0);
}

static void wait_for_ever(void)
{
	SYS(close(pair[0]));
	put(up[1]);
	get(pair[1]);
}

/* A process may end without closing anything. */
static void killed(void)
{
	pid_t pid;

	setup();
	pid = child(wait_for_ever);
	SYS(close(pair[1]));
	get(up[0]);
	msleep(20);
	SYS(kill(pid, SIGKILL));
	at_end(pair[0]);
	ends(pid, SIGKILL);
}

static void execute(void)
{
	SYS(dup2(down[0], 0));
	SYS(fcntl(pair[0], F_SETFD, FD_CLOEXEC));
	SYS(fcntl(pair[1], F_SETFD, FD_CLOEXEC));
	execl("/bin/sh", "sh", "-c", "read x", NULL);
}

/* What executes a program without sockets gives them away. */
static void executed(void)
{
	pid_t pid;

	setup();
	pid = child(execute);
	SYS(close(pair[1]));
	at_end(pair[0]);
	EQ(write(down[1], "\n", 1), 1);
	ends(pid, 0);
}

/* About as much as the host takes: more than our stack has room for. */
static void *executes_many(void *arg)
{
	enum { N = 75000 };
	static char *args[N + 1], *env[N + 1];

	/* As a rule, just below that. */
	CHECK(mmap(NULL, 4 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		   0) != MAP_FAILED);
	for (int i = 0; i < N; i++)
		args[i] = env[i] = "";
	args[0] = "sh";
	args[1] = "-c";
	args[2] = "test $# = 74996";
	execve("/bin/sh", args, env);
	FAIL("execve: %s", strerror(errno));
	return arg;
}

static void execute_many(void)
{
	pthread_join(start(executes_many, NULL), NULL);
}

static void executed_many(void)
{
	setup();
	ends(child(execute_many), 0);
}

static void talk(void)
{
	get(0);
	put(0);
}

/* A program that was executed with a socket for its input. */
static int inheriting(void)
{
	pid_t pid;

	talk();
	tcp_pair(pair);
	EQ(pair[0] < 10, 1);
	pid = child(talk);
	ends(pid, 0);
	put(pair[0]);
	get(pair[1]);
	SYS(shutdown(0, SHUT_WR));
	get(0);
	return 0;
}

static int other_pair[2];

static void execute_self(void)
{
	char self[4096];

	self[SYS(readlink("/proc/self/exe", self, sizeof(self) - 1))] = 0;
	SYS(dup2(pair[1], 0));
	SYS(close(pair[0]));
	SYS(close(other_pair[0]));
	SYS(fcntl(pair[1], F_SETFD, FD_CLOEXEC));
	SYS(fcntl(other_pair[1], F_SETFD, FD_CLOEXEC));
	FAILS(execl("/no/such", "such", NULL), ENOENT);
	execl(self, self, "--inheriting", NULL);
}

/* What inherits a socket goes on with it, and has no others. */
static void inherited(void)
{
	pid_t pid;

	tcp_pair(pair);
	tcp_pair(other_pair);
	pid = child(execute_self);
	SYS(close(pair[1]));
	SYS(close(other_pair[1]));
	at_end(other_pair[0]);
	for (int i = 0; i < 2; i++) {
		put(pair[0]);
		get(pair[0]);
	}
	at_end(pair[0]);
	put(pair[0]);
	ends(pid, 0);
}

#define LARGE (3 << 20)
static char large[LARGE], other[LARGE];

static void *receive(void *unused)
{
	size_t n = 0;
	long m;

	(void)unused;
	while (n < 4UL * LARGE) {
		m = SYS(recv(pair[0], other + n % LARGE, LARGE - n % LARGE, 0));
		EQ(m > 0, 1);
		EQ(memcmp(other + n % LARGE, large + n % LARGE, m), 0);
		n += m;
	}
	EQ(send(pair[0], large, LARGE, 0), LARGE);
	return NULL;
}

static void transfer(void)
{
	struct iovec iov[3] = { { large, 5 },
				{ large + 5, LARGE - 15 },
				{ large + LARGE - 10, 10 } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 3 };
	int fd = SYS(fileno(tmpfile()));

	EQ(write(pair[1], large, LARGE), LARGE);
	EQ(writev(pair[1], iov, 3), LARGE);
	EQ(sendmsg(pair[1], &msg, 0), LARGE);
	EQ(write(fd, large, LARGE), LARGE);
	EQ(lseek(fd, 0, SEEK_SET), 0);
	EQ(sendfile(pair[1], fd, NULL, LARGE), LARGE);
	iov[0].iov_base = other;
	iov[1].iov_base = other + 5;
	iov[2].iov_base = other + LARGE - 10;
	EQ(recvmsg(pair[1], &msg, MSG_WAITALL), LARGE);
	EQ(memcmp(other, large, LARGE), 0);
}

static void much(void)
{
	pthread_t thread;
	pid_t pid;
	int i;

	for (i = 0; i < LARGE; i++)
		large[i] = i * 7 / 5;
	tcp_pair(pair);
	pid = child(transfer);
	thread = start(receive, NULL);
	ends(pid, 0);
	EQ(pthread_join(thread, NULL), 0);
}

/* What a child has not is not there, and what depends on it does without. */
static int parents;
static void use_absent(void)
{
	char receive[40] = { 0 };
	int fd = SYS(socket(AF_PACKET, SOCK_RAW, 0)), version = 0;
	struct tpacket_req req = { 4096, 1, 2048, 2 };
	socklen_t len = sizeof(version);

	FAILS(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)),
	      ENOPROTOOPT);
	FAILS(setsockopt(fd, SOL_PACKET, PACKET_TX_RING, &req, sizeof(req)),
	      ENOPROTOOPT);
	FAILS(getsockopt(fd, SOL_PACKET, PACKET_HDRLEN, &version, &len),
	      ENOPROTOOPT);
	EQ((long)mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0), -1);
	EQ(errno, ENODEV);
	len = sizeof(receive);
	FAILS(getsockopt(pair[1], IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, receive,
			 &len),
	      ENOPROTOOPT);
	EQ((long)mmap(NULL, 4096, PROT_READ, MAP_SHARED, pair[1], 0), -1);
	EQ(errno, ENODEV);
	FAILS(socket(AF_XDP, SOCK_RAW, 0), EAFNOSUPPORT);
	/* The parent's has rings, too, which none fills. */
	FAILS(setsockopt(parents, SOL_XDP, 2, &req, sizeof(req)), ENOPROTOOPT);
}

static void absent(void)
{
	setup();
	parents = SYS(socket(AF_XDP, SOCK_RAW, 0));
	ends(child(use_absent), 0);
}

/* Arguments that have pointers. */
static void use_controls(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct sockaddr_in mask = { .sin_family = AF_INET };
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ethtool_value on = { .cmd = ETHTOOL_GLINK };
	struct rtentry route = { .rt_flags = RTF_UP, .rt_dev = (char *)"lo" };
	struct ifreq request = { .ifr_name = "lo", .ifr_data = (void *)&on };
	struct in6_rtmsg route6 = { .rtmsg_dst_len = 64,
				    .rtmsg_metric = 1,
				    .rtmsg_ifindex = 1 };
	int fd = SYS(socket(AF_INET, SOCK_DGRAM, 0)), fd6;

	SYS(ioctl(fd, SIOCETHTOOL, &request));
	EQ(on.data, 1);
	request.ifr_data = (void *)&info;
	/* It is not a device that has a driver. */
	EQ(ioctl(fd, SIOCETHTOOL, &request) && errno != EOPNOTSUPP, 0);
	request.ifr_data = (void *)8;
	FAILS(ioctl(fd, SIOCETHTOOL, &request), EFAULT);
	to.sin_addr.s_addr = htonl(0x0a630000);
	mask.sin_addr.s_addr = htonl(0xffff0000);
	memcpy(&route.rt_dst, &to, sizeof(to));
	memcpy(&route.rt_genmask, &mask, sizeof(mask));
	SYS(ioctl(fd, SIOCADDRT, &route));
	FAILS(ioctl(fd, SIOCADDRT, &route), EEXIST);
	SYS(ioctl(fd, SIOCDELRT, &route));
	FAILS(ioctl(fd, SIOCDELRT, &route), ESRCH);
	route.rt_dev = (char *)8;
	FAILS(ioctl(fd, SIOCADDRT, &route), EFAULT);
	fd6 = SYS(socket(AF_INET6, SOCK_DGRAM, 0));
	route6.rtmsg_dst.s6_addr[0] = 0xfd;
	SYS(ioctl(fd6, SIOCADDRT, &route6));
	SYS(ioctl(fd6, SIOCDELRT, &route6));
}

static void controls(void)
{
	setup();
	use_controls();
	ends(child(use_controls), 0);
}

static void use_bad_pointers(void)
{
	void *bad[] = { (void *)1, (void *)-4096L, (void *)-1L };
	char c = 'x';
	int i;

	for (i = 0; i < 3; i++) {
		struct iovec iov[2] = { { &c, 1 }, { bad[i], 1 } };
		struct msghdr msg = { .msg_iov = bad[i], .msg_iovlen = 1 };
		socklen_t len = sizeof(addr);

		FAILS(write(pair[0], bad[i], 1), EFAULT);
		FAILS(writev(pair[0], bad[i], 1), EFAULT);
		FAILS(sendto(pair[0], &c, 1, 0, bad[i], 16), EFAULT);
		FAILS(sendmsg(pair[0], bad[i], 0), EFAULT);
		FAILS(sendmsg(pair[0], &msg, 0), EFAULT);
		FAILS(getsockname(pair[0], bad[i], &len), EFAULT);
		FAILS(getsockname(pair[0], (void *)&addr, bad[i]), EFAULT);
		FAILS(setsockopt(pair[0], SOL_SOCKET, SO_REUSEADDR, bad[i], 4),
		      EFAULT);
		FAILS(connect(pair[0], bad[i], 16), EFAULT);
		FAILS(ioctl(pair[0], FIONREAD, bad[i]), EFAULT);
		FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, pair[0], bad[i]), EFAULT);
		/* What is there is sent before what is not. */
		iov[0].iov_len = 1;
		EQ(writev(pair[0], iov, 2), 1);
		get(pair[1]);
		put(pair[0]);
		FAILS(read(pair[1], bad[i], 1), EFAULT);
		put(pair[0]);
		FAILS(recvmsg(pair[1], &msg, 0), EFAULT);
	}
}

/* As in the parent, they are no reason to die. */
static void bad_pointers(void)
{
	tcp_pair(pair);
	ep = SYS(epoll_create1(0));
	ends(child(use_bad_pointers), 0);
}

static int plain;

static int add(int epoll, int fd)
{
	struct epoll_event ev = { EPOLLIN, { .fd = fd } };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev);
}

static int ready(int epoll)
{
	struct epoll_event ev[2];

	EQ(epoll_wait(epoll, ev, 2, 10000), 1);
	return ev[0].data.fd;
}

static void use_epolls(void)
{
	struct epoll_event ev;
	int pipes[2], own;

	/* The parent's, with a socket in it; woken while it sleeps, twice. */
	put(up[1]);
	EQ(ready(ep), pair[1]);
	get(pair[1]);
	put(up[1]);
	EQ(ready(ep), pair[1]);
	get(pair[1]);
	EQ(epoll_wait(ep, &ev, 1, 0), 0);
	/* One that had none. */
	SYS(add(plain, pair[1]));
	put(up[1]);
	EQ(ready(plain), pair[1]);
	get(pair[1]);
	/* The child's own. */
	own = SYS(epoll_create1(0));
	SYS(pipe(pipes));
	SYS(add(own, pipes[0]));
	SYS(add(own, pair[1]));
	EQ(epoll_wait(own, &ev, 1, 20), 0);
	put(pipes[1]);
	EQ(ready(own), pipes[0]);
	get(pipes[0]);
	put(up[1]);
	EQ(ready(own), pair[1]);
	SYS(close(ep));
	SYS(close(own));
}

static void epolls(void)
{
	pid_t pid;
	int i;

	setup();
	ep = SYS(epoll_create1(0));
	plain = SYS(epoll_create1(0));
	SYS(add(ep, pair[1]));
	pid = child(use_epolls);
	for (i = 0; i < 4; i++) {
		get(up[0]);
		msleep(20);
		put(pair[0]);
	}
	ends(pid, 0);
	/* The parent's is as it was. */
	EQ(ready(ep), pair[1]);
	get(pair[1]);
	put(pair[0]);
	EQ(ready(ep), pair[1]);
}

/* No new descriptors, and system calls enough to serve one connection. */
static void sandbox(void)
{
	static const struct rlimit limit = { 1, 1 };
#define ALLOW(name)                                                            \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1),                 \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		ALLOW(read),
		ALLOW(write),
		ALLOW(poll),
		ALLOW(ppoll),
		ALLOW(futex),
		ALLOW(getpid),
		ALLOW(arch_prctl),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog filter = { ARRAY_SIZE(code), code };

	SYS(setrlimit(RLIMIT_NOFILE, &limit));
	SYS(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	SYS(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter));
}

static void serve_sandboxed(void)
{
	struct pollfd fd = { pair[1], POLLIN, 0 };

	sandbox();
	for (;;) {
		EQ(poll(&fd, 1, -1), 1);
		get(pair[1]);
		put(pair[1]);
	}
}

static void sandboxed(void)
{
	struct pollfd fd;
	pid_t pid;

	tcp_pair(pair);
	/* So that lkl-run has nothing to change in the child. */
	fd = (struct pollfd){ pair[1], POLLIN, 0 };
	EQ(poll(&fd, 1, 0), 0);
	put(pair[1]);
	get(pair[0]);
	pid = child(serve_sandboxed);
	for (int i = 0; i < 3; i++) {
		msleep(20);
		put(pair[0]);
		get(pair[0]);
	}
	SYS(kill(pid, SIGKILL));
	ends(pid, SIGKILL);
}

static long resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long pages = 0;

	EQ(fscanf(f, "%*d %ld", &pages), 1);
	fclose(f);
	return pages * 4096;
}

static int sockets_used(void)
{
	FILE *f = fopen("/proc/net/sockstat", "r");
	int n;

	EQ(fscanf(f, "sockets: used %d", &n), 1);
	fclose(f);
	return n;
}

static void work(void)
{
	char buf[1000];
	int i, p[2];

	for (i = 0; i < 3; i++)
		tcp_pair(p);
	SYS(add(SYS(epoll_create1(0)), p[0]));
	EQ(write(p[0], buf, sizeof(buf)), sizeof(buf));
	raise(SIGKILL);
}

static void many(void)
{
	int fds = 0, tasks = 0, sockets = 0, i, k;
	long memory = 0;

	tcp_pair(pair);
	for (i = 0; i <= 200; i++) {
		ends(child(work), SIGKILL);
		if (i == 50) {
			msleep(200);
			fds = entries("/proc/self/fd");
			tasks = entries("/proc/self/task");
			sockets = sockets_used();
			memory = resident();
		}
	}
	for (k = 0; k < 100 && (entries("/proc/self/task") > tasks ||
				sockets_used() > sockets);
	     k++)
		msleep(20);
	EQ(entries("/proc/self/fd"), fds);
	EQ(entries("/proc/self/task"), tasks);
	EQ(sockets_used(), sockets);
	if (resident() - memory > 4 << 20)
		FAIL("%ld bytes more", resident() - memory);
}

static void *wait_here(void *unused)
{
	char c;

	(void)unused;
	FAILS(read(pair[1], &c, 1), ENETDOWN);
	return NULL;
}

static void *begin_late(void *unused)
{
	(void)unused;
	FAILS(socket(AF_INET, SOCK_STREAM, 0), ENETDOWN);
	return NULL;
}

/* When the process that has the network is killed, so are all calls. */
static void orphan(int signal)
{
	char line[1000] = { 0 };
	pid_t pid;

	SYS(pipe(up));
	SYS(pipe(down));
	pid = SYS(fork());
	if (!pid) {
		tcp_pair(pair);
		if (!SYS(fork())) {
			pthread_t thread;
			struct pollfd fd = { pair[1], POLLIN, 0 };

			dup2(up[1], 2);
			SYS(close(down[1]));
			thread = start(wait_here, NULL);
			SYS(getpeername(pair[1], (void *)&addr,
					&(socklen_t){ sizeof(addr) }));
			put(up[1]);
			at_end(down[0]);
			EQ(pthread_join(thread, NULL), 0);
			thread = start(begin_late, NULL);
			EQ(pthread_join(thread, NULL), 0);
			FAILS(poll(&fd, 1, -1), ENETDOWN);
			SYS(close(pair[1]));
			_exit(0);
		}
		/* Until the child has used the network. */
		get(up[0]);
		msleep(20);
		raise(signal);
	}
	SYS(close(down[1]));
	SYS(close(up[1]));
	ends(pid, signal);
	/* The line, and then the end of the child. */
	for (char *p = line; read(up[0], p, 1) == 1; p++)
		;
	CHECK(strstr(line, "has ended: ENETDOWN"));
	EQ(strchr(line, '\n')[1], 0);
}

static void left_alone(void)
{
	orphan(SIGTERM);
	orphan(SIGKILL);
}

static const struct check tests[] = {
	{ "sharing", sharing },
	{ "last-close", last_close },
	{ "preforked", preforked },
	{ "descendants", descendants },
	{ "threads", threads },
	{ "killed", killed },
	{ "executed", executed },
	{ "executed-many", executed_many },
	{ "inherited", inherited },
	{ "much", much },
	{ "bad-pointers", bad_pointers },
	{ "epolls", epolls },
	{ "sandboxed", sandboxed },
	{ "many", many },
	{ "left-alone", left_alone },
	{ "room", room },
	{ "absent", absent },
	{ "controls", controls },
};

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--inheriting"))
		return inheriting();
	hijack_self(argv);
	return check_main(tests, ARRAY_SIZE(tests), argc, argv);
}
