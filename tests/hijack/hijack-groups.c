// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process group that owns a socket of the library's is treated as one that
 * owns a socket of the host's: who may be made an owner, who has signals, and
 * what is told. And a program that owns a socket does so when it has executed
 * itself.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "hijack.h"

#define SIG (SIGRTMIN + 6)
#define NOBODY 65534

/* Writes what signals it has got. */
struct member {
	pid_t pid;
	int got;
};

struct told {
	int sig, fd, band;
};

static struct member join(pid_t group, uid_t user)
{
	struct member m;
	sigset_t set;
	siginfo_t info;
	int out[2], ready[2];
	char c;

	SYS(pipe(out));
	SYS(pipe(ready));
	m.got = out[0];
	m.pid = SYS(fork());
	if (m.pid) {
		SYS(close(out[1]));
		EQ(read(ready[0], &c, 1), 1);
		SYS(close(ready[0]));
		SYS(close(ready[1]));
		return m;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigaddset(&set, SIGURG);
	sigaddset(&set, SIG);
	SYS(sigprocmask(SIG_BLOCK, &set, NULL));
	SYS(setpgid(0, group));
	if (user)
		SYS(setresuid(user, user, user));
	EQ(write(ready[1], "x", 1), 1);
	for (;;) {
		struct told told = { 0 };

		told.sig = SYS(sigwaitinfo(&set, &info));
		if (told.sig == SIG) {
			told.fd = info.si_fd;
			told.band = info.si_band;
		}
		EQ(write(out[1], &told, sizeof(told)), sizeof(told));
	}
}

static void leave(struct member *m)
{
	SYS(kill(m->pid, SIGKILL));
	EQ(waitpid(m->pid, NULL, 0), m->pid);
	SYS(close(m->got));
}

/* It gets that, and if @fd is not 0, is told of it. */
static void gets(struct member *m, int sig, int fd)
{
	struct told told;

	EQ(read(m->got, &told, sizeof(told)), sizeof(told));
	EQ(told.sig, sig);
	if (fd) {
		EQ(told.fd, fd);
		EQ(told.band & POLLIN, POLLIN);
	}
}

/* It has got nothing, as what has been sent since would be behind that. */
static void has_nothing(struct member *m)
{
	SYS(kill(m->pid, SIGURG));
	gets(m, SIGURG, 0);
}

static void host_pair(int p[2])
{
	SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, p));
}

static void (*const pairs[])(int p[2]) = { host_pair, tcp_pair };

static int plain_owner(int fd)
{
	int pid;

	SYS(ioctl(fd, FIOGETOWN, &pid));
	EQ(fcntl(fd, F_GETOWN), pid);
	return pid;
}

static struct f_owner_ex owner(int fd)
{
	struct f_owner_ex owner;

	SYS(fcntl(fd, F_GETOWN_EX, &owner));
	return owner;
}

/* Who may be an owner. */
static void refused(int fd)
{
	struct f_owner_ex ex = { F_OWNER_PGRP, -getpgrp() };
	int none = -(1 << 22);

	FAILS(fcntl(fd, F_SETOWN, -(1 << 22)), ESRCH);
	FAILS(ioctl(fd, FIOSETOWN, &none), ESRCH);
	FAILS(fcntl(fd, F_SETOWN_EX, &ex), ESRCH);
	ex = (struct f_owner_ex){ 99, getpgrp() };
	FAILS(fcntl(fd, F_SETOWN_EX, &ex), EINVAL);
	FAILS(fcntl(fd, F_SETOWN, (long)INT32_MIN), EINVAL);
	FAILS(fcntl(fd, F_SETOWN_EX, NULL), EFAULT);
}

static void sends(int p[2], struct member *a, struct member *b,
		  struct member *other)
{
	struct f_owner_ex ex = { F_OWNER_PGRP, a->pid };
	int minus = -a->pid;
	char c;

	refused(p[0]);
	/* In each of the ways. */
	SYS(fcntl(p[0], F_SETOWN, minus));
	EQ(plain_owner(p[0]), minus);
	SYS(fcntl(p[0], F_SETOWN, 0));
	EQ(plain_owner(p[0]), 0);
	SYS(ioctl(p[0], SIOCSPGRP, &minus));
	EQ(owner(p[0]).pid, a->pid);
	EQ(owner(p[0]).type, F_OWNER_PGRP);
	SYS(ioctl(p[0], FIOSETOWN, &minus));
	SYS(fcntl(p[0], F_SETOWN_EX, &ex));
	EQ(owner(p[0]).pid, a->pid);
	EQ(owner(p[0]).type, F_OWNER_PGRP);

	SYS(fcntl(p[0], F_SETFL, O_ASYNC));
	EQ(write(p[1], "x", 1), 1);
	gets(a, SIGIO, 0);
	gets(b, SIGIO, 0);
	EQ(read(p[0], &c, 1), 1);
	/* One of its choice says more. */
	SYS(fcntl(p[0], F_SETSIG, SIG));
	EQ(write(p[1], "x", 1), 1);
	gets(a, SIG, p[0]);
	gets(b, SIG, p[0]);
	has_nothing(other);
}

/* A group whose first process has ended is one as long as there is another. */
static void without_leader(int p[2], struct member *a, struct member *b)
{
	int minus = -a->pid;
	char c;

	EQ(read(p[0], &c, 1), 1);
	leave(a);
	EQ(plain_owner(p[0]), minus);
	EQ(write(p[1], "x", 1), 1);
	gets(b, SIG, p[0]);
	leave(b);
	EQ(plain_owner(p[0]), 0);
	EQ(write(p[1], "x", 1), 1);
}

