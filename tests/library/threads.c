// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many host threads: short-lived ones, blocked ones, busy ones, and what halt
 * does to them.
 */
#include <sys/resource.h>

#include "check.h"

#define SHORT_LIVED 100000
#define BLOCKED 20000
#define BUSY 16

/* A number that a file of /proc has after a name. */
static long proc_value(const char *path, const char *name)
{
	static char text[1 << 16];
	long len;
	char *p;
	int fd = OK(lkl_sys_open(path, LKL_O_RDONLY, 0));

	len = OK(lkl_sys_read(fd, text, sizeof(text) - 1));
	text[len] = 0;
	lkl_sys_close(fd);
	p = strstr(text, name);
	if (!p)
		FAIL("no %s in %s", name, path);
	return strtol(p + strlen(name), NULL, 10);
}

static void *one_call(void *arg)
{
	EQ(lkl_sys_getpid(), 1);
	return arg;
}

static long kernel_kb(void)
{
	return proc_value("/proc/meminfo", "Slab:") +
	       proc_value("/proc/meminfo", "KernelStack:") +
	       proc_value("/proc/meminfo", "VmallocUsed:");
}

/* A thread that ends leaves no task and no memory. */
static void short_lived(void)
{
	long threads, before = 0, after;

	boot("mem=64M");
	OK(lkl_mount_fs("proc"));
	threads = proc_value("/proc/1/status", "Threads:");
	for (int i = 0; i < SHORT_LIVED; i += 4) {
		pthread_t id[4];

		for (int j = 0; j < 4; j++)
			id[j] = start(one_call, NULL);
		for (int j = 0; j < 4; j++)
			pthread_join(id[j], NULL);
		if (i == SHORT_LIVED / 10)
			before = kernel_kb();
	}
	EQ(proc_value("/proc/1/status", "Threads:"), threads);
	/* Freed tasks wait for an RCU grace period. */
	for (int i = 0; i < 50; i++) {
		after = kernel_kb();
		if (after < before + 1024)
			break;
		msleep(20);
	}
	if (after > before + 1024)
		FAIL("kernel memory grew from %ld to %ld KiB", before, after);
	halt();
}

static int pipes[2];
static int woken;

static void *read_one(void *arg)
{
	char c;

	EQ(lkl_sys_read(pipes[0], &c, 1), 1);
	__atomic_fetch_add(&woken, 1, __ATOMIC_RELAXED);
	return arg;
}

static void blocked(void)
{
	struct rlimit limit;
	static pthread_t id[BLOCKED];
	static char bytes[BLOCKED];
	static pthread_attr_t attr;
	long threads, filled, written = 0;
	int kasan = has_flavour("kasan");
	int count = BLOCKED;

	/* A stack is at least a page, and larger with KASAN. */
	boot(KERNEL_PAGE > 32768 || kasan ? "mem=2G" : "mem=1G");
	OK(lkl_mount_fs("proc"));
	OK(lkl_sys_pipe2(pipes, 0));
	threads = proc_value("/proc/1/status", "Threads:");
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 32 << 10);
	getrlimit(RLIMIT_NPROC, &limit);
	filled = status_kb("RssShmem:");
	for (int i = 0; i < count; i++) {
		int err = pthread_create(&id[i], &attr, read_one, NULL);

		/* The host may have no room for so many. */
		if (err == EAGAIN && i > 1000)
			count = i;
		else
			EQ(err, 0);
	}
	while (proc_value("/proc/1/status", "Threads:") < threads + count)
		msleep(10);
	filled = (status_kb("RssShmem:") - filled) / count;
	if (filled >= (kasan ? 60 : 20))
		FAIL("a thread takes %ld KiB", filled);
	EQ(__atomic_load_n(&woken, __ATOMIC_RELAXED), 0);
	while (written < count)
		written += OK(lkl_sys_write(pipes[1], bytes, count - written));
	for (int i = 0; i < count; i++)
		pthread_join(id[i], NULL);
	EQ(woken, count);
	EQ(proc_value("/proc/1/status", "Threads:"), threads);
	if (count < BLOCKED)
		printf("only %d threads\n", count);
	halt();
}

