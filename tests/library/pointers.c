// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bad pointers: an error from the call, as on any Linux; and faults that the
 * kernel does not handle.
 */
#include <sys/uio.h>

#include "check.h"

#define PAGE 4096

/* Two pages, of which the second is as the name says. */
static char *unmapped, *none, *read_only;
static int fd, fds[2];

static void set_up(void)
{
	boot("mem=64M");
	fd = OK(lkl_sys_open("/f", LKL_O_CREAT | LKL_O_RDWR, 0600));
	OK(lkl_sys_pipe2(fds, LKL_O_NONBLOCK));
	unmapped = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	none = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	read_only = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(unmapped + PAGE, PAGE);
	mprotect(none + PAGE, PAGE, PROT_NONE);
	mprotect(read_only + PAGE, PAGE, PROT_READ);
}

static void bad_everywhere(void *bad)
{
	struct lkl_iovec iov = { bad, 10 };
	struct lkl_stat st;

	EQ(lkl_sys_open(bad, LKL_O_RDONLY, 0), -LKL_EFAULT);
	EQ(lkl_sys_mkdir(bad, 0), -LKL_EFAULT);
	EQ(lkl_sys_rename("/f", bad), -LKL_EFAULT);
	EQ(lkl_sys_stat(bad, &st), -LKL_EFAULT);
	EQ(lkl_sys_stat("/f", bad), -LKL_EFAULT);
	EQ(lkl_sys_mount(bad, bad, bad, 0, NULL), -LKL_EFAULT);
	EQ(lkl_sys_write(fd, bad, 10), -LKL_EFAULT);
	EQ(lkl_sys_write(fds[1], bad, 10), -LKL_EFAULT);
	EQ(lkl_sys_writev(fd, &iov, 1), -LKL_EFAULT);
	EQ(lkl_sys_writev(fd, bad, 1), -LKL_EFAULT);
	EQ(lkl_sys_readv(fd, bad, 1), -LKL_EFAULT);
	EQ(lkl_sys_pread64(fd, bad, 10, 0), -LKL_EFAULT);
	EQ(lkl_sys_preadv(fd, &iov, 1, 0, 0), -LKL_EFAULT);
	EQ(lkl_sys_pipe2(bad, 0), -LKL_EFAULT);
	EQ(lkl_sys_poll(bad, 1, 0), -LKL_EFAULT);
	EQ(lkl_sys_nanosleep(bad, NULL), -LKL_EFAULT);
	EQ(lkl_sys_clock_gettime(0, bad), -LKL_EFAULT);
	EQ(lkl_sys_uname(bad), -LKL_EFAULT);
	EQ(lkl_sys_sysinfo(bad), -LKL_EFAULT);
	EQ(lkl_sys_getcwd(bad, 100), -LKL_EFAULT);
	EQ(lkl_sys_getrandom(bad, 100, 0), -LKL_EFAULT);
	EQ(lkl_sys_futex(bad, LKL_FUTEX_WAIT, 1, NULL, NULL, 0), -LKL_EFAULT);
	EQ(lkl_sys_futex(bad, LKL_FUTEX_WAIT | LKL_FUTEX_PRIVATE_FLAG, 1, NULL,
			 NULL, 0),
	   -LKL_EFAULT);
	EQ(lkl_sys_socketpair(LKL_AF_UNIX, LKL_SOCK_STREAM, 0, bad),
	   -LKL_EFAULT);
	EQ(lkl_sys_io_uring_setup(4, bad), -LKL_EFAULT);
	EQ(lkl_sys_prctl(LKL_PR_SET_NAME, (long)bad, 0, 0, 0), -LKL_EFAULT);
}

static void bad(void)
{
	set_up();
	EQ(lkl_sys_write(fd, unmapped, 100), 100);
	bad_everywhere(NULL);
	bad_everywhere((void *)16);
	bad_everywhere(unmapped + PAGE);
	bad_everywhere(none + PAGE);
	/* Not canonical; the kernel's half; the last bytes there are. */
	bad_everywhere((void *)0x8000000000000000);
	bad_everywhere((void *)0xffff888000000000);
	bad_everywhere((void *)-8L);
	/* Nothing mapped in the library's own mmap() area. */
	bad_everywhere((void *)0x130000001000);
	/* What can be read is no place to write. */
	EQ(lkl_sys_pread64(fd, read_only + PAGE, 10, 0), -LKL_EFAULT);
	EQ(lkl_sys_uname((void *)(read_only + PAGE)), -LKL_EFAULT);
	EQ(lkl_sys_pwrite64(fd, read_only + PAGE, 10, 0), 10);
	EQ(lkl_sys_pread64(fd, (char *)bad, 10, 0), -LKL_EFAULT);
	EQ(lkl_sys_pread64(fd, (char *)"constant", 8, 0), -LKL_EFAULT);
	EQ(lkl_sys_getpid(), 1);
	halt();
}

