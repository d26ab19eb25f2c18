// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eight threads make calls of all kinds on four virtual CPUs, while signals
 * reach them and their processors change, the host's and the virtual ones.
 * What they write must be what they read, what goes into a shared pipe, an
 * eventfd or a log must come out, a futex must keep two threads apart, and the
 * kernel must not complain.
 *
 * STRESS_SECONDS says for how long (3), STRESS_SEED with which random numbers
 * (1), STRESS_OPTIONS which options the kernel has besides.
 */
#include <sched.h>

#include "check.h"

#define THREADS 8
#define OWN (64 << 10)
#define BLOCK 4096
#define NAMES 24

/*
 * A thread.
 *
 * @seed: of its random numbers
 * @fd: its file on tmpfs, and
 * @direct: the one on ext4 that it writes without the cache
 * @copy, @direct_copy: what must be in them
 * @to, @from: the ends of a TCP connection
 * @timer: a timerfd
 * @in, @out: what it has written to the pipe, and read
 * @added, @taken: the same with the eventfd
 * @logged: how many records are of it
 * @locked: how often it had the lock
 * @calls: how many operations it has done
 */
struct worker {
	pthread_t id;
	unsigned int seed;
	int number;
	int fd, direct, to, from, timer;
	char copy[OWN];
	char *direct_copy, *block;
	unsigned long long in, out, added, taken;
	unsigned int logged;
	unsigned long locked, calls;
};

static struct worker workers[THREADS];
static int stop, pipes[2], event, log_fd;
static int lock;
static volatile unsigned long counter;
static unsigned long signals;
/* Of the host, where threads may run. */
static cpu_set_t processors;

/* A signal may end any call that waits. */
#define AGAIN(expr)                                                            \
	({                                                                     \
		long again_;                                                   \
		do                                                             \
			again_ = (long)(expr);                                 \
		while (again_ == -LKL_EINTR);                                  \
		again_;                                                        \
	})

static unsigned int pick(struct worker *w, unsigned int below)
{
	return rand_r(&w->seed) % below;
}

static void fill(struct worker *w, char *at, unsigned int n)
{
	unsigned int value = rand_r(&w->seed);

	for (unsigned int i = 0; i < n; i++)
		at[i] = value + i * 7;
}

static void identity(struct worker *w)
{
	(void)w;
	EQ(lkl_sys_getpid(), 1);
}

static void own_file(struct worker *w)
{
	unsigned int n = 1 + pick(w, 3 * BLOCK), at = pick(w, OWN - n);
	char seen[3 * BLOCK];

	if (pick(w, 2)) {
		fill(w, w->copy + at, n);
		EQ(lkl_sys_pwrite64(w->fd, w->copy + at, n, at), n);
		return;
	}
	EQ(lkl_sys_pread64(w->fd, seen, n, at), n);
	EQ(memcmp(seen, w->copy + at, n), 0);
}

static void direct(struct worker *w)
{
	unsigned int at = pick(w, OWN / BLOCK) * BLOCK;

	if (pick(w, 2)) {
		fill(w, w->block, BLOCK);
		memcpy(w->direct_copy + at, w->block, BLOCK);
		EQ(AGAIN(lkl_sys_pwrite64(w->direct, w->block, BLOCK, at)),
		   BLOCK);
		return;
	}
	EQ(AGAIN(lkl_sys_pread64(w->direct, w->block, BLOCK, at)), BLOCK);
	EQ(memcmp(w->block, w->direct_copy + at, BLOCK), 0);
}

static void mapped(struct worker *w)
{
	unsigned int at = pick(w, OWN / KERNEL_PAGE) * KERNEL_PAGE;
	char *map = (char *)OK(lkl_sys_mmap(NULL, KERNEL_PAGE, LKL_PROT_READ,
					    LKL_MAP_SHARED, w->fd, at));

	EQ(memcmp(map, w->copy + at, KERNEL_PAGE), 0);
	EQ(lkl_sys_munmap((unsigned long)map, KERNEL_PAGE), 0);
}

