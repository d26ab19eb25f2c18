// SPDX-License-Identifier: GPL-2.0-only
/*
 * The library's own threads, and their credentials.
 *
 * To the host each thread has credentials of its own; it is the C library that
 * has all threads change them.  It does not have ours do so: what they may is
 * not what the program's may, after PR_SET_KEEPCAPS or capset(), and glibc
 * aborts when threads disagree.  But they must not keep what the program gives
 * up.  So when the program's first thread has changed its credentials, a signal
 * has each of ours take over all of them.
 *
 * The signal is glibc's for the same purpose, which is never blocked; ours is
 * told by what comes with it.
 */
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "internal.h"

/* No kernel has more threads of its own, with those that serve children. */
#define THREADS 2048
#define GROUPS 65536

static int threads[THREADS];
/* The process that has them; a forked child has none of them. */
static long process;

/* What they are to take over, and how many have yet to. */
static struct {
	uint32_t user[3], group[3], groups[GROUPS];
	long n_groups;
	struct __user_cap_data_struct caps[2];
	int left;
	bool failed;
} want;

static int lock;

static struct __user_cap_header_struct cap_header(void)
{
	return (struct __user_cap_header_struct){
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
}

/* The calling thread is one of the library's own. */
static void own_thread_begin(void)
{
	long pid = own_call3(SYS_getpid, 0, 0, 0), was;
	int tid = own_call3(SYS_gettid, 0, 0, 0), i, none;

	was = __atomic_exchange_n(&process, pid, __ATOMIC_SEQ_CST);
	for (i = 0; was != pid && i < THREADS; i++)
		threads[i] = 0;
	for (i = 0; i < THREADS; i++) {
		none = 0;
		if (__atomic_compare_exchange_n(&threads[i], &none, tid, false,
						__ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST))
			return;
	}
}

/* It ends. */
static void own_thread_end(void)
{
	int tid = own_call3(SYS_gettid, 0, 0, 0);

	for (int i = 0; i < THREADS; i++)
		if (threads[i] == tid)
			__atomic_store_n(&threads[i], 0, __ATOMIC_SEQ_CST);
}

/* How many there are, some of which may not have run yet, and in which process.
 */
static int made;
static long maker;

static lkl_thread_t (*thread_create)(void (*fn)(void *arg), void *arg);

struct own_thread {
	void (*fn)(void *arg);
	void *arg;
};

static void run_thread(void *arg)
{
	struct own_thread t = *(struct own_thread *)arg;

	free(arg);
	hijack_this_thread.own = true;
	own_thread_begin();
	t.fn(t.arg);
	own_thread_end();
	__atomic_sub_fetch(&made, 1, __ATOMIC_SEQ_CST);
}

static lkl_thread_t create(void (*fn)(void *arg), void *arg)
{
	struct own_thread *t = malloc(sizeof(*t));
	long pid = own_call3(SYS_getpid, 0, 0, 0);
	lkl_thread_t thread = 0;

	if (t) {
		if (__atomic_exchange_n(&maker, pid, __ATOMIC_SEQ_CST) != pid)
			made = 0;
		__atomic_add_fetch(&made, 1, __ATOMIC_SEQ_CST);
		*t = (struct own_thread){ fn, arg };
		thread = thread_create(run_thread, t);
		if (!thread) {
			__atomic_sub_fetch(&made, 1, __ATOMIC_SEQ_CST);
			free(t);
		}
	}
	return thread;
}

/**
 * own_threads_init - have the library's threads be known here
 */
void own_threads_init(void)
{
	thread_create = lkl_host_ops.thread_create;
	lkl_host_ops.thread_create = create;
}

/* Has a thread been made that has not run so far that its number is known? */
static bool some_unknown(void)
{
	int known = 0;

	if (__atomic_load_n(&maker, __ATOMIC_SEQ_CST) !=
	    own_call3(SYS_getpid, 0, 0, 0))
		return false;
	for (int i = 0; i < THREADS; i++)
		known += __atomic_load_n(&threads[i], __ATOMIC_SEQ_CST) != 0;
	return known < THREADS &&
	       known < __atomic_load_n(&made, __ATOMIC_SEQ_CST);
}

/* Not for ever: making one may need a lock of glibc's that the caller holds. */
static void await_unknown(void)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	static int nothing;

	for (int i = 0; i < 1000 && some_unknown(); i++)
		own_call4(SYS_futex, &nothing, FUTEX_WAIT_PRIVATE, 0, &moment);
}

static bool is_known(long tid)
{
	if (process != own_call3(SYS_getpid, 0, 0, 0))
		return false;
	for (int i = 0; i < THREADS; i++)
		if (tid && threads[i] == tid)
			return true;
	return false;
}

