// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clocks, sleeps and time-outs; and that an idle kernel uses no processor.
 */
#include <sys/resource.h>

#include "check.h"

#define IDLE_SECONDS 5

static int compare(const void *a, const void *b)
{
	long long x = *(long long *)a, y = *(long long *)b;

	return (x > y) - (x < y);
}

/* A short sleep is short, not a tick of some milliseconds. */
static void short_sleep(void)
{
	struct __lkl__kernel_timespec ts = { 0, 50000 };
	long long took[200];

	boot("mem=64M");
	for (unsigned int i = 0; i < ARRAY_SIZE(took); i++) {
		long long begin = now(CLOCK_MONOTONIC);

		EQ(lkl_sys_nanosleep(&ts, NULL), 0);
		took[i] = now(CLOCK_MONOTONIC) - begin;
		CHECK(took[i] >= 50000);
	}
	qsort(took, ARRAY_SIZE(took), sizeof(*took), compare);
	/* The host may be busy with others most of the time. */
	if (took[ARRAY_SIZE(took) / 10] > 1000000)
		FAIL("50 us take %lld us", took[ARRAY_SIZE(took) / 10] / 1000);
	halt();
}

static long long difference(int clock, clockid_t host)
{
	struct __lkl__kernel_timespec ts;
	long long before;

	do {
		before = now(host);
		EQ(lkl_sys_clock_gettime(clock, &ts), 0);
	} while (now(host) - before > 20000000);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec - before;
}

/* The kernel's clocks are the host's, not behind by the time that boot takes.
 */
static void same_clock(void)
{
	long long d, least;

	for (int boots = 0; boots < 3; boots++) {
		boot("mem=64M");
		least = 1000000000;
		/* Of some tries, one is not interrupted. */
		for (int i = 0; i < 100; i++) {
			d = llabs(
				difference(LKL_CLOCK_REALTIME, CLOCK_REALTIME));
			if (d < least)
				least = d;
		}
		if (least > 200000)
			FAIL("%lld us off", least / 1000);
		halt();
	}
}

static void wall_clock(void)
{
	boot("mem=64M");
	for (int i = 0; i < 5; i++) {
		long long d = difference(LKL_CLOCK_REALTIME, CLOCK_REALTIME);

		if (d < -50000000 || d > 50000000)
			FAIL("%lld ms off", d / 1000000);
		msleep(100);
	}
	/* Setting it does not change the clock of the host. */
	EQ(lkl_sys_clock_settime(
		   LKL_CLOCK_REALTIME,
		   &(struct __lkl__kernel_timespec){ 1000000000, 0 }),
	   0);
	CHECK(difference(LKL_CLOCK_REALTIME, CLOCK_REALTIME) < -1000000000);
	halt();
	boot("mem=64M");
	CHECK(llabs(difference(LKL_CLOCK_REALTIME, CLOCK_REALTIME)) < 50000000);
	halt();
}

/* A time-out that passes while the process sleeps outside. */
static void outside(void)
{
	struct __lkl__kernel_itimerspec spec = {
		.it_value = { .tv_nsec = 20000000 },
		.it_interval = { .tv_nsec = 20000000 }
	};
	unsigned long long count;
	long long begin;
	int fd;

	boot("mem=64M");
	begin = now(CLOCK_MONOTONIC);
	fd = OK(lkl_sys_timerfd_create(LKL_CLOCK_MONOTONIC, LKL_O_NONBLOCK));
	EQ(lkl_sys_timerfd_settime(fd, 0, (void *)&spec, NULL), 0);
	EQ(lkl_sys_read(fd, (char *)&count, 8), -LKL_EAGAIN);
	msleep(210);
	EQ(lkl_sys_read(fd, (char *)&count, 8), 8);
	begin = (now(CLOCK_MONOTONIC) - begin) / 1000000;
	if (count < 5 || count > begin / 20ULL + 1)
		FAIL("%llu periods in %lld ms", count, begin);
	halt();
}

