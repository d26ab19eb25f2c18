/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests that need a kernel, or a process, of their own: each test function
 * runs in a forked child with a time limit, and fails by ending the child.
 *
 *	static const struct check tests[] = { { "name", function }, ... };
 *	int main(int argc, char **argv) { return check_main(tests, ...); }
 *
 * An argument picks tests by name.
 */
#ifndef CHECK_H
#define CHECK_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <lkl.h>

struct check {
	const char *name;
	void (*fn)(void);
};

#define ARRAY_SIZE(a) (sizeof(a) / sizeof(*(a)))

/* The kernel is of that flavour (tests/run). */
__attribute__((unused)) static int has_flavour(const char *name)
{
	const char *flavour = getenv("FLAVOUR");

	return flavour && !strcmp(flavour, name);
}

/* The kernel checks itself, and is slow. */
#define SLOW (has_flavour("lockdep") || has_flavour("kasan"))

/* Longest time for a test, in seconds. */
#define CHECK_LIMIT (SLOW ? 600 : 60)

#define FAIL(...)                                                              \
	do {                                                                   \
		fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                \
		fprintf(stderr, __VA_ARGS__);                                  \
		fprintf(stderr, "\n");                                         \
		_exit(1);                                                      \
	} while (0)

#define CHECK(cond)                                                            \
	do {                                                                   \
		if (!(cond))                                                   \
			FAIL("not %s", #cond);                                 \
	} while (0)

#define EQ(expr, want)                                                         \
	do {                                                                   \
		long got_ = (long)(expr), want_ = (long)(want);                \
		if (got_ != want_)                                             \
			FAIL("%s is %ld, not %ld", #expr, got_, want_);        \
	} while (0)

/* The value of a call that must not fail. */
#define OK(expr)                                                               \
	({                                                                     \
		long ok_ = (long)(expr);                                       \
		if (ok_ < 0)                                                   \
			FAIL("%s is %ld, %s", #expr, ok_, lkl_strerror(ok_));  \
		ok_;                                                           \
	})

/* Memory, of which boot takes more if the kernel's pages are large. */
#define MEM (KERNEL_PAGE > 4096 ? "mem=112M" : "mem=64M")
#define MEM_SIZE (KERNEL_PAGE > 4096 ? 112L << 20 : 64L << 20)

/* Memory of the host that begins with a page of the kernel's, which may be
 * larger. */
__attribute__((unused)) static char *map_pages(long size, int flags)
{
	char *all = mmap(NULL, size + KERNEL_PAGE, PROT_READ | PROT_WRITE,
			 MAP_ANONYMOUS | flags, -1, 0),
	     *p;

	if (all == MAP_FAILED)
		FAIL("mmap(): %s", strerror(errno));
	p = (char *)(((long)all + KERNEL_PAGE - 1) & -KERNEL_PAGE);
	if (p > all)
		munmap(all, p - all);
	munmap(p + size, all + KERNEL_PAGE - p);
	return p;
}

/* What the kernel printed. */
static char printed[1 << 16] __attribute__((unused));
static int printed_len __attribute__((unused));

__attribute__((unused)) static void print_capture(const char *s, int len)
{
	if (len > (int)sizeof(printed) - 1 - printed_len)
		len = sizeof(printed) - 1 - printed_len;
	memcpy(printed + printed_len, s, len);
	printed_len += len;
}

__attribute__((unused)) static void boot(const char *cmdline)
{
	lkl_host_ops.print = getenv("V") ? lkl_host_ops.print : NULL;
	OK(lkl_init(&lkl_host_ops));
	OK(lkl_start_kernel("%s", cmdline));
}

__attribute__((unused)) static void halt(void)
{
	EQ(lkl_sys_halt(), 0);
	lkl_cleanup();
}

/* Nanoseconds of a host clock. */
__attribute__((unused)) static long long now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

__attribute__((unused)) static void msleep(int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

/* A thread with little stack, as there may be many. */
__attribute__((unused)) static pthread_t start(void *(*fn)(void *), void *arg)
{
	static pthread_attr_t attr;
	static int ready;
	pthread_t id;

	if (!ready) {
		pthread_attr_init(&attr);
		pthread_attr_setstacksize(&attr, 64 << 10);
		ready = 1;
	}
	EQ(pthread_create(&id, &attr, fn, arg), 0);
	return id;
}

/* How many entries a directory has, of the host's. */
__attribute__((unused)) static int entries(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	CHECK(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* A number that the host tells of this process. */
__attribute__((unused)) static long status_kb(const char *name)
{
	char line[256];
	long kb = -1;
	FILE *f = fopen("/proc/self/status", "r");

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)))
			kb = strtol(line + strlen(name), NULL, 10);
	fclose(f);
	return kb;
}

/* A descriptor of an image with an ext4 file system. */
__attribute__((unused)) static int ext4_image(long mb)
{
	char path[] = "image-XXXXXX", command[100];
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	EQ(ftruncate(fd, mb << 20), 0);
	snprintf(command, sizeof(command),
		 "PATH=$PATH:/sbin:/usr/sbin mkfs.ext4 -q -F %s", path);
	EQ(system(command), 0);
	unlink(path);
	return fd;
}

static int check_one(const struct check *test)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		alarm(CHECK_LIMIT);
		test->fn();
		fflush(NULL);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	if (WIFSIGNALED(status))
		printf("FAIL %s: %s\n", test->name,
		       WTERMSIG(status) == SIGALRM
			       ? "takes too long"
			       : strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		printf("FAIL %s\n", test->name);
	else
		printf("ok %s\n", test->name);
	return !!status;
}

__attribute__((unused)) static int check_main(const struct check *tests,
					      int count, int argc, char **argv)
{
	int failed = 0;

	for (int i = 0; i < count; i++) {
		int wanted = argc < 2;

		for (int j = 1; j < argc; j++)
			wanted |= !strcmp(argv[j], tests[i].name);
		if (wanted)
			failed += check_one(&tests[i]);
	}
	return failed != 0;
}

#define CHECK_MAIN(tests)                                                      \
	int main(int argc, char **argv)                                        \
	{                                                                      \
		return check_main(tests, ARRAY_SIZE(tests), argc, argv);       \
	}

#endif /* CHECK_H */
