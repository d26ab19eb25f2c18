// SPDX-License-Identifier: GPL-2.0-only
/*
 * What several virtual CPUs bring: the rate of two threads on two of them,
 * beside that of one thread on two, of one thread and of two in a kernel with
 * one, of two in a kernel that grows by itself, and of two and one on the host.
 * Each thread has files of its own.
 *
 * usage: cpus [rounds]
 */
#include <fcntl.h>
#include <pthread.h>

#include "bench.h"

#define THREADS 2

struct worker {
	int host, number;
	void (*run)(struct worker *w, int n);
	int n;
	char path[64];
	int file;
	int pipe[2];
	pthread_barrier_t *start;
	double from, to;
};

static void get_parent(struct worker *w, int n)
{
	while (n--)
		bench_call(w->host, SYS_getppid, 0);
}

static void read_file(struct worker *w, int n)
{
	char buf[4096];

	while (n--)
		need(bench_call(w->host, SYS_pread64, w->file, (long)buf,
				sizeof(buf), 0),
		     "pread");
}

static void read_byte(struct worker *w, int n)
{
	char c;

	while (n--)
		need(bench_call(w->host, SYS_pread64, w->file, (long)&c, 1, 0),
		     "pread");
}

static void look(struct worker *w, int n)
{
	char st[256];

	while (n--)
		need(bench_call(w->host, SYS_stat, (long)w->path, (long)st),
		     "stat");
}

static void open_close(struct worker *w, int n)
{
	while (n--)
		bench_call(w->host, SYS_close,
			   need(bench_call(w->host, SYS_open, (long)w->path,
					   O_RDONLY, 0),
				"open"));
}

static void use_pipe(struct worker *w, int n)
{
	char c = 0;

	while (n--) {
		need(bench_call(w->host, SYS_write, w->pipe[1], (long)&c, 1),
		     "write");
		need(bench_call(w->host, SYS_read, w->pipe[0], (long)&c, 1),
		     "read");
	}
}

static const struct figure {
	const char *name;
	void (*run)(struct worker *w, int n);
	int n;
} figures[] = {
	{ "getppid", get_parent, 1000000 },
	{ "pread 1 byte, tmpfs", read_byte, 500000 },
	{ "pread 4 KiB, tmpfs", read_file, 400000 },
	{ "stat, tmpfs", look, 300000 },
	{ "open + close, tmpfs", open_close, 150000 },
	{ "pipe write + read", use_pipe, 300000 },
};

#define FIGURES (int)(sizeof(figures) / sizeof(*figures))

static const struct side {
	const char *name, *cpus;
	int threads;
} sides[] = {
	{ "lkl", "2", 2 },
	{ "one thread", "2", 1 },
	{ "one CPU", "1", 1 },
	{ "one CPU, both", "1", 2 },
	{ "grows", "auto", 2 },
	{ "host", NULL, 2 },
	{ "host, one thread", NULL, 1 },
};

#define SIDES (int)(sizeof(sides) / sizeof(*sides))

static double values[FIGURES][SIDES][MAX_ROUNDS];

/* Memory of two threads that is side by side would go to and fro. */
static void prepare(struct worker *w)
{
	char junk[4096] = "";

	snprintf(w->path, sizeof(w->path), "%s/bench-cpus-%d-%d",
		 w->host ? "/dev/shm" : "", getpid(), w->number);
	w->file = need(bench_call(w->host, SYS_open, (long)w->path,
				  O_RDWR | O_CREAT, 0600),
		       w->path);
	need(bench_call(w->host, SYS_pwrite64, w->file, (long)junk,
			sizeof(junk), 0),
	     "pwrite");
	need(bench_call(w->host, SYS_pipe, (long)w->pipe), "pipe");
}

static void clean(struct worker *w)
{
	bench_call(w->host, SYS_unlink, (long)w->path);
	bench_call(w->host, SYS_close, w->file);
	bench_call(w->host, SYS_close, w->pipe[0]);
	bench_call(w->host, SYS_close, w->pipe[1]);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	prepare(w);
	/* A thread's first calls are something else. */
	w->run(w, w->n / 20);
	pthread_barrier_wait(w->start);
	w->from = now_ns();
	w->run(w, w->n);
	w->to = now_ns();
	clean(w);
	return NULL;
}

/* Millions of calls in a second, of all threads. */
static double rate(struct worker *w, int threads)
{
	pthread_barrier_t start;
	pthread_t id[THREADS];
	double from, to;
	int i;

	pthread_barrier_init(&start, NULL, threads);
	for (i = 0; i < threads; i++) {
		w[i].start = &start;
		need(-pthread_create(&id[i], NULL, work, &w[i]), "thread");
	}
	for (i = 0; i < threads; i++)
		pthread_join(id[i], NULL);
	pthread_barrier_destroy(&start);
	from = w[0].from;
	to = w[0].to;
	for (i = 1; i < threads; i++) {
		from = w[i].from < from ? w[i].from : from;
		to = w[i].to > to ? w[i].to : to;
	}
	return (double)w[0].n * threads / (to - from) * 1e3;
}

static void measure(int s, int round, int divide)
{
	const struct side *side = &sides[s];
	struct worker w[THREADS];
	int i, f;

	if (side->cpus)
		need(lkl_start_kernel("mem=64M maxcpus=%s", side->cpus),
		     "lkl_start_kernel");
	for (i = 0; i < side->threads; i++) {
		w[i].host = !side->cpus;
		w[i].number = i;
	}
	for (f = 0; f < FIGURES; f++) {
		for (i = 0; i < side->threads; i++) {
			w[i].run = figures[f].run;
			w[i].n = figures[f].n / divide;
		}
		values[f][s][round] = rate(w, side->threads);
	}
	if (side->cpus)
		need(lkl_sys_halt(), "lkl_sys_halt");
}

int main(int argc, char **argv)
{
	int divide = getenv("QUICK") ? 10 : 1;
	char name[80];

	begin(argc, argv);
	for (int r = 0; r < rounds; r++)
		for (int s = 0; s < SIDES; s++)
			measure(s, r, divide);
	for (int f = 0; f < FIGURES; f++)
		for (int s = 0; s < SIDES; s++) {
			snprintf(name, sizeof(name), "%s, two threads",
				 figures[f].name);
			report(name, "M/s", sides[s].name, values[f][s]);
		}
	lkl_cleanup();
	return 0;
}
