// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a system call costs, in the library and on the host.
 *
 * Each figure is taken in rounds that alternate between the library's kernel
 * and the host's, so that both see the same machine.  bench/run reads what is
 * printed.
 *
 * usage: calls [rounds]
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "bench.h"

static long on_lkl(long nr, long a, long b, long c, long d)
{
	long params[6] = { a, b, c, d, 0, 0 };

	return lkl_syscall(nr, params);
}

static long on_host(long nr, long a, long b, long c, long d)
{
	long ret = syscall(nr, a, b, c, d);

	return ret < 0 ? -errno : ret;
}

typedef long (*call_fn)(long nr, long a, long b, long c, long d);

/* A file of 1 MiB on tmpfs, on each side. */
static const char *const file_path[2] = { "/bench-calls",
					  "/dev/shm/bench-calls" };
static int file[2], pipes[2][2];
static char buf[1 << 20];

static void do_getpid(call_fn call, int host, int n)
{
	(void)host;
	while (n--)
		call(SYS_getppid, 0, 0, 0, 0);
}

static void do_read(call_fn call, int host, int n, size_t size)
{
	while (n--)
		if (call(SYS_pread64, file[host], (long)buf, size, 0) !=
		    (long)size)
			die("pread", EIO);
}

static void do_read_1(call_fn call, int host, int n)
{
	do_read(call, host, n, 1);
}

static void do_read_4k(call_fn call, int host, int n)
{
	do_read(call, host, n, 4096);
}

static void do_write_4k(call_fn call, int host, int n)
{
	while (n--)
		if (call(SYS_pwrite64, file[host], (long)buf, 4096, 0) != 4096)
			die("pwrite", EIO);
}

static void do_open(call_fn call, int host, int n)
{
	while (n--) {
		long fd = call(SYS_open, (long)file_path[host], O_RDONLY, 0, 0);

		call(SYS_close, need(fd, "open"), 0, 0, 0);
	}
}

static void do_stat(call_fn call, int host, int n)
{
	while (n--)
		need(call(SYS_stat, (long)file_path[host], (long)buf, 0, 0),
		     "stat");
}

static void do_pipe(call_fn call, int host, int n)
{
	while (n--) {
		call(SYS_write, pipes[host][1], (long)buf, 1, 0);
		call(SYS_read, pipes[host][0], (long)buf, 1, 0);
	}
}

static void do_nanosleep(call_fn call, int host, int n)
{
	struct timespec ts = { .tv_nsec = 50000 };

	(void)host;
	while (n--)
		call(SYS_nanosleep, (long)&ts, 0, 0, 0);
}

