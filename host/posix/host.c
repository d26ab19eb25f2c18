// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's host on systems of which no more is known than POSIX says
 * (IEEE Std 1003.1-2008 with XSI).  Linux has a faster one: host/linux/.
 *
 * The kernel is an image of its own (door/).  Threads of the application have
 * the C library's thread-local storage always, so operations on the path of a
 * system call may use that.  They may run in a handler, too: what they lock,
 * they lock with signals blocked.
 *
 *	host.c		the table, and what is short
 *	memory.c	objects of shared memory
 *	wait.c		semaphores, by the address of a word
 *	thread.c	threads, mutexes, semaphores
 *	signal.c	signals that come while a call is blocked
 *	fault.c		faults, with x86/SYSTEM.c, which is not POSIX
 *	calls.c		what the last two ask of the system
 *	number.c	numbers of threads
 *	stack.c		alternate signal stacks
 *	lock.c		locks that handlers take, too
 *	disk.c		disks that are files
 *	door.c		protection of the kernel's image
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <lkl_host.h>

#include "host.h"
#include "posix.h"
#include "thread.h"

#define RANDOM "/dev/urandom"

static void host_print(const char *str, int len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, str, len);

		if (n < 0 && errno == EINTR)
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

static unsigned long long host_time(void)
{
	return posix_time();
}

static unsigned long long host_wall_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static int host_random(void *buf, unsigned long len)
{
	int fd = open(RANDOM, O_RDONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	while (len && !err) {
		ssize_t n = read(fd, buf, len);

		if (n > 0) {
			buf = (char *)buf + n;
			len -= n;
		} else if (!n || errno != EINTR) {
			err = n ? -errno : -EIO;
		}
	}
	close(fd);
	return err;
}

static int host_ram_open(unsigned long addr, unsigned long size)
{
	return posix_ram_open(&lkl_host_ops, addr, size);
}

static int host_reserve(unsigned long addr, unsigned long size)
{
	return posix_reserve(&lkl_host_ops, addr, size);
}

/* What is received is received by devices' threads. */
static int host_listen_begin(void)
{
	return 0;
}

static int host_listen_wait(int *word, int val, unsigned long long deadline,
			    struct lkl_signals *signals)
{
	(void)signals;
	return posix_wait(word, val, deadline);
}

static void host_listen_end(void)
{
}

static void host_relax(void)
{
	sched_yield();
}

/* Asked before each spin.  That a thread is bound to some of them POSIX does
 * not tell, nor, before 2024, how many there are. */
static int host_cpus(void)
{
	static int cpus;

	if (!cpus) {
		long n = 1;

#ifdef _SC_NPROCESSORS_ONLN
		n = sysconf(_SC_NPROCESSORS_ONLN);
#endif
		cpus = n > 1 ? n : 1;
	}
	return cpus;
}

/* Without the operation fence, the lock of a virtual CPU is biased to nobody.
 */
struct lkl_host_operations lkl_host_ops = {
	.print = host_print,
	.panic = host_panic,
	.time = host_time,
	.wall_time = host_wall_time,
	.random = host_random,
	.wipe_on_fork = posix_wipe_on_fork,
	.keep = posix_keep,
	.ram_open = host_ram_open,
	.ram_close = posix_ram_close,
	.reserve = host_reserve,
	.release = posix_release,
	.map = posix_map,
	.unmap = posix_unmap,
	.protect = posix_protect,
	.anon = posix_anon,
	.pattern = posix_pattern,
	.forget = posix_forget,
	.patch = posix_patch,
	.wait = posix_wait,
	.wake = posix_wake,
	.hold_signals = posix_hold_signals,
	.wait_held = posix_wait_held,
	.wake_held = posix_wake_held,
	.woken_held = posix_woken_held,
	.release_signals = posix_release_signals,
	.listen_begin = host_listen_begin,
	.listen_wait = host_listen_wait,
	.listen_end = host_listen_end,
	.relax = host_relax,
	.cpus = host_cpus,
	.processors = host_cpus,
	.thread_create = posix_thread_create,
	.thread_join = posix_thread_join,
	.thread_detach = posix_thread_detach,
	.thread_exit = posix_thread_exit,
	.thread_self = posix_thread_self,
	.thread_equal = posix_thread_equal,
	.gettid = posix_gettid,
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
