// SPDX-License-Identifier: GPL-2.0-only
/*
 * Have each thread of the program do something that the host has only the
 * thread itself do.
 *
 * Each is sent a signal, the one that own.c uses, whose handler does it.  The
 * library's threads are left out.
 */
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>

#include "internal.h"

/* How long a thread may take: it may have the signal blocked. */
#define PATIENCE 50
#define PAUSE_NS 100000000

/* What a thread is asked for. */
static struct {
	long (*fn)(void *arg);
	void *arg;
	int done;
	long err;
} want;

static int lock;

bool hijack_each_signal(int sig, const siginfo_t *info)
{
	return sig == HIJACK_OWN_SIGNAL && info->si_code == SI_QUEUE &&
	       info->si_value.sival_ptr == &want;
}

void hijack_each_take(void)
{
	want.err = want.fn(want.arg);
	__atomic_store_n(&want.done, 1, __ATOMIC_SEQ_CST);
	own_call3(SYS_futex, &want.done, FUTEX_WAKE_PRIVATE, 1);
}

/* Have a thread do it; what has ended meanwhile has done it. */
static long have_take(long pid, long tid)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	siginfo_t info = { .si_code = SI_QUEUE };
	int i;

	info.si_signo = HIJACK_OWN_SIGNAL;
	info.si_pid = pid;
	info.si_value.sival_ptr = &want;
	want.done = 0;
	want.err = 0;
	if (own_call4(SYS_rt_tgsigqueueinfo, pid, tid, HIJACK_OWN_SIGNAL,
		      &info))
		return 0;
	for (i = 0; i < PATIENCE; i++) {
		if (__atomic_load_n(&want.done, __ATOMIC_SEQ_CST))
			return want.err;
		own_call4(SYS_futex, &want.done, FUTEX_WAIT_PRIVATE, 0, &pause);
		if (own_call3(SYS_tgkill, pid, tid, 0))
			return 0;
	}
	return -EAGAIN;
}

struct entry {
	uint64_t ino;
	int64_t off;
	unsigned short len;
	unsigned char type;
	char name[];
};

long each_begin(void)
{
	long dir = own_call3(SYS_open, "/proc/self/task",
			     O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	if (dir < 0)
		return dir;
	while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
		own_call3(SYS_sched_yield, 0, 0, 0);
	return dir;
}

void each_end(long dir)
{
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
	own_call3(SYS_close, dir, 0, 0);
}

/* What getdents64() has made: the length of an entry, */
long each_length(const char *entry)
{
	return ((const struct entry *)entry)->len;
}

/* and the number that is its name, or 0. */
long each_number(const char *entry)
{
	const char *p = ((const struct entry *)entry)->name;
	long number = 0;

	for (; *p >= '0' && *p <= '9'; p++)
		number = number * 10 + *p - '0';
	return number;
}

long each_other(long dir, long (*fn)(void *arg), void *arg, long *failed)
{
	long pid = own_call3(SYS_getpid, 0, 0, 0);
	long self = own_call3(SYS_gettid, 0, 0, 0);
	long n, at, tid, err;
	char buffer[2048];

	want.fn = fn;
	want.arg = arg;
	if (own_call3(SYS_lseek, dir, 0, SEEK_SET))
		return -EIO;
	while ((n = own_call3(SYS_getdents64, dir, buffer, sizeof(buffer))) > 0)
		for (at = 0; at < n; at += each_length(buffer + at)) {
			tid = each_number(buffer + at);
			if (!tid || tid == self || own_is_thread(tid))
				continue;
			err = have_take(pid, tid);
			if (err) {
				*failed = tid;
				return err;
			}
		}
	return n;
}