/* Others make and remove the same names. */
static void names(struct worker *w)
{
	char a[32], b[32];
	long ret;

	snprintf(a, sizeof(a), "names/%u", pick(w, NAMES));
	snprintf(b, sizeof(b), "names/%u", pick(w, NAMES));
	switch (pick(w, 4)) {
	case 0:
		ret = lkl_sys_open(a, LKL_O_CREAT | LKL_O_RDWR, 0600);
		OK(ret);
		ret = lkl_sys_close(ret);
		break;
	case 1:
		ret = lkl_sys_unlink(a);
		break;
	case 2:
		ret = lkl_sys_rename(a, b);
		break;
	default:
		ret = lkl_sys_link(a, b);
		break;
	}
	if (ret && ret != -LKL_ENOENT && ret != -LKL_EEXIST)
		FAIL("%s %s: %s", a, b, lkl_strerror(ret));
}

/* Each record says whose it is, and which. */
static void logs(struct worker *w)
{
	unsigned int record[2] = { w->number, w->logged++ };

	EQ(lkl_sys_write(log_fd, (char *)record, sizeof(record)),
	   sizeof(record));
}

static void pipe_bytes(struct worker *w)
{
	unsigned long long value = pick(w, 1000);
	long ret;

	if (pick(w, 2)) {
		ret = lkl_sys_write(pipes[1], (char *)&value, sizeof(value));
		if (ret == sizeof(value))
			w->in += value;
	} else {
		ret = lkl_sys_read(pipes[0], (char *)&value, sizeof(value));
		if (ret == sizeof(value))
			w->out += value;
	}
	if (ret != sizeof(value) && ret != -LKL_EAGAIN)
		FAIL("pipe: %s", lkl_strerror(ret));
}

static void events(struct worker *w)
{
	unsigned long long value = 1 + pick(w, 3);
	long ret;

	if (pick(w, 2)) {
		EQ(lkl_sys_write(event, (char *)&value, sizeof(value)),
		   sizeof(value));
		w->added += value;
		return;
	}
	ret = lkl_sys_read(event, (char *)&value, sizeof(value));
	if (ret == sizeof(value))
		w->taken += value;
	else if (ret != -LKL_EAGAIN)
		FAIL("eventfd: %s", lkl_strerror(ret));
}

static long futex(int op, int value)
{
	return lkl_sys_futex((unsigned int *)&lock, op, value, NULL, NULL, 0);
}

/* 0: free, 1: taken, 2: taken and waited for. */
static void locked(struct worker *w)
{
	unsigned long seen;
	int free = 0;

	if (!__atomic_compare_exchange_n(&lock, &free, 1, 0, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		while (__atomic_exchange_n(&lock, 2, __ATOMIC_ACQUIRE)) {
			long ret = futex(LKL_FUTEX_WAIT, 2);

			if (ret && ret != -LKL_EAGAIN && ret != -LKL_EINTR)
				FAIL("futex: %s", lkl_strerror(ret));
		}
	seen = counter;
	if (!pick(w, 8))
		EQ(lkl_sys_sched_yield(), 0);
	counter = seen + 1;
	w->locked++;
	if (__atomic_exchange_n(&lock, 0, __ATOMIC_RELEASE) == 2)
		OK(futex(LKL_FUTEX_WAKE, 1));
}

static void tcp(struct worker *w)
{
	unsigned int n = 1 + pick(w, BLOCK), done = 0;
	char sent[BLOCK], seen[BLOCK];

	fill(w, sent, n);
	while (done < n)
		done += OK(AGAIN(lkl_sys_write(w->to, sent + done, n - done)));
	for (done = 0; done < n;)
		done += OK(AGAIN(lkl_sys_read(w->from, seen + done, n - done)));
	EQ(memcmp(sent, seen, n), 0);
}

static void timer(struct worker *w)
{
	struct __lkl__kernel_itimerspec at = { .it_value.tv_nsec =
						       1 + pick(w, 100000) };
	unsigned long long times;

	EQ(lkl_sys_timerfd_settime(w->timer, 0, &at, NULL), 0);
	EQ(AGAIN(lkl_sys_read(w->timer, (char *)&times, sizeof(times))),
	   sizeof(times));
	EQ(times, 1);
}

static void waits(struct worker *w)
{
	struct lkl_epoll_event ready;
	long ep = OK(lkl_sys_epoll_create1(0)), ret;
	struct lkl_epoll_event add = { .events = LKL_EPOLLIN, .data = 5 };

	OK(lkl_sys_epoll_ctl(ep, LKL_EPOLL_CTL_ADD, event, &add));
	ret = AGAIN(lkl_sys_epoll_wait(ep, &ready, 1, pick(w, 2)));
	CHECK(ret == 0 || (ret == 1 && ready.data == 5));
	EQ(lkl_sys_close(ep), 0);
}

static void sleeps(struct worker *w)
{
	struct __lkl__kernel_timespec ts = { 0, pick(w, 50000) };
	long ret = lkl_sys_nanosleep(&ts, NULL);

	CHECK(!ret || ret == -LKL_EINTR);
}

/* Where the host runs the thread, and the kernel its task. */
static void moves(struct worker *w)
{
	unsigned long mask = 1 + pick(w, 15);
	cpu_set_t set;
	int cpu;

	do
		cpu = pick(w, CPU_SETSIZE);
	while (!CPU_ISSET(cpu, &processors));
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), pick(w, 2) ? &set : &processors);
	OK(lkl_sys_sched_setaffinity(0, sizeof(mask), &mask));
}

