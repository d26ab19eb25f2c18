// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program may have as many descriptors as on the host, under all numbers:
 * what the library holds is above its limit, and out of its reach.
 */
#include <linux/close_range.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "hijack.h"

/* The program's limit, from the start. */
#define LIMIT 256

static void work(void)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct pollfd fd;
	int p[2], ep;

	/* What these need is the library's. */
	tcp_pair(p);
	ep = SYS(epoll_create1(0));
	SYS(epoll_ctl(ep, EPOLL_CTL_ADD, p[1], &ev));
	EQ(write(p[0], "x", 1), 1);
	EQ(epoll_wait(ep, &ev, 1, -1), 1);
	fd = (struct pollfd){ p[0], POLLIN, 0 };
	EQ(poll(&fd, 1, 1), 0);
	SYS(close(ep));
	SYS(close(p[0]));
	SYS(close(p[1]));
}

static int count(void)
{
	int n = 0;

	for (int fd = 0; fd < LIMIT; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void all_numbers(void)
{
	int had = count(), fd, n = 0;
	struct rlimit limit;

	work();
	SYS(getrlimit(RLIMIT_NOFILE, &limit));
	EQ(limit.rlim_cur, LIMIT);
	EQ(count(), had);
	while ((fd = dup(0)) >= 0) {
		CHECK(fd < LIMIT);
		n++;
	}
	EQ(errno, EMFILE);
	EQ(n, LIMIT - had);
	FAILS(socket(AF_INET, SOCK_STREAM, 0), EMFILE);
	FAILS(open("/proc/net/dev", O_RDONLY), EMFILE);
	for (fd = LIMIT - n; fd < LIMIT; fd++)
		close(fd);
	/* The same with those of the library. */
	had = count();
	for (n = 0; (fd = socket(AF_INET, SOCK_DGRAM, 0)) >= 0; n++)
		CHECK(fd < LIMIT);
	EQ(errno, EMFILE);
	EQ(n, LIMIT - had);
}

static void *worker(void *unused)
{
	(void)unused;
	work();
	return NULL;
}

/* The program does not see the limit that is raised for a moment. */
static void others(void)
{
	pthread_t thread[8];
	struct rlimit limit;
	int fd, n = 0;

	for (int i = 0; i < 8; i++)
		EQ(pthread_create(&thread[i], NULL, worker, NULL), 0);
	for (int i = 0; i < 2000; i++) {
		SYS(getrlimit(RLIMIT_NOFILE, &limit));
		EQ(limit.rlim_cur, LIMIT);
	}
	for (int i = 0; i < 8; i++)
		pthread_join(thread[i], NULL);
	while ((fd = dup(0)) >= 0)
		n++;
	CHECK(n > LIMIT - 20);
	SYS(getrlimit(RLIMIT_NOFILE, &limit));
	EQ(limit.rlim_cur, LIMIT);
	/* What the program sets stays. */
	limit.rlim_cur = LIMIT + 1;
	SYS(setrlimit(RLIMIT_NOFILE, &limit));
	for (fd = 3; fd < LIMIT; fd++)
		close(fd);
	work();
	SYS(getrlimit(RLIMIT_NOFILE, &limit));
	EQ(limit.rlim_cur, LIMIT + 1);
}

static void out_of_reach(void)
{
	work();
	for (int fd = 3; fd < 20000; fd++)
		close(fd);
	work();
	SYS(syscall(SYS_close_range, 3, ~0U, 0));
	work();
	closefrom(3);
	work();
	SYS(syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC));
	work();
}

/* A child that does the same, and one that shares memory. */
static void children(void)
{
	int status;
	pid_t pid;

	work();
	pid = SYS(fork());
	if (!pid) {
		out_of_reach();
		all_numbers();
		_exit(0);
	}
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
	pid = SYS(vfork());
	if (!pid) {
		syscall(SYS_close_range, 3, ~0U, 0);
		_exit(dup(0) != 3);
	}
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
	work();
}

static const struct check tests[] = {
	{ "all-numbers", all_numbers },
	{ "others", others },
	{ "out-of-reach", out_of_reach },
	{ "children", children },
};

int main(int argc, char **argv)
{
	struct rlimit limit;

	if (!getenv("HIJACK_TEST")) {
		SYS(getrlimit(RLIMIT_NOFILE, &limit));
		if (limit.rlim_max < 2 * LIMIT && geteuid()) {
			puts("skip: the hard limit is too low");
			return 77;
		}
		limit.rlim_cur = LIMIT;
		SYS(setrlimit(RLIMIT_NOFILE, &limit));
	}
	hijack_self(argv);
	if (getenv("HIJACK_FORKED"))
		SYS(socket(AF_INET, SOCK_DGRAM, 0));
	return check_main(tests, ARRAY_SIZE(tests), argc, argv);
}
