// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is not used costs nothing: the same call beside few and many sockets,
 * threads that wait, and files in a directory.
 *
 * usage: scale [rounds]
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "bench.h"

static char dir[2][64] = { "/bench-scale", "/dev/shm/bench-scale-XXXXXX" };
static const char *const sides[2] = { "lkl", "host" };
static int hold[2][2];

static int sockets;

static void more_sockets(int host, int n)
{
	for (int i = sockets; i < n; i++)
		need(bench_call(host, SYS_socket, AF_INET, SOCK_DGRAM),
		     "socket");
}

static void use_socket(int host, int n)
{
	(void)n;
	need(bench_call(host, SYS_close,
			need(bench_call(host, SYS_socket, AF_INET, SOCK_DGRAM),
			     "socket"),
			0),
	     "close");
}

/* Each waits for the end of a pipe. */
static void *waiter(void *host)
{
	char c;

	bench_call((long)host, SYS_read, hold[(long)host][0], (long)&c, 1);
	return NULL;
}

static int threads;

static void more_threads(int host, int n)
{
	pthread_attr_t attr;
	pthread_t id;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 << 10);
	for (int i = threads; i < n; i++)
		need(-pthread_create(&id, &attr, waiter, (void *)(long)host),
		     "thread");
	pthread_attr_destroy(&attr);
	/* The last has to have come to its call. */
	usleep(200000);
}

static void use_cpu(int host, int n)
{
	(void)n;
	bench_call(host, SYS_getppid);
}

static int files;

static void path_of(int host, int i, char path[80])
{
	snprintf(path, 80, "%s/%d", dir[host], i);
}

static void more_files(int host, int n)
{
	char path[80];

	for (int i = files; i < n; i++) {
		path_of(host, i, path);
		need(bench_call(host, SYS_close,
				need(bench_call(host, SYS_open, (long)path,
						O_CREAT | O_WRONLY, 0600),
				     "file"),
				0),
		     "close");
	}
}

static void use_file(int host, int n)
{
	struct stat st;
	char path[80];

	path_of(host, n / 2, path);
	need(bench_call(host, SYS_stat, (long)path, (long)&st), "stat");
}

static const struct {
	const char *figure, *many;
	int *count;
	void (*more)(int host, int n);
	void (*use)(int host, int n);
	int steps[3];
} curves[] = {
	{ "socket + close",
	  "sockets",
	  &sockets,
	  more_sockets,
	  use_socket,
	  { 10, 1000, 10000 } },
	{ "stat",
	  "files",
	  &files,
	  more_files,
	  use_file,
	  { 100, 10000, 100000 } },
	{ "getppid",
	  "waiting threads",
	  &threads,
	  more_threads,
	  use_cpu,
	  { 1, 100, 1000 } },
};

static double ns_each(int curve, int host, int n)
{
	double start = now_ns();
	int times = 20000;

	for (int i = 0; i < times; i++)
		curves[curve].use(host, n);
	return (now_ns() - start) / times;
}

static void measure(int curve, int step)
{
	double value[2][MAX_ROUNDS];
	int n = curves[curve].steps[step];
	char figure[80];

	snprintf(figure, sizeof(figure), "%s beside %d %s",
		 curves[curve].figure, n, curves[curve].many);
	for (int host = 0; host < 2; host++)
		curves[curve].more(host, n);
	*curves[curve].count = n;
	for (int round = 0; round < rounds; round++)
		for (int host = 0; host < 2; host++)
			value[host][round] = ns_each(curve, host, n);
	for (int host = 0; host < 2; host++)
		report(figure, "ns", sides[host], value[host]);
}

int main(int argc, char **argv)
{
	struct lkl_rlimit64 many = { 20000, 20000 };
	struct rlimit limit;
	char path[80];

	begin(argc, argv);
	need(lkl_start_kernel("mem=512M"), "boot");
	lkl_sys_prlimit64(0, LKL_RLIMIT_NOFILE, &many, NULL);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	need(lkl_sys_mkdir(dir[0], 0700), dir[0]);
	need(lkl_sys_mount("none", dir[0], "tmpfs", 0, "nr_inodes=0"), dir[0]);
	if (!mkdtemp(dir[1]))
		need(-errno, dir[1]);
	for (int host = 0; host < 2; host++)
		need(bench_call(host, SYS_pipe, (long)hold[host]), "pipe");

	for (int curve = 0; curve < 3; curve++)
		for (int step = 0; step < 3; step++)
			measure(curve, step);

	for (int i = 0; i < files; i++) {
		path_of(1, i, path);
		unlink(path);
	}
	rmdir(dir[1]);
	return lkl_sys_halt() ? 1 : 0;
}
