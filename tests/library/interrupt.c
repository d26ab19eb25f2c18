// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each signal ends the call that is blocked when it comes, whatever the blocked
 * thread is doing for other threads at that moment: it sleeps, spins, or runs
 * the kernel for a pair of threads that answer each other.
 *
 * That the call is blocked is not guessed from a time: it waits for a futex of
 * the library's kernel, which tells how many waiters it has moved.
 *
 * SIGNAL_SECONDS says for how long each test runs.
 */
#include <linux/futex.h>
#include <sys/syscall.h>

#include "check.h"

/* Longest time from the signal to the end of the call. */
#define WATCHDOG_NS 20000000000LL

static struct {
	/* Where the victim waits, and where its waiting is moved to. */
	unsigned int from, to;
	/* Counts calls, and their ends. */
	int begun, ended;
	long ret;
	int stop;
} victim;

static int pipes[2][2];
static volatile int plain, restarting;
static int pair_stops;

static void on_plain(int sig)
{
	(void)sig;
	plain++;
}

static void on_restarting(int sig)
{
	(void)sig;
	restarting++;
}

static void handle(int sig, void (*fn)(int), int flags)
{
	struct sigaction sa = { .sa_handler = fn, .sa_flags = flags };

	EQ(sigaction(sig, &sa, NULL), 0);
}

static long long test_ends(void)
{
	const char *s = getenv("SIGNAL_SECONDS");
	int seconds = s ? atoi(s) : 2;

	alarm(seconds + CHECK_LIMIT);
	return now(CLOCK_MONOTONIC) + seconds * 1000000000LL;
}

/* Send and receive a byte. */
static void ping(int to, int from)
{
	char c = 0;
	long ret;

	EQ(lkl_sys_write(to, &c, 1), 1);
	do
		ret = lkl_sys_read(from, &c, 1);
	while (ret == -LKL_EINTR);
	EQ(ret, 1);
}

static void pong(int from, int to)
{
	char c;

	EQ(lkl_sys_read(from, &c, 1), 1);
	EQ(lkl_sys_write(to, &c, 1), 1);
}

static void open_pipes(void)
{
	OK(lkl_sys_pipe2(pipes[0], 0));
	OK(lkl_sys_pipe2(pipes[1], 0));
}

/* Answers asked for before each blocked call. */
static int rounds;

static void *victim_thread(void *arg)
{
	while (!__atomic_load_n(&victim.stop, __ATOMIC_SEQ_CST)) {
		for (int i = 0; i < rounds; i++)
			ping(pipes[0][1], pipes[1][0]);
		__atomic_add_fetch(&victim.begun, 1, __ATOMIC_SEQ_CST);
		victim.ret = lkl_sys_futex(&victim.from, LKL_FUTEX_WAIT, 0,
					   NULL, NULL, 0);
		__atomic_add_fetch(&victim.ended, 1, __ATOMIC_SEQ_CST);
		syscall(SYS_futex, &victim.ended, FUTEX_WAKE, 1, NULL, NULL, 0);
	}
	return arg;
}

static void await_blocked(int n)
{
	while (__atomic_load_n(&victim.begun, __ATOMIC_SEQ_CST) != n)
		sched_yield();
	while (OK(lkl_sys_futex(&victim.from, LKL_FUTEX_CMP_REQUEUE, 0,
				(void *)1, &victim.to, 0)) != 1)
		;
}

/* The call must not need a second signal. */
static void await_end(int n)
{
	long long end = now(CLOCK_MONOTONIC) + WATCHDOG_NS;
	struct timespec second = { 1, 0 };
	int seen;

	while ((seen = __atomic_load_n(&victim.ended, __ATOMIC_SEQ_CST)) != n) {
		if (now(CLOCK_MONOTONIC) > end)
			FAIL("signal %d has ended no call", n);
		syscall(SYS_futex, &victim.ended, FUTEX_WAIT, seen, &second,
			NULL, 0);
	}
	if (victim.ret != -LKL_EINTR)
		FAIL("call %d ends with %ld", n, victim.ret);
}

/* A moment that is not the same each time, without a call. */
static void moment(unsigned int *seed)
{
	int n = rand_r(seed) % 8;

	n = n < 4 ? rand_r(seed) % 100 : rand_r(seed) % (100 << n);
	for (volatile int i = 0; i < n; i++)
		;
}

static void *pair_thread(void *arg)
{
	while (!__atomic_load_n(&pair_stops, __ATOMIC_SEQ_CST))
		ping(pipes[0][1], pipes[1][0]);
	return arg;
}

static void *answering_thread(void *arg)
{
	char c;

	while (lkl_sys_read(pipes[0][0], &c, 1) == 1)
		EQ(lkl_sys_write(pipes[1][1], &c, 1), 1);
	return arg;
}

static void send_signals(int mixed)
{
	long long end = test_ends();
	pthread_t id = start(victim_thread, NULL);
	unsigned int seed = 1;
	int n = 0, others = 0;

	while (!victim.stop) {
		n++;
		for (int i = 0; i < rounds; i++)
			pong(pipes[0][0], pipes[1][1]);
		await_blocked(n);
		moment(&seed);
		if (mixed) {
			/* Does not end the call, but its handler runs. */
			pthread_kill(id, SIGUSR2);
			for (others++; restarting != others;)
				sched_yield();
			EQ(__atomic_load_n(&victim.ended, __ATOMIC_SEQ_CST),
			   n - 1);
			moment(&seed);
		}
		if (now(CLOCK_MONOTONIC) > end)
			__atomic_store_n(&victim.stop, 1, __ATOMIC_SEQ_CST);
		pthread_kill(id, SIGUSR1);
		await_end(n);
		EQ(plain, n);
	}
	pthread_join(id, NULL);
	printf("%d signals\n", n);
	CHECK(n > 20);
}

static void prepare(void)
{
	/*
	 * With several virtual CPUs, the thread that sends the signals may see
	 * a call wait just before its thread holds signals back, and one that
	 * comes then ends no call.
	 */
	boot("mem=64M maxcpus=1");
	open_pipes();
	handle(SIGUSR1, on_plain, 0);
	handle(SIGUSR2, on_restarting, SA_RESTART);
	/* The library learns of handlers a tick of the host's later. */
	msleep(20);
}

/* No other thread calls. */
static void alone(void)
{
	prepare();
	send_signals(0);
	halt();
}

/* It has just been answered, so it spins for the next answer. */
static void in_pair(void)
{
	prepare();
	rounds = 30;
	send_signals(0);
	halt();
}

/* A pair answers each other, which any thread may run. */
static void with_pair(int mixed)
{
	pthread_t one, other;

	prepare();
	one = start(pair_thread, NULL);
	other = start(answering_thread, NULL);
	send_signals(mixed);
	__atomic_store_n(&pair_stops, 1, __ATOMIC_SEQ_CST);
	pthread_join(one, NULL);
	EQ(lkl_sys_close(pipes[0][1]), 0);
	pthread_join(other, NULL);
	halt();
}

static void beside_pair(void)
{
	with_pair(0);
}

static void restarting_too(void)
{
	with_pair(1);
}

static const struct check tests[] = {
	{ "alone", alone },
	{ "in-pair", in_pair },
	{ "beside-pair", beside_pair },
	{ "restarting-too", restarting_too },
};

CHECK_MAIN(tests)
