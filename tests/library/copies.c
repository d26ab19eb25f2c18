// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two copies of the library in one process, loaded with dlmopen(): each has a
 * kernel of its own, with a disk and threads, and ends it without harm to the
 * other.
 */
#include <dlfcn.h>
#include <sys/stat.h>

#include "check.h"

#define COPIES 2
#define THREADS 4
#define BLOCK 4096

static struct copy {
	struct lkl_host_operations *ops;
	int (*init)(struct lkl_host_operations *ops);
	int (*start)(const char *format, ...);
	int (*is_running)(void);
	long (*syscall)(long nr, long *params);
	int (*disk_add)(struct lkl_disk *disk);
	long (*mount)(unsigned int id, unsigned int part, const char *type,
		      int flags, const char *options, char *path,
		      unsigned int size);
	long (*umount)(unsigned int id, unsigned int part, int flags,
		       long timeout);
	long (*halt)(void);
	void (*cleanup)(void);
	struct lkl_disk disk;
	char path[64];
	int id;
} copies[COPIES];

static long call(struct copy *c, long nr, long a, long b, long d, long e)
{
	long params[6] = { a, b, d, e };

	return c->syscall(nr, params);
}

static void *symbol(void *handle, const char *name)
{
	void *p = dlsym(handle, name);

	if (!p)
		FAIL("%s", dlerror());
	return p;
}

static void load(struct copy *c)
{
	char path[4096];
	Dl_info info;
	void *h;

	/* Not what tests/common/kernel.c has, too. */
	CHECK(dladdr((void *)lkl_syscall, &info));
	CHECK(realpath(info.dli_fname, path));
	h = dlmopen(LM_ID_NEWLM, path, RTLD_NOW | RTLD_LOCAL);
	if (!h)
		FAIL("%s", dlerror());
	c->ops = symbol(h, "lkl_host_ops");
	c->init = symbol(h, "lkl_init");
	c->start = symbol(h, "lkl_start_kernel");
	c->is_running = symbol(h, "lkl_is_running");
	c->syscall = symbol(h, "lkl_syscall");
	c->disk_add = symbol(h, "lkl_disk_add");
	c->mount = symbol(h, "lkl_mount_dev");
	c->umount = symbol(h, "lkl_umount_dev");
	c->halt = symbol(h, "lkl_sys_halt");
	c->cleanup = symbol(h, "lkl_cleanup");
}

static void boot_copy(struct copy *c, int n)
{
	c->ops->print = NULL;
	EQ(c->init(c->ops), 0);
	EQ(c->start("mem=64M"), 0);
	EQ(call(c, __lkl__NR_sethostname, (long)(n ? "one" : "null"), n ? 3 : 4,
		0, 0),
	   0);
	c->id = OK(c->disk_add(&c->disk));
	OK(c->mount(c->id, 0, "ext4", 0, NULL, c->path, sizeof(c->path)));
}

static void check_name(struct copy *c)
{
	struct lkl_new_utsname name;

	EQ(call(c, __lkl__NR_uname, (long)&name, 0, 0, 0), 0);
	EQ(strcmp(name.nodename, c == copies ? "null" : "one"), 0);
}

/* Calls of both kernels by one thread, files in both, and bad pointers. */
static void *both(void *arg)
{
	static const long rw = LKL_O_CREAT | LKL_O_RDWR;
	int number = (long)arg, fd[COPIES];
	char buf[BLOCK], seen[BLOCK], path[100];

	for (int i = 0; i < COPIES; i++) {
		snprintf(path, sizeof(path), "%s/%d", copies[i].path, number);
		fd[i] = OK(call(&copies[i], __lkl__NR_open, (long)path, rw,
				0600, 0));
	}
	for (int round = 0; round < 200; round++)
		for (int i = 0; i < COPIES; i++) {
			struct copy *c = &copies[i];
			long p;

			memset(buf, round + 16 * number + 128 * i, BLOCK);
			EQ(call(c, __lkl__NR_pwrite64, fd[i], (long)buf, BLOCK,
				round * BLOCK),
			   BLOCK);
			EQ(call(c, __lkl__NR_pread64, fd[i], (long)seen, BLOCK,
				round * BLOCK),
			   BLOCK);
			EQ(memcmp(buf, seen, BLOCK), 0);
			EQ(call(c, __lkl__NR_mkdir, 8, 0, 0, 0), -LKL_EFAULT);
			check_name(c);
			/* At a multiple of the largest page. */
			if (round % 16)
				continue;
			EQ(call(c, __lkl__NR_fsync, fd[i], 0, 0, 0), 0);
			/* A page that is not there until it is touched. */
			p = OK(c->syscall(__lkl__NR_mmap,
					  (long[]){ 0, BLOCK, PROT_READ,
						    MAP_SHARED, fd[i],
						    round * BLOCK }));
			EQ(memcmp((void *)p, buf, BLOCK), 0);
			/* The memory of one kernel, given to the other. */
			EQ(call(&copies[!i], __lkl__NR_pwrite64, fd[!i], p,
				BLOCK, round * BLOCK),
			   BLOCK);
			EQ(call(c, __lkl__NR_munmap, p, BLOCK, 0, 0), 0);
		}
	for (int i = 0; i < COPIES; i++)
		EQ(call(&copies[i], __lkl__NR_close, fd[i], 0, 0, 0), 0);
	return NULL;
}

static void end_copy(struct copy *c)
{
	OK(c->umount(c->id, 0, 0, 1000));
	EQ(c->halt(), 0);
	EQ(c->is_running(), 0);
	c->cleanup();
}

/* The program's own, which has the number of the first key of each copy. */
static pthread_key_t key;

static void key_ends(void *value)
{
	FAIL("%p is taken for the program's", value);
}

/* Boot both, halt both, beginning with number @first; and the rest goes on. */
static void side_by_side(int first)
{
	pthread_t id[THREADS];

	for (int i = 0; i < COPIES; i++)
		boot_copy(&copies[i], i);
	for (long i = 0; i < THREADS; i++)
		id[i] = start(both, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(id[i], NULL);
	end_copy(&copies[first]);
	check_name(&copies[!first]);
	EQ(call(&copies[!first], __lkl__NR_mkdir, 8, 0, 0, 0), -LKL_EFAULT);
	end_copy(&copies[!first]);
}

static void two(void)
{
	EQ(pthread_key_create(&key, key_ends), 0);
	for (int i = 0; i < COPIES; i++) {
		load(&copies[i]);
		copies[i].disk = (struct lkl_disk){ .fd = ext4_image(64) };
	}
	for (int i = 0; i < 3; i++)
		side_by_side(i % 2);
}

/* A fault that belongs to no copy still ends the process, also when one has
 * gone. */
static void crash(void)
{
	int status;
	pid_t pid;

	load(&copies[0]);
	load(&copies[1]);
	for (int i = 0; i < COPIES; i++)
		EQ(copies[i].init(copies[i].ops), 0);
	copies[0].cleanup();
	pid = fork();
	if (!pid) {
		volatile int *volatile nowhere = (int *)8;

		*nowhere = 1;
		_exit(0);
	}
	EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status));
	EQ(WTERMSIG(status), SIGSEGV);
	copies[1].cleanup();
}

static const struct check tests[] = {
	{ "two", two },
	{ "crash", crash },
};

CHECK_MAIN(tests)