static void (*const operations[])(struct worker *w) = {
	identity, own_file, direct, mapped, names, logs,   pipe_bytes,
	events,	  locked,   tcp,    timer,  waits, sleeps, moves,
};

static void *work(void *arg)
{
	struct worker *w = arg;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		unsigned int kind = pick(w, ARRAY_SIZE(operations));

		/* What waits is not most of it. */
		for (int n = kind < 9 ? 1 + pick(w, 30) : 1; n; n--) {
			operations[kind](w);
			w->calls++;
		}
	}
	return NULL;
}

static void count_signal(int sig)
{
	(void)sig;
	__atomic_fetch_add(&signals, 1, __ATOMIC_RELAXED);
}

/* Both ends of a TCP connection over lo. */
static void connect_pair(struct worker *w)
{
	struct lkl_sockaddr_in at = {
		.sin_family = LKL_AF_INET,
		.sin_addr.lkl_s_addr = 0x0100007f,
	};
	int len = sizeof(at);
	long listener = OK(lkl_sys_socket(LKL_AF_INET, LKL_SOCK_STREAM, 0));

	OK(lkl_sys_bind(listener, (struct lkl_sockaddr *)&at, len));
	OK(lkl_sys_listen(listener, 1));
	OK(lkl_sys_getsockname(listener, (struct lkl_sockaddr *)&at, &len));
	w->to = OK(lkl_sys_socket(LKL_AF_INET, LKL_SOCK_STREAM, 0));
	OK(lkl_sys_connect(w->to, (struct lkl_sockaddr *)&at, len));
	w->from = OK(lkl_sys_accept(listener, NULL, NULL));
	OK(lkl_sys_close(listener));
}

static void begin(struct worker *w, int number, const char *disk)
{
	unsigned int flags = LKL_O_CREAT | LKL_O_RDWR;
	const char *seed = getenv("STRESS_SEED");
	char path[128];

	w->number = number;
	w->seed = (seed ? atoi(seed) : 1) * THREADS + number;
	snprintf(path, sizeof(path), "own.%d", number);
	w->fd = OK(lkl_sys_open(path, flags, 0600));
	EQ(lkl_sys_write(w->fd, w->copy, OWN), OWN);
	snprintf(path, sizeof(path), "%s/%d", disk, number);
	w->direct = OK(lkl_sys_open(path, flags | LKL_O_DIRECT, 0600));
	w->direct_copy = aligned_alloc(BLOCK, OWN);
	w->block = aligned_alloc(BLOCK, BLOCK);
	memset(w->direct_copy, 0, OWN);
	EQ(lkl_sys_pwrite64(w->direct, w->direct_copy, OWN, 0), OWN);
	w->timer = OK(lkl_sys_timerfd_create(LKL_CLOCK_MONOTONIC, 0));
	connect_pair(w);
}

