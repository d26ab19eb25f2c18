// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program for gdb, perf, valgrind and the sanitizers to look at: it boots
 * twice, uses files, memory and threads, and passes bad pointers.
 */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lkl.h>

#define READERS 3

static int pipe_fds[2];

static void *reader(void *unused)
{
	char c;

	(void)unused;
	assert(lkl_sys_read(pipe_fds[0], &c, 1) == 1);
	return NULL;
}

/* A call that sleeps, for the stacks of sleeping tasks. */
static void readers(void)
{
	struct lkl_timespec moment = { .tv_nsec = 1000000 };
	pthread_t id[READERS];

	assert(!lkl_sys_pipe2(pipe_fds, 0));
	for (int i = 0; i < READERS; i++)
		assert(!pthread_create(&id[i], NULL, reader, NULL));
	usleep(200000);
	lkl_sys_nanosleep((void *)&moment, NULL);
	assert(lkl_sys_write(pipe_fds[1], "abc", READERS) == READERS);
	for (int i = 0; i < READERS; i++)
		pthread_join(id[i], NULL);
}

/* The name and the buffer are as large as they must be, and no larger. */
static void files(int rounds)
{
	char *name = strdup("/debuggee-file"), *to = malloc(10007);
	char *from = malloc(10007);
	struct lkl_stat st;
	int fd;

	memset(from, 'x', 10007);
	fd = lkl_sys_open(name, LKL_O_RDWR | LKL_O_CREAT, 0600);
	assert(fd >= 0);
	while (rounds--) {
		assert(lkl_sys_pwrite64(fd, from, 10007, 0) == 10007);
		assert(lkl_sys_pread64(fd, to, 10007, 0) == 10007);
		assert(!memcmp(to, from, 10007));
	}
	assert(!lkl_sys_fstat(fd, &st) && st.st_size == 10007);
	assert(!lkl_sys_close(fd) && !lkl_sys_unlink(name));
	free(name);
	free(from);
	free(to);
}

static void memory(void)
{
	int fd = lkl_sys_memfd_create("memory", 0);
	char *p;

	assert(!lkl_sys_ftruncate(fd, 65536));
	p = (char *)lkl_sys_mmap(NULL, 65536, LKL_PROT_READ | LKL_PROT_WRITE,
				 LKL_MAP_SHARED, fd, 0);
	p[12345] = 1;
	/* The kernel is the first to touch these pages. */
	assert(lkl_sys_pwrite64(fd, p + 16384, 4096, 32768) == 4096);
	assert(lkl_sys_read(fd, p + 40960, 4096) == 4096);
	assert(!lkl_sys_munmap((long)p, 65536) && !lkl_sys_close(fd));
}

static void bad_pointers(void)
{
	assert(lkl_sys_write(pipe_fds[1], (void *)8, 1) == -LKL_EFAULT);
	assert(lkl_sys_open((void *)16, 0, 0) == -LKL_EFAULT);
}

/* usage: debuggee [ROUNDS] */
int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 10;

	for (int boot = 0; boot < 2; boot++) {
		assert(!lkl_init(&lkl_host_ops));
		assert(!lkl_start_kernel("mem=64M loglevel=4"));
		files(rounds);
		readers();
		memory();
		if (!getenv("NO_BAD_POINTERS"))
			bad_pointers();
		assert(!lkl_sys_halt());
		lkl_cleanup();
	}
	return 0;
}