static void timeouts(void)
{
	struct lkl_pollfd fd = { .events = LKL_POLLIN };
	struct __lkl__kernel_timespec ts = { 0, 30000000 };
	struct lkl_epoll_event event;
	unsigned int word = 0;
	long long begin, took;
	int p[2];

	boot("mem=64M");
	OK(lkl_sys_pipe2(p, 0));
	fd.fd = p[0];
	for (int i = 0; i < 3; i++) {
		begin = now(CLOCK_MONOTONIC);
		if (i == 0)
			EQ(lkl_sys_poll(&fd, 1, 30), 0);
		else if (i == 1)
			EQ(lkl_sys_epoll_wait(OK(lkl_sys_epoll_create1(0)),
					      &event, 1, 30),
			   0);
		else
			EQ(lkl_sys_futex(&word, LKL_FUTEX_WAIT, 0, &ts, NULL,
					 0),
			   -LKL_ETIMEDOUT);
		took = now(CLOCK_MONOTONIC) - begin;
		if (took < 29000000 || took > 5000000000)
			FAIL("%d: 30 ms take %lld us", i, took / 1000);
	}
	halt();
}

/* Many sleepers of different lengths wake in order, none is forgotten. */
static int woken;

static void *sleeper(void *arg)
{
	struct __lkl__kernel_timespec ts = { 0, (long)arg * 1000000 };
	long long begin = now(CLOCK_MONOTONIC), took;

	EQ(lkl_sys_nanosleep(&ts, NULL), 0);
	took = now(CLOCK_MONOTONIC) - begin;
	if (took < ts.tv_nsec || took > ts.tv_nsec + 5000000000)
		FAIL("%ld ms take %lld us", (long)arg, took / 1000);
	__atomic_fetch_add(&woken, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void sleepers(void)
{
	pthread_t id[100];

	boot("mem=64M");
	for (long i = 0; i < 100; i++)
		id[i] = start(sleeper, (void *)(i * 37 % 100 * 3 + 1));
	for (int i = 0; i < 100; i++)
		pthread_join(id[i], NULL);
	EQ(woken, 100);
	halt();
}

static void *poller(void *arg)
{
	char c;

	EQ(lkl_sys_read(*(int *)arg, &c, 1), 1);
	return NULL;
}

/* How often this process has slept. */
static long long sleeps(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_nvcsw;
}

/* An idle kernel, with a thread waiting inside, does nothing. */
static void idle(void)
{
	/* Each virtual CPU comes to rest by itself. */
	const char *cpus = getenv("CPUS");
	long long used, wakes, limit = IDLE_SECONDS *
		(cpus && atoi(cpus) ? atoi(cpus) : 1);
	pthread_t id;
	int p[2], i;

	boot("mem=64M");
	OK(lkl_sys_pipe2(p, 0));
	id = start(poller, p);
	/*
	 * What boot leaves to do, like freeing memory, takes some seconds.  A
	 * wake-up may cost a millisecond on a slow host; spinning costs all.
	 */
	for (i = 0; i < 8; i++) {
		wakes = sleeps();
		used = now(CLOCK_PROCESS_CPUTIME_ID);
		msleep(IDLE_SECONDS * 1000);
		used = now(CLOCK_PROCESS_CPUTIME_ID) - used;
		/* One of them is this thread's. */
		wakes = sleeps() - wakes;
		if (used <= IDLE_SECONDS * 20000000LL && wakes <= limit)
			break;
	}
	if (i == 8)
		FAIL("idle for %d s used %lld us and woke %lld times",
		     IDLE_SECONDS, used / 1000, wakes);
	EQ(lkl_sys_write(p[1], "x", 1), 1);
	pthread_join(id, NULL);
	halt();
}

static const struct check tests[] = {
	{ "same-clock", same_clock },
	{ "short-sleep", short_sleep },
	{ "wall-clock", wall_clock },
	{ "outside", outside },
	{ "timeouts", timeouts },
	{ "sleepers", sleepers },
	{ "idle", idle },
};

CHECK_MAIN(tests)