/* Every record is there, and those of a thread are in order. */
static void read_log(void)
{
	unsigned int record[2], next[THREADS] = { 0 };

	OK(lkl_sys_lseek(log_fd, 0, LKL_SEEK_SET));
	while (OK(lkl_sys_read(log_fd, (char *)record, sizeof(record)))) {
		CHECK(record[0] < THREADS);
		EQ(record[1], next[record[0]]++);
	}
	for (int i = 0; i < THREADS; i++)
		EQ(next[i], workers[i].logged);
}

/* What is left in the pipe and in the eventfd is all that is missing. */
static void account(void)
{
	unsigned long long value, piped = 0, evented = 0;
	unsigned long lock_count = 0;

	for (int i = 0; i < THREADS; i++) {
		piped += workers[i].in - workers[i].out;
		evented += workers[i].added - workers[i].taken;
		lock_count += workers[i].locked;
	}
	while (lkl_sys_read(pipes[0], (char *)&value, sizeof(value)) ==
	       sizeof(value))
		piped -= value;
	if (lkl_sys_read(event, (char *)&value, sizeof(value)) == sizeof(value))
		evented -= value;
	EQ(piped, 0);
	EQ(evented, 0);
	EQ(counter, lock_count);
	read_log();
}

/* The kernel's own words for what is wrong. */
static void listen_to_kernel(void)
{
	static const char *const bad[] = { "BUG:", "WARNING:", "INFO: ",
					   "======", "Call Trace" };

	printed[printed_len] = 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		if (strstr(printed, bad[i]))
			FAIL("the kernel says:\n%s", strstr(printed, bad[i]));
}

static void set_up(void)
{
	const char *options = getenv("STRESS_OPTIONS");
	struct lkl_disk disk = { .fd = ext4_image(32) };
	char path[64];
	int id;

	OK(lkl_init(&lkl_host_ops));
	lkl_host_ops.print = print_capture;
	OK(lkl_start_kernel("maxcpus=4 mem=256M loglevel=7 %s",
			    options ? options : ""));
	OK(lkl_if_up(1));
	id = OK(lkl_disk_add(&disk));
	OK(lkl_mount_dev(id, 0, "ext4", 0, NULL, path, sizeof(path)));
	OK(lkl_sys_mkdir("/stress", 0700));
	OK(lkl_sys_mount("none", "/stress", "tmpfs", 0, NULL));
	OK(lkl_sys_chdir("/stress"));
	OK(lkl_sys_mkdir("names", 0700));
	OK(lkl_sys_pipe2(pipes, LKL_O_NONBLOCK));
	event = OK(lkl_sys_eventfd2(0, LKL_O_NONBLOCK));
	log_fd = OK(lkl_sys_open("log", LKL_O_CREAT | LKL_O_RDWR | LKL_O_APPEND,
				 0600));
	for (int i = 0; i < THREADS; i++)
		begin(&workers[i], i, path);
}

static void stress(void)
{
	const char *given = getenv("STRESS_SECONDS");
	int seconds = given ? atoi(given) : 3;
	struct sigaction action = { .sa_handler = count_signal };
	struct timespec pause = { 0, 200000 };
	unsigned long calls = 0;
	unsigned int seed = 1;
	long long end;

	alarm(seconds + CHECK_LIMIT);
	sigaction(SIGUSR1, &action, NULL);
	EQ(sched_getaffinity(0, sizeof(processors), &processors), 0);
	set_up();
	for (int i = 0; i < THREADS; i++)
		pthread_create(&workers[i].id, NULL, work, &workers[i]);
	end = now(CLOCK_MONOTONIC) + seconds * 1000000000LL;
	while (now(CLOCK_MONOTONIC) < end) {
		pthread_kill(workers[rand_r(&seed) % THREADS].id, SIGUSR1);
		nanosleep(&pause, NULL);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(workers[i].id, NULL);
		calls += workers[i].calls;
		CHECK(workers[i].calls > 0);
	}
	account();
	halt();
	listen_to_kernel();
	printf("%lu operations, %lu signals\n", calls, signals);
}

static const struct check tests[] = {
	{ "stress", stress },
};

CHECK_MAIN(tests)
