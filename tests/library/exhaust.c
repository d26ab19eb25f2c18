// SPDX-License-Identifier: GPL-2.0-only
/*
 * When the kernel's memory is used up, calls fail, nothing hangs, and what is
 * given back can be used again.
 */
#include "check.h"

static char block[1 << 16];

static long fill(const char *path)
{
	int fd = OK(lkl_sys_open(path, LKL_O_CREAT | LKL_O_RDWR, 0600));
	long ret, size = 0;

	do {
		ret = lkl_sys_write(fd, block, sizeof(block));
		if (ret > 0)
			size += ret;
	} while (ret > 0);
	if (ret != -LKL_ENOSPC && ret != -LKL_ENOMEM)
		FAIL("a full %s is %ld", path, ret);
	EQ(lkl_sys_close(fd), 0);
	return size;
}

static void works(void)
{
	int fds[2];
	char c;

	OK(lkl_sys_pipe2(fds, 0));
	EQ(lkl_sys_write(fds[1], "x", 1), 1);
	EQ(lkl_sys_read(fds[0], &c, 1), 1);
	EQ(lkl_sys_close(fds[0]), 0);
	EQ(lkl_sys_close(fds[1]), 0);
	EQ(lkl_sys_getpid(), 1);
}

/* A file system without a limit of its own, several times. */
static void files(const char *type, const char *options)
{
	long size;

	boot(MEM);
	OK(lkl_sys_mkdir("/mnt", 0700));
	EQ(lkl_sys_mount("none", "/mnt", (char *)type, 0, (void *)options), 0);
	for (int i = 0; i < 3; i++) {
		size = fill("/mnt/f");
		if (size < 16 << 20 || size > MEM_SIZE)
			FAIL("%s takes %ld bytes", type, size);
		EQ(lkl_sys_getpid(), 1);
		EQ(lkl_sys_unlink("/mnt/f"), 0);
		works();
	}
	halt();
}

static void tmpfs(void)
{
	files("tmpfs", NULL);
}

static void unlimited(void)
{
	files("tmpfs", "size=0");
}

static void ramfs(void)
{
	files("ramfs", NULL);
}

/* The root file system is what a program meets first. */
static void root(void)
{
	boot(MEM);
	fill("/f");
	EQ(lkl_sys_unlink("/f"), 0);
	works();
	halt();
}

static void until_error(const char *what, long (*make)(long i), long limit)
{
	long i, ret = 0;

	for (i = 0; i < limit; i++) {
		ret = make(i);
		if (ret < 0)
			break;
	}
	if (i == limit || i < 100 ||
	    (ret != -LKL_ENOMEM && ret != -LKL_ENOSPC && ret != -LKL_ENOBUFS &&
	     ret != -LKL_ENFILE && ret != -LKL_EMFILE && ret != -LKL_EAGAIN))
		FAIL("%ld %s: %ld", i, what, ret);
	EQ(lkl_sys_getpid(), 1);
}

static long make_pipe(long i)
{
	int fds[2];
	long ret = lkl_sys_pipe2(fds, LKL_O_NONBLOCK);

	(void)i;
	if (ret)
		return ret;
	ret = lkl_sys_write(fds[1], block, sizeof(block));
	return ret == -LKL_EAGAIN ? 0 : ret;
}

static long make_socket(long i)
{
	(void)i;
	return lkl_sys_socket(LKL_AF_INET, LKL_SOCK_STREAM, 0);
}

static long make_epoll(long i)
{
	(void)i;
	return lkl_sys_epoll_create1(0);
}

static long make_directory(long i)
{
	char path[32];

	snprintf(path, sizeof(path), "/%ld", i);
	return lkl_sys_mkdir(path, 0700);
}

/* Descriptors and small objects: every one makes the kernel allocate. */
static void objects(void)
{
	static const struct {
		const char *what;
		long (*make)(long i);
	} kinds[] = {
		{ "pipes", make_pipe },
		{ "sockets", make_socket },
		{ "epolls", make_epoll },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		boot(MEM);
		OK(lkl_set_fd_limit(1 << 20));
		until_error(kinds[i].what, kinds[i].make, 1 << 20);
		/* Descriptors 3000 and up are gone, there is room again. */
		EQ(lkl_sys_close_range(50, ~0U, 0), 0);
		msleep(100);
		/* KASAN keeps for a while what was freed. */
		if (!has_flavour("kasan"))
			works();
		halt();
	}
	boot(MEM);
	until_error("directories", make_directory, 1 << 20);
	halt();
}

static void *call(void *arg)
{
	*(long *)arg = lkl_sys_getpid();
	return NULL;
}

/* A thread that cannot be given a task is told so. */
static void threads(void)
{
	long ret;

	boot(MEM);
	fill("/f");
	until_error("directories", make_directory, 1 << 20);
	for (int i = 0; i < 100; i++) {
		pthread_join(start(call, &ret), NULL);
		if (ret != 1 && ret != -LKL_ENOMEM && ret != -LKL_EAGAIN)
			FAIL("getpid is %ld", ret);
	}
	EQ(lkl_sys_unlink("/f"), 0);
	pthread_join(start(call, &ret), NULL);
	EQ(ret, 1);
	halt();
}

static const struct check tests[] = {
	{ "tmpfs", tmpfs }, { "unlimited", unlimited }, { "ramfs", ramfs },
	{ "root", root },   { "objects", objects },	{ "threads", threads },
};

CHECK_MAIN(tests)
