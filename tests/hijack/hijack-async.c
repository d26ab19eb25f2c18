// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals about sockets (O_ASYNC) come to who has asked for them, and tell of
 * the program's descriptor what the host's would, in a forked process, too.
 */
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "hijack.h"

/* What came, by handler and by sigwaitinfo(). */
static volatile siginfo_t seen;
static volatile int count;

static void on_signal(int sig, siginfo_t *info, void *unused)
{
	(void)sig;
	(void)unused;
	seen = *info;
	count++;
}

static void handle(int sig)
{
	struct sigaction sa = { .sa_sigaction = on_signal,
				.sa_flags = SA_SIGINFO };

	count = 0;
	SYS(sigaction(sig, &sa, NULL));
}

static void await(int n)
{
	while (count < n)
		poll(NULL, 0, 1);
}

static void arm(int fd, int sig)
{
	SYS(fcntl(fd, F_SETOWN, getpid()));
	SYS(fcntl(fd, F_SETSIG, sig));
	EQ(fcntl(fd, F_GETSIG), sig);
	SYS(fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK));
	EQ(fcntl(fd, F_GETFL) & (O_ASYNC | O_NONBLOCK), O_ASYNC | O_NONBLOCK);
}

/* A signal of the program's choice says which descriptor has what. */
static void told(void)
{
	int p[2], high;
	char c;

	tcp_pair(p);
	high = SYS(fcntl(p[0], F_DUPFD, 400));
	SYS(close(p[0]));
	handle(SIGRTMIN + 3);
	arm(high, SIGRTMIN + 3);
	EQ(write(p[1], "x", 1), 1);
	await(1);
	EQ(seen.si_signo, SIGRTMIN + 3);
	EQ(seen.si_code, POLL_IN);
	EQ(seen.si_fd, high);
	EQ(seen.si_band, POLLIN | POLLRDNORM);
	EQ(read(high, &c, 1), 1);
	/* And when it is no longer wanted, nothing. */
	SYS(fcntl(high, F_SETFL, O_NONBLOCK));
	EQ(write(p[1], "x", 1), 1);
	while (read(high, &c, 1) != 1)
		;
	EQ(count, 1);
	SYS(close(high));
	SYS(close(p[1]));
}

/* By ioctl(), and without a signal of one's own. */
static void plain(void)
{
	int p[2], on = 1, pid = getpid();

	tcp_pair(p);
	handle(SIGIO);
	SYS(ioctl(p[0], FIOSETOWN, &pid));
	SYS(ioctl(p[0], FIOASYNC, &on));
	EQ(write(p[1], "x", 1), 1);
	await(1);
	EQ(seen.si_signo, SIGIO);
	SYS(close(p[0]));
	SYS(close(p[1]));
}

/* Urgent data does so without O_ASYNC. */
static void urgent(void)
{
	int p[2];

	tcp_pair(p);
	handle(SIGURG);
	SYS(fcntl(p[0], F_SETOWN, getpid()));
	EQ(send(p[1], "x", 1, MSG_OOB), 1);
	await(1);
	SYS(close(p[0]));
	SYS(close(p[1]));
}

/* One that waits for it is told, too. */
static void waited(void)
{
	sigset_t set;
	siginfo_t info;
	int p[2];

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 4);
	SYS(sigprocmask(SIG_BLOCK, &set, NULL));
	tcp_pair(p);
	arm(p[1], SIGRTMIN + 4);
	EQ(write(p[0], "x", 1), 1);
	EQ(sigwaitinfo(&set, &info), SIGRTMIN + 4);
	EQ(info.si_fd, p[1]);
	EQ(info.si_band, POLLIN | POLLRDNORM);
	/* A child's comes from another process, as the manual page says. */
	EQ(info.si_code, getenv("HIJACK_FORKED") ? SI_SIGIO : POLL_IN);
	SYS(close(p[0]));
	SYS(close(p[1]));
}

/* A child's signals are its own, and it has none of its parent's. */
static void forked(void)
{
	int p[2], status;
	pid_t pid;

	tcp_pair(p);
	handle(SIGRTMIN + 5);
	arm(p[0], SIGRTMIN + 5);
	pid = SYS(fork());
	if (!pid) {
		int q[2];

		FAILS(fcntl(p[0], F_SETSIG, SIGKILL), EPERM);
		tcp_pair(q);
		arm(q[1], SIGRTMIN + 5);
		EQ(write(q[0], "x", 1), 1);
		await(1);
		EQ(seen.si_fd, q[1]);
		EQ(seen.si_code, POLL_IN);
		_exit(0);
	}
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
	EQ(count, 0);
	EQ(write(p[1], "x", 1), 1);
	await(1);
	EQ(seen.si_fd, p[0]);
	SYS(close(p[0]));
	SYS(close(p[1]));
}

