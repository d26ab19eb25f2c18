// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's host on POSIX systems with Linux's system calls.
 *
 * The operations that run on the path of a system call must work on any thread
 * at any moment, also on one whose thread-local storage is not the C library's.
 * They use raw system calls, which leave errno alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <lkl/asm/areas.h>
#include <lkl_host.h>

#include "../posix/thread.h"
#include "borrow.h"
#include "freeze.h"
#include "linux.h"

static void host_print(const char *str, int len)
{
	while (len > 0) {
		long n = raw_syscall(__NR_write, STDOUT_FILENO, (long)str, len,
				     0, 0, 0);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return;
		str += n;
		len -= n;
	}
}

static void host_panic(void)
{
	abort();
}

/* The clocks come from the vDSO, which needs neither errno nor a lock. */
static unsigned long long host_wall_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static int host_random(void *buf, unsigned long len)
{
	while (len) {
		ssize_t n = getrandom(buf, len, 0);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		buf = (char *)buf + n;
		len -= n;
	}
	return 0;
}

static void *host_keep(unsigned long size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

bool linux_maps_near(unsigned long addr)
{
	long at = raw_syscall(__NR_mmap, 0, 1, PROT_NONE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at < 0 && at > -4096)
		return false;
	raw_syscall(__NR_munmap, at, 1, 0, 0, 0, 0);
	return at - addr < LKL_AREA_END - LKL_AREA_START;
}

static int host_ram_open(unsigned long addr, unsigned long size)
{
	int err, fd;
	void *ram;

	if (linux_maps_near(addr))
		return -EEXIST;
	fd = linux_memory("lkl-ram", size);
	if (fd == -EFBIG)
		posix_say_limit(&lkl_host_ops, RLIMIT_FSIZE, POSIX_FILE_SIZES,
				size);
	if (fd < 0)
		return fd;
	ram = mmap((void *)addr, size, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_NORESERVE | MAP_FIXED_NOREPLACE, fd, 0);
	if (ram == MAP_FAILED) {
		err = -errno;
		if (err == -ENOMEM)
			posix_say_limit(&lkl_host_ops, RLIMIT_AS,
					POSIX_ADDRESS_SPACE, size);
		close(fd);
		return err;
	}
	/* A forked child must not write to it by accident. */
	madvise(ram, size, MADV_DONTFORK);
	linux_borrow_none();
	linux_ram = (struct linux_ram){ addr, size, fd };
	lkl_ram_base = addr;
	return 0;
}

static void host_ram_close(void)
{
	struct linux_ram ram;

	linux_frozen_end();
	linux_borrow_none();
	ram = linux_ram;
	linux_ram = (struct linux_ram){ .fd = -1 };
	munmap((void *)ram.addr, ram.size);
	close(ram.fd);
}

static int host_reserve(unsigned long addr, unsigned long size)
{
	long ret = raw_syscall(__NR_mmap, addr, size, PROT_NONE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
				       MAP_FIXED_NOREPLACE,
			       -1, 0);

	if (ret == -ENOMEM)
		posix_say_limit(&lkl_host_ops, RLIMIT_AS, POSIX_ADDRESS_SPACE,
				size);
	if (ret < 0 && ret > -4096)
		return ret;
	if (linux_frozen)
		linux_note_mapping(addr, size);
	/* gdb's gcore would write hundreds of gigabytes of nothing. */
	raw_syscall(__NR_madvise, addr, size, MADV_DONTDUMP, 0, 0, 0);
	return 0;
}

static void host_release(unsigned long addr, unsigned long size)
{
	if (linux_frozen)
		linux_note_mapping(addr, size);
	raw_syscall(__NR_munmap, addr, size, 0, 0, 0, 0);
}

static int host_map(unsigned long addr, unsigned long size,
		    unsigned long offset, int prot)
{
	int p = PROT_READ;
	long ret;

	if (prot & LKL_HOST_WRITE)
		p |= PROT_WRITE;
	if (prot & LKL_HOST_EXEC)
		p |= PROT_EXEC;
	if (linux_borrows) {
		ret = linux_borrowed_own(offset, size);
		if (ret)
			return ret;
	}
	if (linux_frozen) {
		ret = linux_share(offset, size);
		if (ret)
			return ret;
		linux_note_mapping(addr, size);
	}
	ret = raw_syscall(__NR_mmap, addr, size, p, MAP_SHARED | MAP_FIXED,
			  linux_ram.fd, offset);
	return ret < 0 && ret > -4096 ? ret : 0;
}

static int host_unmap(unsigned long addr, unsigned long size)
{
	long ret = raw_syscall(
		__NR_mmap, addr, size, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);

	if (linux_frozen)
		linux_note_mapping(addr, size);
	return ret < 0 && ret > -4096 ? ret : 0;
}

static int host_protect(unsigned long addr, unsigned long size, int on)
{
	if (linux_frozen)
		linux_note_guard(addr, size, on);
	return raw_syscall(__NR_mprotect, addr, size,
			   on ? PROT_NONE : PROT_READ | PROT_WRITE, 0, 0, 0);
}

static int host_anon(unsigned long addr, unsigned long size)
{
	long ret = raw_syscall(__NR_mmap, addr, size, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
				       MAP_FIXED_NOREPLACE,
			       -1, 0);

	if (ret < 0 && ret > -4096)
		return ret;
	if (linux_frozen)
		linux_note_mapping(addr, size);
	return 0;
}

/* A file of a few copies, mapped over and over. */
static int host_pattern(unsigned long addr, unsigned long size,
			const void *with, unsigned long len)
{
	const unsigned long piece = 512 << 10;
	int err = 0, fd = linux_memory("lkl-pages", piece);
	unsigned long pos;
	char *pages;

	if (fd < 0)
		return fd;
	/* To write to the file would be limited by ulimit -f. */
	pages = mmap(NULL, piece, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (pages == MAP_FAILED) {
		err = -errno;
	} else {
		for (pos = 0; pos < piece; pos += len)
			memcpy(pages + pos, with, len);
		munmap(pages, piece);
	}
	for (pos = 0; pos < size && !err; pos += piece)
		if (mmap((void *)(addr + pos), MIN(piece, size - pos),
			 PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED_NOREPLACE, fd,
			 0) == MAP_FAILED)
			err = -errno;
	close(fd);
	return err;
}

/* Not those that were changed, for example by a debugger's breakpoint. */
static void host_forget(unsigned long addr, unsigned long size)
{
	const unsigned long page = getpagesize(), from_file = 1UL << 61;
	unsigned long entries[512], i, n, first = (addr + page - 1) / page;
	unsigned long last = (addr + size) / page;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	for (; fd >= 0 && first < last; first += n) {
		n = MIN(last - first, sizeof(entries) / sizeof(*entries));
		if (pread(fd, entries, n * sizeof(*entries),
			  first * sizeof(*entries)) !=
		    (ssize_t)(n * sizeof(*entries)))
			break;
		for (i = 0; i < n; i++) {
			unsigned long start = i;

			while (i < n && entries[i] & from_file)
				i++;
			if (i > start)
				madvise((void *)((first + start) * page),
					(i - start) * page, MADV_DONTNEED);
		}
	}
	close(fd);
}

/* Other threads run code beside what is written. */
static int host_patch(unsigned long addr, unsigned long size, int writable)
{
	unsigned long start = addr & -4096UL;
	long ret = raw_syscall(
		__NR_mprotect, start, addr + size - start,
		PROT_READ | PROT_EXEC | (writable ? PROT_WRITE : 0), 0, 0, 0);

	return ret;
}

/*
 * futex() with a time-out ends with EINTR after any handler, futex_waitv() only
 * after one without SA_RESTART.  Where there is none, a call may be ended that
 * should have gone on.
 */
static int host_wait(int *word, int val, unsigned long long deadline)
{
	static int no_waitv;
	struct timespec ts = {
		.tv_sec = deadline / 1000000000,
		.tv_nsec = deadline % 1000000000,
	};
	struct futex_waitv waiter = {
		.val = val,
		.uaddr = (unsigned long)word,
		.flags = FUTEX_32 | FUTEX_PRIVATE_FLAG,
	};
	long ret = -ENOSYS;

	host_admit_faults();
	if (deadline && !no_waitv) {
		ret = raw_syscall(__NR_futex_waitv, (long)&waiter, 1, 0,
				  (long)&ts, CLOCK_MONOTONIC, 0);
		no_waitv = ret == -ENOSYS;
	}
	if (ret == -ENOSYS)
		ret = raw_syscall(__NR_futex, (long)word,
				  FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, val,
				  deadline ? (long)&ts : 0, 0,
				  FUTEX_BITSET_MATCH_ANY);

	return ret == -EINTR ? ret : 0;
}

static void host_wake(int *word, int count)
{
	if (listen_wake(word))
		return;
	raw_syscall(__NR_futex, (long)word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG,
		    count, 0, 0, 0);
}

static int host_fence(void)
{
	long ret = raw_syscall(__NR_membarrier,
			       MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0, 0, 0, 0);

	if (ret != -EPERM)
		return ret;
	ret = raw_syscall(__NR_membarrier,
			  MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0, 0, 0,
			  0);
	return ret ? ret
		   : raw_syscall(__NR_membarrier,
				 MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0, 0, 0,
				 0);
}

struct lkl_host_operations lkl_host_ops = {
	.print = host_print,
	.panic = host_panic,
	.time = posix_time,
	.wall_time = host_wall_time,
	.random = host_random,
	.wipe_on_fork = linux_wipe_on_fork,
	.keep = host_keep,
	.ram_open = host_ram_open,
	.ram_close = host_ram_close,
	.reserve = host_reserve,
	.release = host_release,
	.map = host_map,
	.unmap = host_unmap,
	.protect = host_protect,
	.anon = host_anon,
	.pattern = host_pattern,
	.freeze = linux_freeze,
	.reset = linux_reset,
	.thaw = linux_thaw,
	.forget = host_forget,
	.patch = host_patch,
	.wait = host_wait,
	.wake = host_wake,
	.hold_signals = posix_hold_signals,
	.wait_held = posix_wait_held,
	.wake_held = posix_wake_held,
	.woken_held = posix_woken_held,
	.release_signals = posix_release_signals,
	.listen_begin = listen_begin,
	.listen_wait = listen_wait,
	.listen_end = lkl_listen_end,
	.relax = linux_relax,
	.cpus = linux_cpus,
	.processors = linux_processors,
	.fence = host_fence,
	.thread_create = posix_thread_create,
	.thread_join = posix_thread_join,
	.thread_detach = posix_thread_detach,
	.thread_exit = posix_thread_exit,
	.thread_self = posix_thread_self,
	.thread_equal = posix_thread_equal,
	.gettid = linux_gettid,
	.mutex_alloc = posix_mutex_alloc,
	.mutex_free = posix_mutex_free,
	.mutex_lock = posix_mutex_lock,
	.mutex_unlock = posix_mutex_unlock,
	.sem_alloc = posix_sem_alloc,
	.sem_free = posix_sem_free,
	.sem_up = posix_sem_up,
	.sem_down = posix_sem_down,
	.signal = posix_signal,
};