#define ANSWERS 20000

/* Two threads, each on a processor of its own, or both on one, or anywhere. */
struct answering {
	int to[2], from[2];
	int cpu[2];
	int pauses;
};

static void bind_to(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* Longer than others wait for this thread, now and then. */
static void pause_at(const struct answering *p, unsigned int *seed)
{
	if (p->pauses && rand_r(seed) % 16 == 0)
		for (volatile int i = rand_r(seed) % 20000; i > 0; i--)
			;
}

static void *answer(void *arg)
{
	struct answering *p = arg;
	unsigned int seed = 1;
	int n;

	bind_to(p->cpu[1]);
	for (int i = 0; i < ANSWERS; i++) {
		EQ(lkl_sys_read(p->to[0], &n, sizeof(n)), sizeof(n));
		EQ(n, i);
		pause_at(p, &seed);
		EQ(lkl_sys_write(p->from[1], &n, sizeof(n)), sizeof(n));
	}
	return NULL;
}

static void *ask(void *arg)
{
	struct answering *p = arg;
	pthread_t id;
	unsigned int seed = 2;
	int n;

	OK(lkl_sys_pipe2(p->to, 0));
	OK(lkl_sys_pipe2(p->from, 0));
	id = start(answer, p);
	bind_to(p->cpu[0]);
	for (int i = 0; i < ANSWERS; i++) {
		EQ(lkl_sys_write(p->to[1], &i, sizeof(i)), sizeof(i));
		pause_at(p, &seed);
		EQ(lkl_sys_read(p->from[0], &n, sizeof(n)), sizeof(n));
		EQ(n, i);
	}
	pthread_join(id, NULL);
	for (int i = 0; i < 2; i++) {
		EQ(lkl_sys_close(p->to[i]), 0);
		EQ(lkl_sys_close(p->from[i]), 0);
	}
	return NULL;
}

static int stop;

static void *intrude(void *arg)
{
	struct __lkl__kernel_timespec ts = { 0, 50000 };

	for (int i = 0; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
		if (i % 64)
			EQ(lkl_sys_getpid(), 1);
		else
			EQ(lkl_sys_nanosleep(&ts, NULL), 0);
	}
	return arg;
}

static int counter;

/* Two threads in the kernel at once would do worse than to lose one. */
static void count_one(void)
{
	const long one = 1;

	EQ(lkl_sys_write(counter, (char *)&one, sizeof(one)), sizeof(one));
}

#define CALLS_EACH 1000000

/* Call after call, so that the virtual CPU is this thread's for a while. */
static void *own_it(void *arg)
{
	unsigned int seed = (unsigned long)arg;
	int i, calls;

	for (int done = 0; done < CALLS_EACH; done += calls) {
		calls = 1 + rand_r(&seed) % 5000;
		for (i = 0; i < calls; i++)
			count_one();
		__atomic_fetch_add((long *)arg, calls, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void *take_it(void *arg)
{
	unsigned int seed = 1;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		for (volatile int i = rand_r(&seed) % 3000; i > 0; i--)
			;
		count_one();
		++*(long *)arg;
	}
	return NULL;
}

static int line;

/* Not from a thread of the kernel's, and in the middle of anything. */
static void interrupt(int sig)
{
	(void)sig;
	lkl_trigger_irq(line);
}

static void *interrupt_it(void *arg)
{
	pthread_t owner = *(pthread_t *)arg;
	struct timespec ts = { 0, 20000 };

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		for (int i = 0; i < 30; i++)
			pthread_kill(owner, SIGUSR1);
		nanosleep(&ts, NULL);
		lkl_trigger_irq(line);
	}
	return NULL;
}

/* The CPU is one thread's after the other, but never two threads'. */
static void owners(void)
{
	struct sigaction sa = { .sa_handler = interrupt,
				.sa_flags = SA_RESTART };
	long calls[3], made;
	pthread_t owner, others[3];

	boot("mem=64M");
	counter = OK(lkl_sys_eventfd2(0, 0));
	line = OK(lkl_get_free_irq("owners"));
	sigaction(SIGUSR1, &sa, NULL);
	for (int round = 0; round < 6; round++) {
		memset(calls, 0, sizeof(calls));
		stop = 0;
		owner = start(own_it, &calls[0]);
		/* None, one, ... all of them. */
		if (round > 0)
			others[0] = start(take_it, &calls[1]);
		if (round > 1)
			others[1] = start(intrude, NULL);
		if (round > 2)
			others[2] = start(interrupt_it, &owner);
		if (round > 4)
			own_it(&calls[2]);
		pthread_join(owner, NULL);
		stop = 1;
		for (int i = 0; i < 3 && i < round; i++)
			pthread_join(others[i], NULL);
		EQ(lkl_sys_read(counter, (char *)&made, sizeof(made)),
		   sizeof(made));
		EQ(made, calls[0] + calls[1] + calls[2]);
	}
	lkl_put_irq(line, "owners");
	halt();
}

static int (*host_fence)(void);
static int fences, refused;

static int count_fence(void)
{
	fences++;
	return refused ? -LKL_EPERM : host_fence();
}

static void *call_once(void *arg)
{
	count_one();
	return arg;
}

/*
 * A thread that makes many calls needs no fence.  The next thread needs one,
 * once, and does without if the host has none any more.
 */
static void fenced(void)
{
	long made, calls = 0;
	int round;

	host_fence = lkl_host_ops.fence;
	lkl_host_ops.fence = count_fence;
	boot("mem=64M maxcpus=1");
	counter = OK(lkl_sys_eventfd2(0, 0));
	for (refused = 0; refused < 2; refused++) {
		fences = 0;
		for (round = 0; round < 100 && !fences; round++) {
			for (int i = 0; i < 5000; i++)
				count_one();
			pthread_join(start(call_once, NULL), NULL);
			calls += 5001;
		}
		CHECK(fences);
	}
	fences = 0;
	for (int i = 0; i < 100000; i++)
		count_one();
	pthread_join(start(call_once, NULL), NULL);
	EQ(fences, 0);
	EQ(lkl_sys_read(counter, (char *)&made, sizeof(made)), sizeof(made));
	EQ(made, calls + 100001);
	halt();
}

/* Threads that answer each other make each other's calls. */
static void answers(void)
{
	struct answering pairs[] = {
		{ .cpu = { -1, -1 } },
		{ .cpu = { 0, 1 } },
		{ .cpu = { 0, 0 } },
		{ .cpu = { -1, -1 }, .pauses = 1 },
	};
	const int n = sizeof(pairs) / sizeof(*pairs);
	pthread_t id[sizeof(pairs) / sizeof(*pairs)], intruder;

	boot("mem=64M");
	for (int i = 0; i < n; i++)
		pthread_join(start(ask, &pairs[i]), NULL);
	/* With an unrelated thread beside them, and all at once. */
	stop = 0;
	intruder = start(intrude, NULL);
	for (int i = 0; i < n; i++)
		pthread_join(start(ask, &pairs[i]), NULL);
	for (int i = 0; i < n; i++)
		id[i] = start(ask, &pairs[i]);
	for (int i = 0; i < n; i++)
		pthread_join(id[i], NULL);
	stop = 1;
	pthread_join(intruder, NULL);
	/* The one that makes all calls is gone, and a halt does not wait. */
	halt();
	boot("mem=64M");
	pthread_join(start(ask, &pairs[0]), NULL);
	EQ(lkl_sys_getpid(), 1);
	halt();
}

static unsigned long long (*host_time)(void);
static __thread long times;

/* The kernel asks for the time on the thread that makes the call. */
static unsigned long long count_time(void)
{
	times++;
	return host_time();
}

/* Was a call of this thread made by another one? */
static int made_elsewhere(void)
{
	struct __lkl__kernel_timespec ts;
	long before = times;

	EQ(lkl_sys_clock_gettime(CLOCK_MONOTONIC, &ts), 0);
	return times == before;
}

static volatile int asked, answered;

static void *answer_elsewhere(void *arg)
{
	struct answering *p = arg;
	char c;

	bind_to(p->cpu[1]);
	while (lkl_sys_read(p->to[0], &c, 1) == 1) {
		answered += made_elsewhere();
		EQ(lkl_sys_write(p->from[1], &c, 1), 1);
	}
	return NULL;
}

/* One of two threads that answer each other makes most calls of the other. */
static void combiner(void)
{
	struct answering p;
	int cpu = 0, found = 0;
	long long end;
	pthread_t id;
	cpu_set_t set;
	char c = 0;

	EQ(sched_getaffinity(0, sizeof(set), &set), 0);
	if (CPU_COUNT(&set) < 2) {
		puts("not tested: combiner, with one processor");
		return;
	}
	host_time = lkl_host_ops.time;
	lkl_host_ops.time = count_time;
	boot("mem=64M maxcpus=1");
	OK(lkl_sys_pipe2(p.to, 0));
	OK(lkl_sys_pipe2(p.from, 0));
	/* Where there is other load the host may put both on one processor. */
	for (; found < 2; cpu++)
		if (CPU_ISSET(cpu, &set))
			p.cpu[found++] = cpu;
	bind_to(p.cpu[0]);
	id = start(answer_elsewhere, &p);
	/* And it may take a while until both run. */
	end = now(CLOCK_MONOTONIC) + 40000000000;
	do {
		CHECK(now(CLOCK_MONOTONIC) < end);
		asked = answered = 0;
		for (int i = 0; i < 1000; i++) {
			EQ(lkl_sys_write(p.to[1], &c, 1), 1);
			asked += made_elsewhere();
			EQ(lkl_sys_read(p.from[0], &c, 1), 1);
		}
	} while (asked < 800 && answered < 800);
	OK(lkl_sys_close(p.to[1]));
	pthread_join(id, NULL);
	halt();
}

/* Some of everything: files, pipes, sleeps, mappings, futexes, errors. */
static void *busy_thread(void *arg)
{
	unsigned int seed = (unsigned long)arg * 77777 + 1;
	struct __lkl__kernel_timespec ts = { 0, 0 };
	char name[32], buf[300];
	int p[2], fd, n;
	char *map;

	snprintf(name, sizeof(name), "/busy%ld", (long)arg);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		switch (rand_r(&seed) % 9) {
		case 0:
			fd = OK(lkl_sys_open(name, LKL_O_CREAT | LKL_O_RDWR,
					     0600));
			n = rand_r(&seed) % sizeof(buf);
			memset(buf, n, sizeof(buf));
			EQ(lkl_sys_write(fd, buf, n), n);
			memset(buf, 0, sizeof(buf));
			EQ(lkl_sys_pread64(fd, buf, sizeof(buf), 0), n);
			for (int i = 0; i < n; i++)
				EQ(buf[i], (char)n);
			EQ(lkl_sys_close(fd), 0);
			EQ(lkl_sys_unlink(name), 0);
			break;
		case 1:
			OK(lkl_sys_pipe2(p, 0));
			EQ(lkl_sys_write(p[1], name, 8), 8);
			EQ(lkl_sys_read(p[0], buf, 99), 8);
			EQ(memcmp(buf, name, 8), 0);
			EQ(lkl_sys_close(p[0]), 0);
			EQ(lkl_sys_close(p[1]), 0);
			break;
		case 2:
			ts.tv_nsec = rand_r(&seed) % 300000;
			EQ(lkl_sys_nanosleep(&ts, NULL), 0);
			break;
		case 3:
			EQ(lkl_sys_getpid(), 1);
			break;
		case 4:
			EQ(lkl_sys_open("/none", 0, 0), -LKL_ENOENT);
			EQ(lkl_sys_read(9999, buf, 1), -LKL_EBADF);
			EQ(lkl_sys_mkdir((char *)1, 0), -LKL_EFAULT);
			break;
		case 5:
			map = (void *)OK(lkl_sys_mmap(
				NULL, 8192, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
			EQ(map[4096], 0);
			map[5000] = 1;
			EQ(lkl_sys_munmap((long)map, 8192), 0);
			break;
		case 6:
			OK(lkl_sys_sched_yield());
			break;
		case 7:
			n = 1;
			ts.tv_nsec = 100000;
			fd = lkl_sys_futex((void *)&n,
					   LKL_FUTEX_WAIT |
						   LKL_FUTEX_PRIVATE_FLAG,
					   n, &ts, NULL, 0);
			CHECK(fd == -LKL_ETIMEDOUT);
			break;
		case 8:
			OK(lkl_sys_socketpair(LKL_AF_UNIX, LKL_SOCK_STREAM, 0,
					      p));
			EQ(lkl_sys_send(p[0], name, 3, 0), 3);
			EQ(lkl_sys_recv(p[1], buf, 10, 0), 3);
			EQ(lkl_sys_close(p[0]), 0);
			EQ(lkl_sys_close(p[1]), 0);
			break;
		}
	}
	return NULL;
}

struct pair {
	int in, out, rounds;
};

static void *ping(void *arg)
{
	struct pair *pair = arg;
	unsigned int n;

	for (;;) {
		if (lkl_sys_read(pair->in, &n, sizeof(n)) != sizeof(n))
			return NULL;
		EQ(n, pair->rounds);
		pair->rounds++;
		if (lkl_sys_write(pair->out, &n, sizeof(n)) != sizeof(n))
			return NULL;
	}
}

static void busy(void)
{
	pthread_t id[BUSY], ping_id[BUSY][2];
	static struct pair pairs[BUSY][2];
	unsigned int zero = 0;
	long rounds = 0;

	boot("mem=128M");
	for (long i = 0; i < BUSY; i++) {
		int a[2], b[2];

		id[i] = start(busy_thread, (void *)i);
		OK(lkl_sys_pipe2(a, 0));
		OK(lkl_sys_pipe2(b, 0));
		pairs[i][0] = (struct pair){ a[0], b[1], 0 };
		pairs[i][1] = (struct pair){ b[0], -1, 0 };
		ping_id[i][0] = start(ping, &pairs[i][0]);
		EQ(lkl_sys_write(a[1], &zero, 4), 4);
		for (unsigned int n = 0; n < 50; n++) {
			unsigned int got, next = n + 1;

			EQ(lkl_sys_read(b[0], &got, 4), 4);
			EQ(got, n);
			EQ(lkl_sys_write(a[1], &next, 4), 4);
		}
	}
	msleep(3000);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < BUSY; i++) {
		pthread_join(id[i], NULL);
		rounds += pairs[i][0].rounds;
	}
	CHECK(rounds >= BUSY * 50);
	/* The pings are in read(); halt ends that. */
	halt();
	for (int i = 0; i < BUSY; i++)
		pthread_join(ping_id[i][0], NULL);
}

static void *hog(void *arg)
{
	char *buf = malloc(1 << 20);

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		EQ(lkl_sys_pread64(*(int *)arg, buf, 1 << 20, 0), 1 << 20);
	free(buf);
	return NULL;
}

/* Threads that only make long calls do not starve others. */
static void starve(void)
{
	long long begin, took, worst = 0;
	pthread_t id[2];
	int fd;

	boot("mem=64M");
	fd = OK(lkl_sys_open("/f", LKL_O_CREAT | LKL_O_RDWR, 0600));
	OK(lkl_sys_ftruncate(fd, 1 << 20));
	for (int i = 0; i < 2; i++)
		id[i] = start(hog, &fd);
	msleep(10);
	for (int i = 0; i < 500; i++) {
		begin = now(CLOCK_MONOTONIC);
		EQ(lkl_sys_getpid(), 1);
		took = now(CLOCK_MONOTONIC) - begin;
		if (took > worst)
			worst = took;
		if (i % 50 == 0)
			msleep(1);
	}
	stop = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(id[i], NULL);
	if (worst > 5000000000)
		FAIL("a getpid() took %lld ms", worst / 1000000);
	halt();
}

#define IN_TURNS 4
#define TURN_CALLS 80000

/* Some hundred nanoseconds of the program's own between its calls. */
static void *call_often(void *arg)
{
	for (int i = 0; i < *(int *)arg; i++) {
		EQ(lkl_sys_getpid(), 1);
		for (volatile int j = 0; j < 1000; j++)
			;
	}
	return NULL;
}

/* What calls take of the processors' time when so many threads make them. */
static long long crowd_time(int threads)
{
	pthread_t id[IN_TURNS];
	int each = TURN_CALLS / threads;
	long long begin = now(CLOCK_PROCESS_CPUTIME_ID);

	for (int i = 0; i < threads; i++)
		id[i] = start(call_often, &each);
	for (int i = 0; i < threads; i++)
		pthread_join(id[i], NULL);
	return now(CLOCK_PROCESS_CPUTIME_ID) - begin;
}

/* Threads that call all the time get a quantum each, and sleep between them. */
static void quanta(void)
{
	long long one, all;
	int tries = 0;

	boot("mem=64M");
	/* Again if the machine is busy: the thread with the quantum may not run
	 * then. */
	do {
		one = crowd_time(1);
		all = crowd_time(IN_TURNS);
	} while (all > 3 * one && ++tries < 5);
	if (tries == 5)
		FAIL("%lld us of time for one thread, %lld for %d", one / 1000,
		     all / 1000, IN_TURNS);
	halt();
}

/* One call that reads a gigabyte of nothing, again and again. */
static volatile int long_calls;

static void *long_hog(void *arg)
{
	struct lkl_iovec iov[1024];
	char *buf = malloc(1 << 20);

	for (int i = 0; i < 1024; i++)
		iov[i] = (struct lkl_iovec){ buf, 1 << 20 };
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		EQ(lkl_sys_preadv(*(int *)arg, iov, 1024, 0, 0), 1 << 30);
		long_calls++;
	}
	free(buf);
	return NULL;
}

static int by_size(const void *a, const void *b)
{
	long long x = *(const long long *)a, y = *(const long long *)b;

	return x < y ? -1 : x > y;
}

/* Nor does one that makes a call without an end. */
static void starve_long(void)
{
	long long begin, end, took[50], each;
	pthread_t id;
	int fd;

	boot("mem=64M");
	fd = OK(lkl_sys_open("/f", LKL_O_CREAT | LKL_O_RDWR, 0600));
	OK(lkl_sys_ftruncate(fd, 1 << 30));
	id = start(long_hog, &fd);
	while (!long_calls)
		msleep(1);
	begin = now(CLOCK_MONOTONIC);
	each = long_calls;
	for (int i = 0; i < 50; i++) {
		took[i] = now(CLOCK_MONOTONIC);
		EQ(lkl_sys_getpid(), 1);
		took[i] = now(CLOCK_MONOTONIC) - took[i];
		msleep(7);
	}
	end = now(CLOCK_MONOTONIC);
	stop = 1;
	pthread_join(id, NULL);
	each = (end - begin) / (long_calls - each);
	qsort(took, 50, sizeof(*took), by_size);
	if (took[25] > each / 5)
		FAIL("a getpid() takes %lld us beside calls of %lld us",
		     took[25] / 1000, each / 1000);
	halt();
}

static unsigned int word;
static int listener, blocked_now;

static void *block(void *arg)
{
	struct __lkl__kernel_timespec minute = { 60, 0 };
	struct lkl_pollfd fd = { .fd = pipes[0], .events = LKL_POLLIN };
	long ret;
	char c;

	__atomic_fetch_add(&blocked_now, 1, __ATOMIC_RELAXED);
	switch ((long)arg % 5) {
	case 0:
		ret = lkl_sys_read(pipes[0], &c, 1);
		break;
	case 1:
		ret = lkl_sys_futex(&word, LKL_FUTEX_WAIT, 0, NULL, NULL, 0);
		break;
	case 2:
		ret = lkl_sys_poll(&fd, 1, -1);
		break;
	case 3:
		ret = lkl_sys_nanosleep(&minute, NULL);
		break;
	default:
		ret = lkl_sys_accept(listener, NULL, NULL);
		break;
	}
	if (ret != -LKL_ESHUTDOWN && ret != -LKL_ENOSYS)
		FAIL("blocked call %ld ends with %ld", (long)arg % 5, ret);
	CHECK(lkl_sys_getpid() < 0);
	return NULL;
}

static void *call_on(void *arg)
{
	long ret;

	do
		ret = lkl_sys_getpid();
	while (ret == 1);
	if (ret != -LKL_ESHUTDOWN && ret != -LKL_ENOSYS)
		FAIL("getpid is %ld", ret);
	return arg;
}

/* Halt ends the calls of all others, blocked or just being made. */
static void halt_blocked(void)
{
	struct lkl_sockaddr_in address = { .sin_family = LKL_AF_INET };
	pthread_t id[50], calling[4];

	for (int round = 0; round < 20; round++) {
		int count = round ? 10 : 50;

		boot("mem=64M");
		OK(lkl_sys_pipe2(pipes, 0));
		listener = OK(lkl_sys_socket(LKL_AF_INET, LKL_SOCK_STREAM, 0));
		OK(lkl_sys_bind(listener, (void *)&address, sizeof(address)));
		OK(lkl_sys_listen(listener, 1));
		blocked_now = 0;
		for (long i = 0; i < count; i++)
			id[i] = start(block, (void *)i);
		for (int i = 0; i < 4; i++)
			calling[i] = start(call_on, NULL);
		while (__atomic_load_n(&blocked_now, __ATOMIC_RELAXED) < count)
			msleep(1);
		/* Later rounds: some may be on their way in. */
		if (!round)
			msleep(50);
		halt();
		for (int i = 0; i < count; i++)
			pthread_join(id[i], NULL);
		for (int i = 0; i < 4; i++)
			pthread_join(calling[i], NULL);
	}
}

/* Threads that are just being made known to the kernel. */
static void *enter(void *arg)
{
	long ret = lkl_sys_getpid();

	if (ret != 1 && ret != -LKL_ESHUTDOWN && ret != -LKL_ENOSYS)
		FAIL("getpid is %ld", ret);
	return arg;
}

static void halt_entering(void)
{
	pthread_t id[8];

	for (int round = 0; round < 100; round++) {
		boot("mem=64M");
		for (int i = 0; i < 8; i++)
			id[i] = start(enter, NULL);
		halt();
		for (int i = 0; i < 8; i++)
			pthread_join(id[i], NULL);
	}
}

static const struct check tests[] = {
	{ "answers", answers },
	{ "combiner", combiner },
	{ "owners", owners },
	{ "fenced", fenced },
	{ "quanta", quanta },
	{ "busy", busy },
	{ "starve", starve },
	{ "starve-long", starve_long },
	{ "halt-blocked", halt_blocked },
	{ "halt-entering", halt_entering },
	{ "blocked", blocked },
	{ "short-lived", short_lived },
};

CHECK_MAIN(tests)
