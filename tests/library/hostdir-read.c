// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading files of a host directory: what the host has in memory is read
 * without a thread of the device, what it has not by one, and several threads
 * read at once.
 */
#include "hostdir.h"

#define SIZE (4 << 20)
#define READS 1000
#define THREADS 4

static int host_fd;

/* What is at a position in the file. */
static unsigned char expected(long pos)
{
	return pos ^ pos >> 8 ^ pos >> 16;
}

static void make_file(void)
{
	static unsigned char buf[SIZE];

	for (long i = 0; i < SIZE; i++)
		buf[i] = expected(i);
	host_fd = open("a/f", O_RDWR | O_CREAT, 0644);
	CHECK(host_fd >= 0);
	EQ(write(host_fd, buf, SIZE), SIZE);
	EQ(fsync(host_fd), 0);
}

static void read_at(int fd, long pos, long size, long want)
{
	unsigned char buf[70000];

	CHECK(size <= (long)sizeof(buf));
	EQ(lkl_sys_pread64(fd, (char *)buf, size, pos), want);
	for (long i = 0; i < want; i++)
		EQ(buf[i], expected(pos + i));
}

/* How often the process's threads but this one have gone to sleep. */
static long sleeps(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	long sum = 0;

	CHECK(dir);
	while ((entry = readdir(dir))) {
		char line[300];
		FILE *f;

		snprintf(line, sizeof(line), "/proc/self/task/%s/status",
			 entry->d_name);
		if (atoi(entry->d_name) == getpid() || !(f = fopen(line, "r")))
			continue;
		while (fgets(line, sizeof(line), f))
			if (!strncmp(line, "voluntary_ctxt_switches:", 24))
				sum += atol(line + 24);
		fclose(f);
	}
	closedir(dir);
	return sum;
}

/* Can the host say that a read would have to wait? */
static bool host_says(void)
{
	char byte;
	struct iovec iov = { &byte, 1 };

	return preadv2(host_fd, &iov, 1, 0, RWF_NOWAIT) == 1;
}

static void cached(void)
{
	long before;
	int fd;

	set_up(0);
	make_file();
	fd = OK(lkl_sys_open("/h/f", LKL_O_RDONLY, 0));
	read_at(fd, 0, 1, 1);
	before = sleeps();
	for (int i = 0; i < READS; i++)
		read_at(fd, i * 1000, 5000, 5000);
	/* The end of the file is known without waiting, too. */
	for (int i = 0; i < READS; i++)
		read_at(fd, SIZE - 1000, 5000, 1000);
	if (host_says())
		CHECK(sleeps() - before < READS / 10);
	EQ(lkl_sys_close(fd), 0);
	tear_down();
}

static void cold(void)
{
	int fd;

	set_up(0);
	make_file();
	fd = OK(lkl_sys_open("/h/f", LKL_O_RDONLY, 0));
	for (int i = 0; i < 100; i++) {
		/* A part of it is there, or all, or nothing. */
		posix_fadvise(host_fd, i * 16384, i % 3 * 16384,
			      POSIX_FADV_DONTNEED);
		read_at(fd, i * 16384, 65536, 65536);
	}
	EQ(lkl_sys_close(fd), 0);
	tear_down();
}

static void *read_all(void *arg)
{
	int fd = OK(lkl_sys_open("/h/f", LKL_O_RDONLY, 0));

	for (long pos = (long)arg * 10000; pos < SIZE - 50000; pos += 50000) {
		read_at(fd, pos, 50000, 50000);
		/* So that some are served by threads. */
		posix_fadvise(host_fd, pos, 100000, POSIX_FADV_DONTNEED);
		if (pos % 3)
			continue;
		EQ(lkl_sys_close(fd), 0);
		fd = OK(lkl_sys_open("/h/f", LKL_O_RDONLY, 0));
	}
	EQ(lkl_sys_close(fd), 0);
	return NULL;
}

static void several(void)
{
	pthread_t threads[THREADS];

	set_up(0);
	make_file();
	for (long i = 0; i < THREADS; i++)
		EQ(pthread_create(&threads[i], NULL, read_all, (void *)i), 0);
	for (int i = 0; i < THREADS; i++)
		EQ(pthread_join(threads[i], NULL), 0);
	tear_down();
}

static const struct check tests[] = { { "cached", cached },
				      { "cold", cold },
				      { "several", several } };

HOSTDIR_MAIN(tests)