static void by_holder(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		int p[2];

		pairs[i](p);
		struct member a = join(0, 0), b = join(a.pid, 0);
		struct member other = join(0, 0);

		sends(p, &a, &b, &other);
		without_leader(p, &a, &b);
		leave(&other);
	}
}

/* In a child, which may be another user. */
static void in_child(uid_t user, void (*fn)(int p[2], struct member *m),
		     int p[2], struct member *m)
{
	pid_t pid = SYS(fork());
	int status;

	if (!pid) {
		if (user)
			SYS(setresuid(user, user, user));
		fn(p, m);
		_exit(0);
	}
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
}

static void send_all(int p[2], struct member *m)
{
	sends(p, &m[0], &m[1], &m[2]);
}

static void by_child(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		int p[2];

		pairs[i](p);
		struct member m[] = { join(0, 0), { 0 }, join(0, 0) };

		m[1] = join(m[0].pid, 0);
		in_child(0, send_all, p, m);
		/* The owner is one although the child has ended. */
		without_leader(p, &m[0], &m[1]);
		leave(&m[2]);
	}
}

static void send_some(int p[2], struct member *m)
{
	SYS(fcntl(p[0], F_SETOWN, -m[0].pid));
	SYS(fcntl(p[0], F_SETSIG, SIG));
	SYS(fcntl(p[0], F_SETFL, O_ASYNC));
	EQ(write(p[1], "x", 1), 1);
	gets(&m[1], SIG, p[0]);
}

/* Those of the group that the child may not send signals get none. */
static void by_nobody(void)
{
	size_t i;

	if (geteuid())
		return;
	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		int p[2];

		pairs[i](p);
		struct member m[] = { join(0, 0), { 0 }, { 0 } };

		m[1] = join(m[0].pid, NOBODY);
		m[2] = join(m[0].pid, 0);
		in_child(NOBODY, send_some, p, m);
		has_nothing(&m[0]);
		has_nothing(&m[2]);
		/* Who has the kernel may send each of them some. */
		SYS(fcntl(p[0], F_SETOWN, -m[0].pid));
		EQ(write(p[1], "x", 1), 1);
		gets(&m[0], SIG, p[0]);
		gets(&m[1], SIG, p[0]);
		gets(&m[2], SIG, p[0]);
		leave(&m[0]);
		leave(&m[1]);
		leave(&m[2]);
	}
}

static void set_signal(int p[2], struct member *m)
{
	FAILS(fcntl(p[0], F_SETSIG, SIGKILL), EPERM);
	SYS(fcntl(p[0], F_SETOWN, -m[0].pid));
	SYS(fcntl(p[0], F_SETSIG, SIG));
}

/* A child does not choose the signal for whom its parent has chosen. */
static void chosen(void)
{
	int p[2];

	if (getenv("HIJACK_FORKED"))
		return;
	tcp_pair(p);
	struct member m[] = { join(0, 0) };

	SYS(fcntl(p[0], F_SETOWN, -m[0].pid));
	in_child(0, set_signal, p, m);
	leave(&m[0]);
}

/* Many groups, one after the other, are not remembered. */
static void many(void)
{
	int p[2], i;

	tcp_pair(p);
	for (i = 0; i < 300; i++) {
		struct member m = join(0, 0);

		SYS(fcntl(p[i & 1], F_SETOWN, -m.pid));
		EQ(plain_owner(p[i & 1]), -m.pid);
		leave(&m);
	}
}

static char self[4096];

/* It is an owner after it has executed itself, while others use its kernel. */
static void executed(void)
{
	int p[2], ends[2];
	char fd[2][16];

	tcp_pair(p);
	SYS(pipe(ends));
	SYS(fcntl(p[0], F_SETOWN, getpid()));
	if (!SYS(fork())) {
		char c;

		SYS(getsockname(p[1], (void *)&(struct sockaddr_in){ 0 },
				&(socklen_t){ sizeof(struct sockaddr_in) }));
		EQ(read(ends[0], &c, 1), 1);
		EQ(fcntl(p[0], F_GETOWN), getppid());
		EQ(write(p[1], "x", 1), 1);
		_exit(0);
	}
	snprintf(fd[0], sizeof(fd[0]), "%d", p[0]);
	snprintf(fd[1], sizeof(fd[1]), "%d", ends[1]);
	execl(self, self, "-", fd[0], fd[1], NULL);
	FAIL("%s", self);
}

static int again(char **argv)
{
	int fd = atoi(argv[2]), status;
	sigset_t set;
	siginfo_t info;

	sigemptyset(&set);
	sigaddset(&set, SIG);
	SYS(sigprocmask(SIG_BLOCK, &set, NULL));
	EQ(fcntl(fd, F_GETOWN), getpid());
	SYS(fcntl(fd, F_SETSIG, SIG));
	SYS(fcntl(fd, F_SETFL, O_ASYNC));
	EQ(write(atoi(argv[3]), "x", 1), 1);
	EQ(sigwaitinfo(&set, &info), SIG);
	EQ(info.si_fd, fd);
	EQ(wait(&status) > 0, 1);
	EQ(status, 0);
	return 0;
}

static const struct check tests[] = {
	{ "by holder", by_holder }, { "by child", by_child },
	{ "by nobody", by_nobody }, { "chosen", chosen },
	{ "many", many },	    { "executed", executed },
};

int main(int argc, char **argv)
{
	if (argc > 3 && !strcmp(argv[1], "-"))
		return again(argv);
	hijack_self(argv);
	snprintf(self, sizeof(self), "%s", argv[0]);
	if (getenv("HIJACK_FORKED"))
		SYS(socket(AF_INET, SOCK_DGRAM, 0));
	return check_main(tests, ARRAY_SIZE(tests), argc, argv);
}
