// SPDX-License-Identifier: GPL-2.0-only
/*
 * The process with the kernel is killed at any moment, under load: what its
 * children do ends with ENETDOWN, each says why, once, and none hangs.  So it is when
 * the kernel has outlived its program.
 *
 * KILLED_ROUNDS says how often, KILLED_SEED where to begin.
 */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "hijack.h"

#define CHILDREN 5
/* Until then they have noticed, in seconds. */
#define PATIENCE 20
#define LATEST_US 20000

static uint64_t state;

static unsigned int random_below(unsigned int n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % n;
}

/* A call has failed, as it is to when there is no network any more. */
static void down(long ret)
{
	if (ret >= 0)
		return;
	if (errno != ENETDOWN)
		FAIL("not ENETDOWN but %s", strerror(errno));
	_exit(0);
}

static void talk(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int l = socket(AF_INET, SOCK_STREAM, 0);
	int to = socket(AF_INET, SOCK_STREAM, 0), from;
	socklen_t len = sizeof(addr);
	char c[3000] = { 0 };

	down(l);
	down(to);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	down(bind(l, (void *)&addr, sizeof(addr)));
	down(listen(l, 5));
	down(getsockname(l, (void *)&addr, &len));
	down(connect(to, (void *)&addr, len));
	from = accept(l, NULL, NULL);
	down(from);
	for (;;) {
		down(write(to, c, sizeof(c)));
		down(recv(from, c, sizeof(c), MSG_WAITALL));
	}
}

static void receive(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in addr = { .sin_family = AF_INET };
	char c;

	down(fd);
	down(bind(fd, (void *)&addr, sizeof(addr)));
	for (;;)
		down(read(fd, &c, 1));
}

/* One that only waits for events learns of it by them. */
static void await(int epoll)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), set = epoll_create1(0);
	struct pollfd poll_fd = { fd, POLLIN, 0 };
	char c;

	down(fd);
	down(set);
	if (epoll)
		down(epoll_ctl(set, EPOLL_CTL_ADD, fd, &ev));
	for (;;) {
		if (epoll)
			down(epoll_wait(set, &ev, 1, -1));
		else
			down(poll(&poll_fd, 1, -1));
		down(recv(fd, &c, 1, MSG_DONTWAIT));
	}
}

static void make(void)
{
	for (;;) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		down(fd);
		close(fd);
	}
}

static void load(int which)
{
	switch (which) {
	case 0:
		talk();
		return;
	case 1:
		receive();
		return;
	case 2:
	case 3:
		await(which == 3);
		return;
	}
	make();
}

/* It boots the kernel; with @goes its children have that without it. */
static void hold(int ready, int goes)
{
	int i;

	SYS(socket(AF_INET, SOCK_DGRAM, 0));
	for (i = 0; i < CHILDREN; i++)
		if (!SYS(fork())) {
			alarm(PATIENCE + 20);
			down(socket(AF_INET, SOCK_DGRAM, 0));
			EQ(write(ready, "x", 1), 1);
			load(i);
		}
	EQ(write(ready, "x", 1), 1);
	while (!goes)
		pause();
	exit(0);
}

static int is_kernel(int pid)
{
	char path[64], text[300] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (!file)
		return 0;
	if (!fgets(text, sizeof(text), file))
		*text = 0;
	fclose(file);
	return strstr(text, "(lkl-kernel)") != NULL;
}

/* Our child that has the kernel without a program. */
static int find_kernel(void)
{
	char path[64], pids[4096] = "", *at, *end;
	FILE *file;
	int pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	file = fopen(path, "r");
	CHECK(file);
	if (!fgets(pids, sizeof(pids), file))
		*pids = 0;
	fclose(file);
	for (at = pids; (pid = strtol(at, &end, 10)); at = end)
		if (is_kernel(pid))
			return pid;
	return 0;
}

static void end(pid_t pid, int round)
{
	int status, i;
	pid_t ended;

	SYS(kill(pid, SIGKILL));
	for (i = 0; i <= CHILDREN;) {
		ended = wait(&status);
		if (ended < 0)
			break;
		i++;
		if (ended != pid && status)
			FAIL("round %d: a child's status is %x", round, status);
	}
	/* All, and whoever had the kernel. */
	EQ(i, CHILDREN + 1);
}

/* Each child says one line. */
static void check_said(FILE *said)
{
	char line[1000];
	int lines = 0;

	for (; fgets(line, sizeof(line), said); lines++)
		if (!strstr(line, "has the network has ended: ENETDOWN"))
			FAIL("a child says %s", line);
	EQ(lines, CHILDREN);
	fclose(said);
}

static void one(int goes, int round)
{
	int ready[2], said[2], i;
	FILE *file;
	pid_t pid;
	char c;

	SYS(pipe(ready));
	SYS(pipe(said));
	pid = SYS(fork());
	if (!pid) {
		SYS(dup2(said[1], STDERR_FILENO));
		SYS(close(said[1]));
		hold(ready[1], goes);
	}
	SYS(close(said[1]));
	file = fdopen(said[0], "r");
	CHECK(file);
	SYS(close(ready[1]));
	for (i = 0; i <= CHILDREN; i++)
		EQ(read(ready[0], &c, 1), 1);
	SYS(close(ready[0]));
	if (goes) {
		int status;

		EQ(waitpid(pid, &status, 0), pid);
		EQ(status, 0);
		pid = find_kernel();
		CHECK(pid);
	}
	usleep(random_below(LATEST_US));
	end(pid, round);
	check_said(file);
}

static void rounds(int goes)
{
	const char *n = getenv("KILLED_ROUNDS"), *seed = getenv("KILLED_SEED");
	int i, count = n ? atoi(n) : 10;

	state = seed ? strtoull(seed, NULL, 0) : 20261130;
	SYS(prctl(PR_SET_CHILD_SUBREAPER, 1));
	for (i = 0; i < count; i++) {
		/* Each has as long as a test has otherwise. */
		alarm(CHECK_LIMIT);
		one(goes, i);
	}
}

static void holder(void)
{
	rounds(0);
}

static void survivor(void)
{
	rounds(1);
}

static const struct check tests[] = {
	{ "holder", holder },
	{ "survivor", survivor },
};

int main(int argc, char **argv)
{
	hijack_self(argv);
	return check_main(tests, ARRAY_SIZE(tests), argc, argv);
}
