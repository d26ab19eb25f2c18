// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is not used costs nothing: the same call beside few and many sockets,
 * threads that wait, and files in a directory.
 *
 * usage: scale [rounds]
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <lkl.h>
#include <lkl_host.h>

#define MAX_ROUNDS 101

static int rounds = 9;
static char dir[2][64] = { "/bench-scale", "/dev/shm/bench-scale-XXXXXX" };
static const char *const sides[2] = { "lkl", "host" };
static int hold[2][2];

static long call(int host, long nr, long a, long b, long c, long d)
{
	long params[6] = { a, b, c, d, 0, 0 };
	long ret;

	if (!host)
		return lkl_syscall(nr, params);
	ret = syscall(nr, a, b, c, d);
	return ret < 0 ? -errno : ret;
}

static long need(long ret, const char *what)
{
	if (ret < 0) {
		fprintf(stderr, "scale: %s: %s\n", what, strerror(-ret));
		exit(1);
	}
	return ret;
}

static int sockets;

static void more_sockets(int host, int n)
{
	for (int i = sockets; i < n; i++)
		need(call(host, SYS_socket, AF_INET, SOCK_DGRAM, 0, 0),
		     "socket");
}

static void use_socket(int host, int n)
{
	(void)n;
	need(call(host, SYS_close,
		  need(call(host, SYS_socket, AF_INET, SOCK_DGRAM, 0, 0),
		       "socket"),
		  0, 0, 0),
	     "close");
}

/* Each waits for the end of a pipe. */
static void *waiter(void *host)
{
	char c;

	call((long)host, SYS_read, hold[(long)host][0], (long)&c, 1, 0);
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
	call(host, SYS_getppid, 0, 0, 0, 0);
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
		need(call(host, SYS_close,
			  need(call(host, SYS_open, (long)path,
				    O_CREAT | O_WRONLY, 0600, 0),
			       "file"),
			  0, 0, 0),
		     "close");
	}
}

static void use_file(int host, int n)
{
	struct stat st;
	char path[80];

	path_of(host, n / 2, path);
	need(call(host, SYS_stat, (long)path, (long)&st, 0, 0), "stat");
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
	struct timespec a, b;
	int times = 20000;

	clock_gettime(CLOCK_MONOTONIC, &a);
	for (int i = 0; i < times; i++)
		curves[curve].use(host, n);
	clock_gettime(CLOCK_MONOTONIC, &b);
	return ((b.tv_sec - a.tv_sec) * 1e9 + (b.tv_nsec - a.tv_nsec)) / times;
}

static void measure(int curve, int step)
{
	double value[2][MAX_ROUNDS];
	int n = curves[curve].steps[step];

	for (int host = 0; host < 2; host++)
		curves[curve].more(host, n);
	*curves[curve].count = n;
	for (int round = 0; round < rounds; round++)
		for (int host = 0; host < 2; host++)
			value[host][round] = ns_each(curve, host, n);
	for (int host = 0; host < 2; host++) {
		printf("%s beside %d %s\tns\t%s", curves[curve].figure, n,
		       curves[curve].many, sides[host]);
		for (int round = 0; round < rounds; round++)
			printf("\t%.1f", value[host][round]);
		printf("\n");
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct lkl_rlimit64 many = { 20000, 20000 };
	struct rlimit limit;
	char path[80];

	if (argc > 1)
		rounds = atoi(argv[1]);
	if (rounds < 1 || rounds > MAX_ROUNDS) {
		fprintf(stderr, "usage: scale [rounds]\n");
		return 2;
	}
	lkl_host_ops.print = NULL;
	if (lkl_init(&lkl_host_ops) || lkl_start_kernel("mem=512M")) {
		fprintf(stderr, "scale: no kernel\n");
		return 1;
	}
	lkl_sys_prlimit64(0, LKL_RLIMIT_NOFILE, &many, NULL);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	need(lkl_sys_mkdir(dir[0], 0700), dir[0]);
	need(lkl_sys_mount("none", dir[0], "tmpfs", 0, "nr_inodes=0"), dir[0]);
	if (!mkdtemp(dir[1]))
		need(-errno, dir[1]);
	for (int host = 0; host < 2; host++)
		need(call(host, SYS_pipe, (long)hold[host], 0, 0, 0), "pipe");

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
