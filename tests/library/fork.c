// SPDX-License-Identifier: GPL-2.0-only
/*
 * The child of a fork has no kernel: each call says so at once, none hangs, and
 * the parent does not notice.  It can boot one of its own.
 */
#include "check.h"

#define CALLERS 4

static int stop, fd;

static void *caller(void *unused)
{
	static char buf[1 << 20];

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		EQ(lkl_sys_pread64(fd, buf, sizeof(buf), 0), sizeof(buf));
	return unused;
}

static void *child_thread(void *unused)
{
	EQ(lkl_sys_getpid(), -LKL_ENOSYS);
	return unused;
}

/* What works nowhere else must not hang here. */
static void child(void)
{
	struct __lkl__kernel_timespec minute = { 60, 0 };
	struct lkl_disk disk = { .fd = 0 };
	char buf[16];
	int pipe[2], err;

	EQ(lkl_is_running(), 0);
	EQ(lkl_sys_getpid(), -LKL_ENOSYS);
	EQ(lkl_sys_pread64(fd, buf, sizeof(buf), 0), -LKL_ENOSYS);
	EQ(lkl_sys_pipe2(pipe, 0), -LKL_ENOSYS);
	EQ(lkl_sys_nanosleep(&minute, NULL), -LKL_ENOSYS);
	EQ(lkl_sys_halt(), -LKL_ENOSYS);
	CHECK(lkl_mount_fs("proc") < 0);
	CHECK(!lkl_opendir("/", &err) && err < 0);
	EQ(lkl_trigger_irq(1), -LKL_ENOSYS);
	CHECK(lkl_disk_remove(disk) < 0);
	pthread_join(start(child_thread, NULL), NULL);
}

static void fork_once(void)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		alarm(30);
		child();
		/* Destructors and exit handlers run in it, too. */
		exit(0);
	}
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
}

static void quiet(void)
{
	boot("mem=64M");
	fd = OK(lkl_sys_open("/f", LKL_O_CREAT | LKL_O_RDWR, 0600));
	fork_once();
	EQ(lkl_sys_getpid(), 1);
	EQ(lkl_sys_close(fd), 0);
	halt();
}

/* Another thread holds the virtual CPU nearly all the time. */
static void busy(void)
{
	pthread_t id[CALLERS];

	boot("mem=64M");
	fd = OK(lkl_sys_open("/f", LKL_O_CREAT | LKL_O_RDWR, 0600));
	OK(lkl_sys_ftruncate(fd, 1 << 20));
	for (int i = 0; i < CALLERS; i++)
		id[i] = start(caller, NULL);
	for (int i = 0; i < 30; i++)
		fork_once();
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < CALLERS; i++)
		pthread_join(id[i], NULL);
	halt();
}

static void *blocked(void *arg)
{
	char c;

	EQ(lkl_sys_read(*(int *)arg, &c, 1), 1);
	return NULL;
}

/* Threads that are blocked in the parent do not exist in the child. */
static void while_blocked(void)
{
	pthread_t id;
	int pipe[2];

	boot("mem=64M");
	OK(lkl_sys_pipe2(pipe, 0));
	id = start(blocked, pipe);
	msleep(20);
	fork_once();
	EQ(lkl_sys_write(pipe[1], "x", 1), 1);
	pthread_join(id, NULL);
	halt();
}

/* While the parent has no kernel either, a child can boot its own. */
static void own(void)
{
	int status;
	pid_t pid;

	boot("mem=64M");
	EQ(lkl_sys_halt(), 0);
	pid = fork();
	if (!pid) {
		EQ(lkl_sys_getpid(), -LKL_ENOSYS);
		EQ(lkl_start_kernel("mem=64M"), 0);
		EQ(lkl_sys_getpid(), 1);
		fork_once();
		halt();
		_exit(0);
	}
	EQ(lkl_start_kernel("mem=64M"), 0);
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
	fork_once();
	EQ(lkl_sys_getpid(), 1);
	halt();
}

/*
 * While the parent's kernel runs, too: then the child's has no devices, and
 * neither process has anything of the other's.
 */
static void child_boots(int again)
{
	struct lkl_disk disk = { .fd = memfd_create("image", 0) };
	char path[64];
	int fd;

	EQ(lkl_sys_getpid(), -LKL_ENOSYS);
	if (again)
		EQ(lkl_init(&lkl_host_ops), 0);
	EQ(lkl_start_kernel("mem=64M"), 0);
	EQ(lkl_init(&lkl_host_ops), -LKL_EBUSY);
	EQ(lkl_sys_open("/f", LKL_O_RDONLY, 0), -LKL_ENOENT);
	CHECK(lkl_get_virtio_blkdev(0, 0, &(unsigned int){ 0 }) < 0);
	fd = OK(lkl_sys_open("/f", LKL_O_CREAT | LKL_O_RDWR, 0600));
	EQ(lkl_sys_pwrite64(fd, "child", 5, 0), 5);
	/* Its own disk has the number that the parent's has there. */
	EQ(ftruncate(disk.fd, 1 << 20), 0);
	EQ(lkl_disk_add(&disk), 0);
	CHECK(lkl_mount_dev(0, 0, "ext4", 0, NULL, path, sizeof(path)) < 0);
	EQ(lkl_mount_fs("proc"), 0);
	EQ(lkl_disk_remove(disk), 0);
	fork_once();
	halt();
	boot("mem=64M");
	EQ(lkl_sys_getpid(), 1);
	halt();
}

