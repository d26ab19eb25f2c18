// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ctrl-Z tells what the kernel is doing, whatever it is doing.
 */
#include "check.h"

static int fds[2];

static void *blocked(void *unused)
{
	char c;

	lkl_sys_read(fds[0], &c, 1);
	return unused;
}

static volatile int stop;

static void *busy(void *unused)
{
	while (!stop)
		lkl_sys_getppid();
	return unused;
}

/* Standard error goes where it can be read. */
static int catch_stderr(void)
{
	int fd = memfd_create("stderr", 0);

	dup2(fd, 2);
	return fd;
}

static void show(int fd, const char *const *text)
{
	ssize_t n = pread(fd, printed, sizeof(printed) - 1, 0);

	dup2(1, 2);
	CHECK(n > 0);
	printed[n] = 0;
	for (; *text; text++)
		if (!strstr(printed, *text))
			FAIL("no '%s' in:\n%s", *text, printed);
}

static void at_rest(void)
{
	static const char *const text[] = {
		"the kernel is at rest",
		"] Run /init as init process\n",
		"2 S kthreadd",
		" kthreadd < ",
		"_read < vfs_read < ksys_read",
		"in the application\n",
		NULL,
	};
	int fd = catch_stderr();

	lkl_register_dbg_handler();
	raise(SIGTSTP);
	boot("mem=64M");
	OK(lkl_sys_pipe2(fds, 0));
	start(blocked, NULL);
	msleep(50);
	raise(SIGTSTP);
	/* A blocked thread prints, too, and goes on waiting. */
	kill(getpid(), SIGTSTP);
	show(fd, text);
	CHECK(strstr(printed, "lkl: no kernel runs\n") == printed);
	halt();
}

/* The signal finds threads in the middle of the kernel. */
static void running(void)
{
	static const char *const text[] = { "2 S kthreadd", NULL };
	int fd = catch_stderr();
	pthread_t id[3];

	lkl_register_dbg_handler();
	boot("mem=64M");
	for (int i = 0; i < 3; i++)
		id[i] = start(busy, NULL);
	for (int i = 0; i < 300; i++) {
		pthread_kill(id[i % 3], SIGTSTP);
		msleep(1);
	}
	stop = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(id[i], NULL);
	show(fd, text);
	halt();
}

static const struct check tests[] = {
	{ "at-rest", at_rest },
	{ "running", running },
};

CHECK_MAIN(tests)
