// SPDX-License-Identifier: GPL-2.0-only
/*
 * SECCOMP_FILTER_FLAG_TSYNC: all threads of the program get a filter.
 *
 * The host would give it to the library's threads as well, which do what the
 * program may not.  So each thread of the program's is sent a signal, the one
 * that own.c uses, and installs the filter itself.
 */
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>

#include "filter.h"

/* How long a thread may take: it may have the signal blocked. */
#define PATIENCE 50
#define PAUSE_NS 100000000

/* What a thread is asked for. */
static struct {
	const struct filter *tip;
	bool look; /* whether it could take it */
	bool unprivileged; /* it can gain no privileges afterwards */
	int done;
	long err;
	bool changed;
} want;

static int lock;

/* Is @f one that @of is on top of? */
static bool is_below(const struct filter *f, const struct filter *of)
{
	while (of && of != f)
		of = of->prev;
	return of == f;
}

/* Install what is missing, the oldest first. */
static long install_up_to(const struct filter *tip)
{
	struct hijack_thread *t = hijack_thread();
	const struct filter *next;
	long err = 0;

	while (!err && t->filter != tip) {
		for (next = tip; next->prev != t->filter; next = next->prev)
			;
		err = own_call3(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0,
				&next->host);
		if (!err)
			t->filter = next;
		want.changed = true;
	}
	return err;
}

bool hijack_filter_signal(int sig, const siginfo_t *info)
{
	return sig == HIJACK_OWN_SIGNAL && info->si_code == SI_QUEUE &&
	       info->si_value.sival_ptr == &want;
}

void hijack_filter_take(void)
{
	if (!is_below(hijack_thread()->filter, want.tip)) {
		want.err = -EINVAL;
	} else if (!want.look) {
		if (want.unprivileged)
			raw_syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0,
				    0);
		want.err = install_up_to(want.tip);
	}
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
	hijack_say("a filter for system calls: ",
		   "a thread does not take it, as it blocks all signals");
	return -EAGAIN;
}

struct entry {
	uint64_t ino;
	int64_t off;
	unsigned short len;
	unsigned char type;
	char name[];
};

/* Returns 0, a negative error number, or the number of a thread that cannot. */
static long each_thread(long dir)
{
	long pid = own_call3(SYS_getpid, 0, 0, 0);
	long self = own_call3(SYS_gettid, 0, 0, 0);
	long n, at, tid, err;
	char buffer[2048];

	if (own_call3(SYS_lseek, dir, 0, SEEK_SET))
		return -EIO;
	while ((n = own_call3(SYS_getdents64, dir, buffer, sizeof(buffer))) > 0)
		for (at = 0; at < n;
		     at += ((struct entry *)(buffer + at))->len) {
			const char *p = ((struct entry *)(buffer + at))->name;

			for (tid = 0; *p >= '0' && *p <= '9'; p++)
				tid = tid * 10 + *p - '0';
			if (!tid || tid == self || own_is_thread(tid))
				continue;
			err = have_take(pid, tid);
			if (err)
				return tid;
		}
	return n;
}

long filter_sync(const struct filter *tip, long (*install)(void *), void *arg)
{
	long dir, ret;

	dir = own_call3(SYS_open, "/proc/self/task",
			O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (dir < 0)
		return dir;
	while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
		own_call3(SYS_sched_yield, 0, 0, 0);
	want.tip = tip;
	want.look = true;
	want.unprivileged =
		raw_syscall(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0, 0) == 1;
	ret = each_thread(dir);
	/* A thread that is made later has it from the one that makes it. */
	if (!ret)
		ret = install(arg);
	want.look = false;
	want.changed = !ret;
	while (!ret && want.changed) {
		want.changed = false;
		ret = each_thread(dir);
	}
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
	own_call3(SYS_close, dir, 0, 0);
	return ret;
}