/* A buffer that begins well and ends badly: as much as could be done. */
static void crossing(char *page, int writable)
{
	char *buf = page + PAGE - 100;
	struct lkl_iovec iov[2] = { { page, 50 }, { page + PAGE, 50 } };

	EQ(lkl_sys_ftruncate(fd, 0), 0);
	if (!writable) {
		EQ(lkl_sys_pwrite64(fd, buf, 200, 0), 100);
		EQ(lkl_sys_write(fds[1], buf, 200), -LKL_EFAULT);
		EQ(lkl_sys_pwritev(fd, iov, 2, 0, 0), 50);
	}
	EQ(lkl_sys_ftruncate(fd, 300), 0);
	EQ(lkl_sys_pread64(fd, buf, 200, 0), 100);
	EQ(lkl_sys_preadv(fd, iov, 2, 0, 0), 50);
	EQ(lkl_sys_pread64(fd, page + PAGE - 3, 9, 0), 3);
	EQ(lkl_sys_uname((void *)buf), -LKL_EFAULT);
	/* A path that does not end before the page does. */
	memset(page, 'x', PAGE);
	if (!writable)
		EQ(lkl_sys_open(page + PAGE - 20, 0, 0), -LKL_EFAULT);
	memcpy(page + PAGE - 3, "/f", 3);
	EQ(lkl_sys_close(OK(lkl_sys_open(page + PAGE - 3, 0, 0))), 0);
}

static void across(void)
{
	set_up();
	crossing(unmapped, 0);
	crossing(none, 0);
	crossing(read_only, 1);
	halt();
}

/* Faults of the application go to its own handler. */
static volatile int faults;
static volatile char *volatile fault_address;

static void on_fault(int sig, siginfo_t *info, void *uc)
{
	(void)uc;
	faults += sig == SIGSEGV && info->si_addr == fault_address;
	mprotect((void *)((long)fault_address & -PAGE), PAGE,
		 PROT_READ | PROT_WRITE);
}

static void own_handler(void)
{
	struct sigaction sa = { .sa_sigaction = on_fault,
				.sa_flags = SA_SIGINFO };

	EQ(sigaction(SIGSEGV, &sa, NULL), 0);
	set_up();
	fault_address = none + PAGE + 5;
	*fault_address = 1;
	EQ(faults, 1);
	fault_address = read_only + PAGE + 6;
	*fault_address = 1;
	EQ(faults, 2);
	/* The kernel's are not the handler's. */
	EQ(lkl_sys_write(fd, unmapped + PAGE, 1), -LKL_EFAULT);
	EQ(faults, 2);
	halt();
	/* As it was before lkl_init(). */
	EQ(sigaction(SIGSEGV, NULL, &sa), 0);
	CHECK(sa.sa_sigaction == on_fault);
}

/* The compiler is not to see what it is. */
static volatile int *volatile nowhere = (void *)8;

static void touch_null(void)
{
	boot("mem=64M");
	*nowhere = 1;
}

static void touch_halted(void)
{
	boot("mem=64M");
	halt();
	*nowhere = 1;
}

static void sent(void)
{
	boot("mem=64M");
	kill(getpid(), SIGSEGV);
	msleep(10000);
}

static void touch_umap(void)
{
	boot("mem=64M");
	nowhere = (void *)0x130000001000;
	*nowhere = 1;
}

static void dies(void (*fn)(void), int sig)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		fn();
		_exit(0);
	}
	EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status));
	EQ(WTERMSIG(status), sig);
}

static void no_handler(void)
{
	dies(touch_null, SIGSEGV);
	dies(touch_halted, SIGSEGV);
	dies(touch_umap, SIGSEGV);
	dies(sent, SIGSEGV);
}

static const struct check tests[] = {
	{ "bad", bad },
	{ "across", across },
	{ "own-handler", own_handler },
	{ "no-handler", no_handler },
};

CHECK_MAIN(tests)