static int owner_of(int fd)
{
	struct f_owner_ex owner;
	int pid;

	SYS(ioctl(fd, SIOCGPGRP, &pid));
	EQ(fcntl(fd, F_GETOWN), pid);
	SYS(fcntl(fd, F_GETOWN_EX, &owner));
	EQ(owner.pid, pid);
	if (pid)
		EQ(owner.type, F_OWNER_PID);
	return pid;
}

/* The address that a process's first socket gets. */
static unsigned int netlink_address(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	int fd = SYS(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	socklen_t len = sizeof(addr);

	SYS(bind(fd, (void *)&addr, sizeof(addr)));
	SYS(getsockname(fd, (void *)&addr, &len));
	SYS(close(fd));
	return addr.nl_pid;
}

/* A signal may come meanwhile. */
static void get(int fd)
{
	char c;

	while (read(fd, &c, 1) != 1)
		EQ(errno, EINTR);
}

/* A child has its number in the library's kernel, too, until it ends. */
static void numbered(void)
{
	int p[2], up[2], down[2], status;
	pid_t pid;

	tcp_pair(p);
	SYS(pipe(up));
	SYS(pipe(down));
	handle(SIGIO);
	pid = SYS(fork());
	if (!pid) {
		EQ(netlink_address(), getpid());
		EQ(owner_of(p[0]), 0);
		FAILS(fcntl(p[0], F_SETOWN, 1 << 21), ESRCH);
		SYS(fcntl(p[0], F_SETOWN, getpid()));
		EQ(owner_of(p[0]), getpid());
		EQ(write(up[1], "x", 1), 1);
		get(down[0]);
		if (!getenv("HIJACK_FORKED"))
			await(1);
		EQ(write(up[1], "x", 1), 1);
		get(down[0]);
		_exit(0);
	}
	get(up[0]);
	EQ(owner_of(p[0]), pid);
	/* Who has the kernel has signals sent to the child, too. */
	if (!getenv("HIJACK_FORKED")) {
		SYS(fcntl(p[1], F_SETOWN, pid));
		SYS(fcntl(p[1], F_SETFL, O_ASYNC));
		EQ(write(p[0], "x", 1), 1);
	}
	EQ(write(down[1], "x", 1), 1);
	get(up[0]);
	EQ(write(down[1], "x", 1), 1);
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
	while (fcntl(p[0], F_GETOWN))
		poll(NULL, 0, 1);
	EQ(count, 0);
	SYS(close(p[0]));
	SYS(close(p[1]));
}

/* A signal can be for one thread. */
static volatile int seen_by;

static void on_thread(int sig)
{
	(void)sig;
	seen_by = gettid();
}

static void *own(void *arg)
{
	struct f_owner_ex owner = { F_OWNER_TID, gettid() };
	int *p = arg;

	SYS(getsockname(p[0], (void *)&(struct sockaddr_in){ 0 },
			&(socklen_t){ sizeof(struct sockaddr_in) }));
	SYS(fcntl(p[0], F_SETOWN_EX, &owner));
	owner.pid = 0;
	SYS(fcntl(p[0], F_GETOWN_EX, &owner));
	EQ(owner.type, F_OWNER_TID);
	EQ(owner.pid, gettid());
	SYS(fcntl(p[0], F_SETFL, O_ASYNC));
	EQ(write(p[1], "x", 1), 1);
	while (!seen_by)
		poll(NULL, 0, 1);
	EQ(seen_by, gettid());
	return NULL;
}

static void thread(void)
{
	pthread_t thread;
	int p[2];

	tcp_pair(p);
	seen_by = 0;
	SYS(signal(SIGIO, on_thread) == SIG_ERR ? -1 : 0);
	EQ(pthread_create(&thread, NULL, own, p), 0);
	EQ(pthread_join(thread, NULL), 0);
	SYS(close(p[0]));
	SYS(close(p[1]));
}

static const struct check tests[] = {
	{ "told", told },     { "plain", plain },   { "urgent", urgent },
	{ "waited", waited }, { "forked", forked }, { "numbered", numbered },
	{ "thread", thread },
};

HIJACK_MAIN(tests)