/**
 * own_is_thread - is it one of the library's own?
 * @tid: number of a thread
 */
bool own_is_thread(long tid)
{
	if (is_known(tid))
		return true;
	await_unknown();
	return is_known(tid);
}

/**
 * own_is_single - has the program no other thread than the calling one?
 */
bool own_is_single(void)
{
	unsigned int n = 1;
	struct stat st;

	if (__atomic_load_n(&maker, __ATOMIC_SEQ_CST) ==
	    own_call3(SYS_getpid, 0, 0, 0))
		n += __atomic_load_n(&made, __ATOMIC_SEQ_CST);
	/* A directory has two links, and one for each in it. */
	return !own_call3(SYS_stat, "/proc/self/task", &st, 0) &&
	       st.st_nlink == 2 + n;
}

static void take_over(void)
{
	struct __user_cap_header_struct header = cap_header();
	long err;

	own_call3(SYS_prctl, PR_SET_KEEPCAPS, 1, 0);
	/* Without the right to set them they stay as they are. */
	own_call3(SYS_setgroups, want.n_groups, want.groups, 0);
	err = own_call3(SYS_setresgid, want.group[0], want.group[1],
			want.group[2]);
	err |= own_call3(SYS_setresuid, want.user[0], want.user[1],
			 want.user[2]);
	err |= own_call3(SYS_capset, &header, want.caps, 0);
	if (err)
		want.failed = true;
	__atomic_sub_fetch(&want.left, 1, __ATOMIC_SEQ_CST);
	own_call3(SYS_futex, &want.left, FUTEX_WAKE_PRIVATE, 1);
}

/**
 * hijack_own_signal - a signal has come that may be for a thread of ours
 * @sig: number
 * @info: with what
 *
 * Return: was it?
 */
bool hijack_own_signal(int sig, const siginfo_t *info)
{
	if (sig != HIJACK_OWN_SIGNAL || info->si_code != SI_QUEUE ||
	    info->si_value.sival_ptr != &want)
		return false;
	take_over();
	return true;
}

static void have_all_take_over(void)
{
	struct __user_cap_header_struct header = cap_header();
	const struct timespec time = { .tv_nsec = 100000000 };
	siginfo_t info = { .si_code = SI_QUEUE };
	long pid = own_call3(SYS_getpid, 0, 0, 0);
	int left;

	own_call3(SYS_getresuid, &want.user[0], &want.user[1], &want.user[2]);
	own_call3(SYS_getresgid, &want.group[0], &want.group[1],
		  &want.group[2]);
	want.n_groups = own_call3(SYS_getgroups, GROUPS, want.groups, 0);
	own_call3(SYS_capget, &header, want.caps, 0);
	want.failed = false;
	info.si_signo = HIJACK_OWN_SIGNAL;
	info.si_pid = pid;
	info.si_value.sival_ptr = &want;
	want.left = 1;
	for (int i = 0; i < THREADS; i++) {
		int tid = __atomic_load_n(&threads[i], __ATOMIC_SEQ_CST);

		if (!tid)
			continue;
		__atomic_add_fetch(&want.left, 1, __ATOMIC_SEQ_CST);
		if (own_call4(SYS_rt_tgsigqueueinfo, pid, tid,
			      HIJACK_OWN_SIGNAL, &info))
			__atomic_sub_fetch(&want.left, 1, __ATOMIC_SEQ_CST);
	}
	__atomic_sub_fetch(&want.left, 1, __ATOMIC_SEQ_CST);
	while ((left = __atomic_load_n(&want.left, __ATOMIC_SEQ_CST)) > 0)
		own_call4(SYS_futex, &want.left, FUTEX_WAIT_PRIVATE, left,
			  &time);
	if (want.failed)
		hijack_say("threads of the library keep privileges: ",
			   "they cannot follow the program's");
}

/**
 * own_follow - the calling thread of the program has changed its credentials
 */
void own_follow(void)
{
	long pid = own_call3(SYS_getpid, 0, 0, 0);

	if (own_call3(SYS_gettid, 0, 0, 0) != pid)
		return;
	await_unknown();
	if (process != pid)
		return;
	while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
		own_call3(SYS_sched_yield, 0, 0, 0);
	have_all_take_over();
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

/**
 * own_tgkill - glibc does not find a thread that has ended
 */
long own_tgkill(long nr, const long *a)
{
	if (unlikely(a[2] == HIJACK_OWN_SIGNAL) && own_is_thread((int)a[1]))
		return -ESRCH;
	return host_call(nr, a);
}