static void beside(void)
{
	struct lkl_disk disk = { .fd = ext4_image(16) };
	pthread_t id[CALLERS];
	char path[64], seen[5];
	int status, id0, text;

	boot("mem=64M");
	id0 = OK(lkl_disk_add(&disk));
	OK(lkl_mount_dev(id0, 0, "ext4", 0, NULL, path, sizeof(path)));
	EQ(lkl_sys_chdir(path), 0);
	text = OK(lkl_sys_open("t", LKL_O_CREAT | LKL_O_RDWR, 0600));
	EQ(lkl_sys_pwrite64(text, "hello", 5, 0), 5);
	fd = OK(lkl_sys_open("f", LKL_O_CREAT | LKL_O_RDWR, 0600));
	OK(lkl_sys_ftruncate(fd, 1 << 20));
	for (int i = 0; i < CALLERS; i++)
		id[i] = start(caller, NULL);
	for (int i = 0; i < 6; i++) {
		pid_t pid = fork();

		if (!pid) {
			alarm(30);
			child_boots(i & 1);
			_exit(0);
		}
		EQ(waitpid(pid, &status, 0), pid);
		EQ(status, 0);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < CALLERS; i++)
		pthread_join(id[i], NULL);
	EQ(lkl_sys_fsync(text), 0);
	EQ(lkl_sys_pread64(text, seen, 5, 0), 5);
	EQ(memcmp(seen, "hello", 5), 0);
	EQ(lkl_sys_close(text), 0);
	EQ(lkl_sys_close(fd), 0);
	EQ(lkl_sys_chdir("/"), 0);
	OK(lkl_umount_dev(id0, 0, 0, 1000));
	halt();
}

static void *live(void *unused)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		EQ(lkl_init(&lkl_host_ops), 0);
		EQ(lkl_start_kernel("mem=64M"), 0);
		EQ(lkl_sys_halt(), 0);
		lkl_cleanup();
	}
	return unused;
}

/* Whatever step of its life the parent's kernel is in. */
static void in_step(void)
{
	unsigned int seed = 1;
	pthread_t id;
	int status;

	lkl_host_ops.print = NULL;
	id = start(live, NULL);
	for (int i = 0; i < 60; i++) {
		pid_t pid;

		usleep(rand_r(&seed) % 5000);
		pid = fork();
		if (!pid) {
			alarm(30);
			EQ(lkl_init(&lkl_host_ops), 0);
			EQ(lkl_start_kernel("mem=64M"), 0);
			EQ(lkl_sys_getpid(), 1);
			EQ(lkl_sys_halt(), 0);
			lkl_cleanup();
			_exit(0);
		}
		EQ(waitpid(pid, &status, 0), pid);
		EQ(status, 0);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	pthread_join(id, NULL);
}

static volatile int forked;

/* On the alternate stack, while the thread runs the kernel. */
static void forking_handler(int sig, siginfo_t *info, void *context)
{
	unsigned long sp = ((ucontext_t *)context)->uc_mcontext.gregs[REG_RSP];
	int status;
	pid_t pid;

	(void)sig;
	(void)info;
	if (sp >> 40 != 0x11)
		return;
	pid = fork();
	if (!pid) {
		alarm(30);
		if (forked)
			child_boots(1);
		else
			child();
		_exit(0);
	}
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
	forked++;
}

static void *interrupted(void *unused)
{
	stack_t stack = { .ss_sp = malloc(1 << 18), .ss_size = 1 << 18 };

	EQ(sigaltstack(&stack, NULL), 0);
	return caller(unused);
}

/* A handler that comes while the kernel runs may fork. */
static void in_handler(void)
{
	struct sigaction sa = { .sa_sigaction = forking_handler,
				.sa_flags = SA_SIGINFO | SA_ONSTACK |
					    SA_RESTART };
	pthread_t id;

	boot("mem=64M");
	fd = OK(lkl_sys_open("/f", LKL_O_CREAT | LKL_O_RDWR, 0600));
	OK(lkl_sys_ftruncate(fd, 1 << 20));
	EQ(sigaction(SIGUSR1, &sa, NULL), 0);
	id = start(interrupted, NULL);
	while (forked < 4) {
		pthread_kill(id, SIGUSR1);
		msleep(2);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	pthread_join(id, NULL);
	EQ(lkl_sys_getpid(), 1);
	halt();
}

/* A stray pointer in the child does not change the parent's kernel. */
static void memory(void)
{
	int status;
	pid_t pid;

	boot("mem=64M");
	pid = fork();
	if (!pid) {
		memset((void *)0x110000000000, 0x55, 4096);
		_exit(0);
	}
	EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status));
	EQ(WTERMSIG(status), SIGSEGV);
	EQ(lkl_sys_getpid(), 1);
	halt();
}

static const struct check tests[] = {
	{ "beside", beside },
	{ "memory", memory },
	{ "quiet", quiet },
	{ "busy", busy },
	{ "while-blocked", while_blocked },
	{ "own", own },
	{ "in-step", in_step },
	{ "in-handler", in_handler },
};

CHECK_MAIN(tests)
