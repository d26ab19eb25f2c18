// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel with maxcpus=auto gets another virtual CPU when threads wait for
 * each other, and not otherwise.
 */
#include <sched.h>

#include "check.h"

/* More than there are processors: some wait for sure. */
#define CALLERS 4
/* How long threads that wait for each other make calls, in milliseconds. */
#define SOME_TIME 1000
#define PATIENCE 50000

static int stop;

static void *caller(void *unused)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		OK(lkl_sys_getppid());
	return unused;
}

/* The highest number of a virtual CPU that runs. */
static int highest(void)
{
	char text[64] = "";
	int fd = OK(lkl_sys_open("/sysfs/devices/system/cpu/online",
				 LKL_O_RDONLY, 0));
	char *last;

	OK(lkl_sys_read(fd, text, sizeof(text) - 1));
	lkl_sys_close(fd);
	last = strrchr(text, '-');
	return atoi(last ? last + 1 : text);
}

static void begin(const char *cmdline)
{
	boot(cmdline);
	OK(lkl_mount_fs("sysfs"));
	EQ(highest(), 0);
}

static void start_callers(pthread_t *id, int n)
{
	__atomic_store_n(&stop, 0, __ATOMIC_RELAXED);
	for (int i = 0; i < n; i++)
		id[i] = start(caller, NULL);
}

static void stop_callers(pthread_t *id, int n)
{
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < n; i++)
		pthread_join(id[i], NULL);
}

/* Threads call for a while; returns the highest CPU then. */
static int call(int threads)
{
	pthread_t id[CALLERS];

	start_callers(id, threads);
	msleep(SOME_TIME);
	stop_callers(id, threads);
	return highest();
}

/* Threads call until there is another CPU. */
static void call_until_grown(void)
{
	pthread_t id[CALLERS];
	int i;

	start_callers(id, CALLERS);
	for (i = 0; i < PATIENCE && !highest(); i += 10)
		msleep(10);
	stop_callers(id, CALLERS);
	if (i >= PATIENCE)
		FAIL("%d threads wait, and there is one CPU", CALLERS);
}

static void some_wait(void)
{
	int fds[2];
	char c;

	for (int i = 0; i < 2; i++) {
		begin("mem=64M maxcpus=auto");
		call_until_grown();
		EQ(call(CALLERS) > 0, 1);
		OK(lkl_sys_pipe2(fds, 0));
		EQ(lkl_sys_write(fds[1], "x", 1), 1);
		EQ(lkl_sys_read(fds[0], &c, 1), 1);
		halt();
	}
}

static void one_thread(void)
{
	begin("mem=64M maxcpus=auto");
	EQ(call(1), 0);
	halt();
}

/* Threads that answer each other do not both have something to do. */
static void *answer(void *arg)
{
	int *fds = arg;
	char c;

	while (lkl_sys_read(fds[0], &c, 1) == 1)
		if (lkl_sys_write(fds[1], &c, 1) != 1)
			break;
	return NULL;
}

static void pair(void)
{
	int there[2], back[2], fds[2];
	long long end;
	pthread_t id;
	char c = 0;

	begin("mem=64M maxcpus=auto");
	OK(lkl_sys_pipe2(there, 0));
	OK(lkl_sys_pipe2(back, 0));
	fds[0] = there[0];
	fds[1] = back[1];
	id = start(answer, fds);
	end = now(CLOCK_MONOTONIC) + SOME_TIME * 1000000LL;
	while (now(CLOCK_MONOTONIC) < end) {
		EQ(lkl_sys_write(there[1], &c, 1), 1);
		EQ(lkl_sys_read(back[0], &c, 1), 1);
	}
	lkl_sys_close(there[1]);
	pthread_join(id, NULL);
	EQ(highest(), 0);
	halt();
}

static void not_asked(void)
{
	begin("mem=64M maxcpus=auto maxcpus=1");
	EQ(call(CALLERS), 0);
	halt();
}

static void one_processor(void)
{
	cpu_set_t one;
	int cpu = sched_getcpu();

	CHECK(cpu >= 0);
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	EQ(sched_setaffinity(0, sizeof(one), &one), 0);
	begin("mem=64M maxcpus=auto");
	EQ(call(CALLERS), 0);
	halt();
}

/* The state that a reset returns to has one CPU. */
static void frozen(void)
{
	begin("mem=64M maxcpus=auto");
	EQ(lkl_freeze(), 0);
	EQ(call(CALLERS), 0);
	EQ(lkl_reset(), 0);
	EQ(call(CALLERS), 0);
	EQ(lkl_thaw(), 0);
	call_until_grown();
	EQ(lkl_freeze(), 0);
	EQ(lkl_sys_mkdir("/d", 0700), 0);
	EQ(lkl_reset(), 0);
	EQ(lkl_sys_mkdir("/d", 0700), 0);
	EQ(highest() > 0, 1);
	EQ(lkl_thaw(), 0);
	halt();
}

static int refuse(unsigned long addr, unsigned long size, int writable)
{
	return addr && size && writable ? -LKL_EACCES : 0;
}

/* A host that has code stay as it is. */
static void fixed_text(void)
{
	static const char said[] = "no more than 1 virtual CPUs";
	pthread_t id[CALLERS];
	int i;

	lkl_host_ops.patch = refuse;
	begin("mem=64M maxcpus=auto loglevel=8");
	lkl_host_ops.print = print_capture;
	start_callers(id, CALLERS);
	for (i = 0; i < PATIENCE && !strstr(printed, said); i += 10)
		msleep(10);
	stop_callers(id, CALLERS);
	CHECK(strstr(printed, said));
	EQ(call(CALLERS), 0);
	halt();
}

static const struct check tests[] = {
	{ "some wait", some_wait },
	{ "one thread", one_thread },
	{ "pair", pair },
	{ "not asked", not_asked },
	{ "one processor", one_processor },
	{ "frozen", frozen },
	{ "fixed text", fixed_text },
};

int main(int argc, char **argv)
{
	cpu_set_t all;

	EQ(sched_getaffinity(0, sizeof(all), &all), 0);
	if (CPU_COUNT(&all) < 2)
		return 77;
	return check_main(tests, ARRAY_SIZE(tests), argc, argv);
}