/* Two threads and two pipes. */
struct pong {
	call_fn call;
	int in, out, n, cpu;
};

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	if (cpu >= 0)
		CPU_SET(cpu, &set);
	else
		for (int i = 0; i < CPU_SETSIZE; i++)
			CPU_SET(i, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void *pong_main(void *arg)
{
	struct pong *p = arg;
	char c;

	if (p->cpu >= 0)
		pin(p->cpu);
	for (int i = 0; i < p->n; i++) {
		p->call(SYS_read, p->in, (long)&c, 1, 0);
		p->call(SYS_write, p->out, (long)&c, 1, 0);
	}
	return NULL;
}

static void ping_pong(call_fn call, int n, int cpu)
{
	int there[2], back[2];
	struct pong p;
	pthread_t id;
	char c = 0;

	need(call(SYS_pipe, (long)there, 0, 0, 0), "pipe");
	need(call(SYS_pipe, (long)back, 0, 0, 0), "pipe");
	p = (struct pong){ call, there[0], back[1], n, cpu };
	if (cpu >= 0)
		pin(cpu);
	pthread_create(&id, NULL, pong_main, &p);
	for (int i = 0; i < n; i++) {
		call(SYS_write, there[1], (long)&c, 1, 0);
		call(SYS_read, back[0], (long)&c, 1, 0);
	}
	pthread_join(id, NULL);
	if (cpu >= 0)
		pin(-1);
	for (int i = 0; i < 2; i++) {
		call(SYS_close, there[i], 0, 0, 0);
		call(SYS_close, back[i], 0, 0, 0);
	}
}

static void do_ping_pong(call_fn call, int host, int n)
{
	(void)host;
	ping_pong(call, n, -1);
}

static void do_ping_pong_pinned(call_fn call, int host, int n)
{
	(void)host;
	ping_pong(call, n, 0);
}

/* Several threads calling at once: from the first one's start to the last's
 * end. */
struct crowd {
	call_fn call;
	int n;
	pthread_barrier_t *start;
	double from, to;
};

static void *crowd_main(void *arg)
{
	struct crowd *c = arg;

	c->call(SYS_getppid, 0, 0, 0, 0);
	pthread_barrier_wait(c->start);
	c->from = now_ns();
	for (int i = 0; i < c->n; i++)
		c->call(SYS_getppid, 0, 0, 0, 0);
	c->to = now_ns();
	return NULL;
}

/* What a figure has measured itself, if not 0. */
static double measured;

static void crowd(call_fn call, int n, int threads)
{
	pthread_barrier_t start;
	struct crowd c[8];
	pthread_t id[8];
	double from, to;

	pthread_barrier_init(&start, NULL, threads);
	for (int i = 0; i < threads; i++) {
		c[i] = (struct crowd){ call, n / threads, &start, 0, 0 };
		pthread_create(&id[i], NULL, crowd_main, &c[i]);
	}
	for (int i = 0; i < threads; i++)
		pthread_join(id[i], NULL);
	from = c[0].from;
	to = c[0].to;
	for (int i = 1; i < threads; i++) {
		from = c[i].from < from ? c[i].from : from;
		to = c[i].to > to ? c[i].to : to;
	}
	measured = to - from;
	pthread_barrier_destroy(&start);
}

static void do_crowd_1(call_fn call, int host, int n)
{
	(void)host;
	crowd(call, n, 1);
}

static void do_crowd_2(call_fn call, int host, int n)
{
	(void)host;
	crowd(call, n, 2);
}

static void do_crowd_4(call_fn call, int host, int n)
{
	(void)host;
	crowd(call, n, 4);
}

static double first_calls;

static void *first_call_main(void *arg)
{
	double start = now_ns();

	((call_fn)arg)(SYS_getppid, 0, 0, 0, 0);
	first_calls += now_ns() - start;
	return NULL;
}

static void do_first_call(call_fn call, int host, int n)
{
	(void)host;
	while (n--) {
		pthread_t id;

		pthread_create(&id, NULL, first_call_main, (void *)call);
		pthread_join(id, NULL);
	}
}

static void do_first_call_alone(call_fn call, int host, int n)
{
	first_calls = 0;
	do_first_call(call, host, n);
	measured = first_calls;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct figure {
	const char *name;
	void (*run)(call_fn call, int host, int n);
	int n;
	const char *unit;
	double scale;
};

static const struct figure figures[] = {
	{ "getppid", do_getpid, 100000, "ns", 1 },
	{ "pread 1 byte, tmpfs", do_read_1, 50000, "ns", 1 },
	{ "pread 4 KiB, tmpfs", do_read_4k, 50000, "ns", 1 },
	{ "pwrite 4 KiB, tmpfs", do_write_4k, 50000, "ns", 1 },
	{ "stat, tmpfs", do_stat, 50000, "ns", 1 },
	{ "open + close, tmpfs", do_open, 20000, "ns", 1 },
	{ "pipe write + read, one thread", do_pipe, 20000, "ns", 1 },
	{ "pipe ping-pong, two threads", do_ping_pong, 5000, "us", 1e3 },
	{ "pipe ping-pong, pinned to one CPU", do_ping_pong_pinned, 5000, "us",
	  1e3 },
	{ "getppid, one thread of a crowd", do_crowd_1, 1000000, "ns", 1 },
	{ "getppid, two threads at once", do_crowd_2, 1000000, "ns", 1 },
	{ "getppid, four threads at once", do_crowd_4, 1000000, "ns", 1 },
	{ "thread start + first call + end", do_first_call, 500, "us", 1e3 },
	{ "first call of a thread", do_first_call_alone, 500, "us", 1e3 },
	{ "nanosleep 50 us", do_nanosleep, 200, "us", 1e3 },
};

static void measure(const struct figure *f)
{
	static double t[2][MAX_ROUNDS];
	call_fn calls[2] = { on_lkl, on_host };

	for (int r = -1; r < rounds; r++) {
		for (int host = 0; host < 2; host++) {
			double start = now_ns(), took;

			measured = 0;
			f->run(calls[host], host, f->n);
			took = measured ? measured : now_ns() - start;
			if (r >= 0)
				t[host][r] = took / f->n / f->scale;
		}
	}
	for (int host = 0; host < 2; host++)
		report(f->name, f->unit, host ? "host" : "lkl", t[host]);
}

static long resident_kib(void)
{
	char line[128];
	long kib = 0;
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmRSS: %ld", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

/* Boots in a child of its own, as a program's first. */
static void measure_boot(const char *mem)
{
	double call[MAX_ROUNDS], rss[MAX_ROUNDS];
	char name[64];

	for (int r = 0; r < rounds; r++) {
		double took[2] = { 0 };
		int out[2];

		if (pipe(out))
			die("pipe", errno);
		if (!fork()) {
			double start = now_ns();

			if (lkl_start_kernel("mem=%s loglevel=0", mem))
				_exit(1);
			on_lkl(SYS_getpid, 0, 0, 0, 0);
			took[0] = now_ns() - start;
			took[1] = resident_kib();
			_exit(write(out[1], took, sizeof(took)) < 0);
		}
		close(out[1]);
		if (read(out[0], took, sizeof(took)) != sizeof(took))
			die("boot", EIO);
		close(out[0]);
		wait(NULL);
		call[r] = took[0] / 1e6;
		rss[r] = took[1] / 1024;
	}
	snprintf(name, sizeof(name), "boot to first call, mem=%s", mem);
	report(name, "ms", "lkl", call);
	snprintf(name, sizeof(name), "resident after boot, mem=%s", mem);
	report(name, "MiB", "lkl", rss);
}

/* How long a short call takes while another thread makes long ones. */
static volatile int reading;

static void *long_reads_main(void *arg)
{
	call_fn call = arg;
	int host = call == on_host;

	while (reading)
		call(SYS_pread64, file[host], (long)buf, sizeof(buf), 0);
	return NULL;
}

static void measure_fairness(void)
{
	static double t[2][MAX_ROUNDS], one[20000];
	const int n = sizeof(one) / sizeof(*one);
	call_fn calls[2] = { on_lkl, on_host };

	for (int r = 0; r < rounds; r++) {
		for (int host = 0; host < 2; host++) {
			pthread_t id;

			reading = 1;
			pthread_create(&id, NULL, long_reads_main,
				       (void *)calls[host]);
			for (int i = 0; i < n; i++) {
				double start = now_ns();

				calls[host](SYS_getppid, 0, 0, 0, 0);
				one[i] = now_ns() - start;
			}
			reading = 0;
			pthread_join(id, NULL);
			qsort(one, n, sizeof(*one), by_value);
			t[host][r] = one[n * 99 / 100] / 1e3;
		}
	}
	for (int host = 0; host < 2; host++)
		report("getppid p99 beside 1 MiB preads", "us",
		       host ? "host" : "lkl", t[host]);
}

int main(int argc, char **argv)
{
	begin(argc, argv);
	measure_boot("64M");
	measure_boot("256M");
	measure_boot("1G");

	need(lkl_start_kernel("mem=128M"), "boot");
	for (int host = 0; host < 2; host++) {
		call_fn call = host ? on_host : on_lkl;

		file[host] = need(call(SYS_open, (long)file_path[host],
				       O_RDWR | O_CREAT | O_TRUNC, 0600, 0),
				  file_path[host]);
		need(call(SYS_pwrite64, file[host], (long)buf, sizeof(buf), 0),
		     "pwrite");
		need(call(SYS_pipe, (long)pipes[host], 0, 0, 0), "pipe");
	}
	for (size_t i = 0; i < sizeof(figures) / sizeof(*figures); i++)
		measure(&figures[i]);
	measure_fairness();
	unlink(file_path[1]);
	lkl_sys_halt();
	lkl_cleanup();
	return 0;
}
