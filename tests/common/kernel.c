// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preloaded by tests/run, for kernels that tests and tools boot.
 *
 * CPUS=N gives each of them N virtual CPUs, unless a test says how many itself.
 * KERNEL_SAYS=FILE keeps what a kernel says of an error in itself, from where
 * it begins to the end of the process, whatever the program does with messages.
 * The file has its size already, and is mapped: a confined process cannot write
 * to it.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <lkl.h>
#include <lkl_host.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHARED __attribute__((visibility("default")))

static char *said;
static size_t said_size, said_len;
static bool complains;

static void (*shown)(const char *text, int len);
static struct lkl_host_operations *given;
static struct lkl_host_operations watching;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void open_file(void)
{
	const char *path = getenv("KERNEL_SAYS");
	struct stat st;
	int fd;

	if (!path)
		return;
	fd = open(path, O_RDWR | O_CLOEXEC);
	/* A shell in another root, for example, has no use for it. */
	if (fd < 0)
		return;
	if (fstat(fd, &st) || st.st_size <= 0)
		abort();
	said = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    0);
	if (said == MAP_FAILED)
		abort();
	said_size = st.st_size;
	close(fd);
}

static bool is_complaint(const char *text, int len)
{
	static const char *const words[] = { "BUG: ", "WARNING: ", "UBSAN: ",
					     "INFO: possible",
					     "INFO: suspicious" };

	for (unsigned int i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (memmem(text, len, words[i], strlen(words[i])))
			return true;
	return false;
}

/* Several processes of a test may write: what is there already is kept. */
static void keep(const char *text, size_t len)
{
	if (!said_len)
		said_len = strnlen(said, said_size);
	if (len > said_size - said_len)
		len = said_size - said_len;
	memcpy(said + said_len, text, len);
	said_len += len;
}

static void watch(const char *text, int len)
{
	complains |= is_complaint(text, len);
	if (complains)
		keep(text, len);
	shown = given->print;
	if (shown)
		shown(text, len);
}

SHARED int lkl_init(struct lkl_host_operations *ops)
{
	int (*init)(struct lkl_host_operations * ops);

	*(void **)&init = dlsym(RTLD_NEXT, "lkl_init");
	if (!said || !ops)
		return init(ops);
	/* From several threads; the library adds to what it was given first. */
	pthread_mutex_lock(&lock);
	if (given != ops)
		watching = *ops;
	given = ops;
	watching.print = watch;
	watching.panic = ops->panic;
	pthread_mutex_unlock(&lock);
	return init(&watching);
}

SHARED int lkl_start_kernel(const char *format, ...)
{
	int (*start)(const char *format, ...);
	const char *cpus = getenv("CPUS");
	char *cmdline;
	va_list args;
	int ret;

	*(void **)&start = dlsym(RTLD_NEXT, "lkl_start_kernel");
	va_start(args, format);
	ret = vasprintf(&cmdline, format, args);
	va_end(args);
	if (ret < 0)
		return -LKL_ENOMEM;
	/* No snapshot is made for other options than it knows. */
	ret = cpus ? start("maxcpus=%s %s", cpus, cmdline)
		   : start("%s", cmdline);
	free(cmdline);
	return ret;
}
