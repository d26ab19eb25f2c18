// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls of code that nobody has looked at: made while the program runs, or such
 * that an instruction could not be changed.  The host is asked to trap them
 * (syscall user dispatch), on all threads, from when there is such code.  That
 * costs each call of the host a few nanoseconds, so there is none before.
 */
#include <sys/prctl.h>
#include <unistd.h>

#include "preload.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

bool preload_dispatches;
unsigned long preload_text, preload_text_size;

/* The host forgets it with a fork. */
long preload_dispatch_thread(void)
{
	return raw_syscall(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, 1,
			   preload_text, preload_text_size,
			   (long)&preload_thread.selector, 0);
}

static bool changed;

static long on_thread(void *unused)
{
	static __thread bool on __attribute__((tls_model("initial-exec")));

	(void)unused;
	if (on)
		return 0;
	changed = on = true;
	return preload_dispatch_thread();
}

/* One that is made meanwhile sees that it is to do so with its first call. */
static long on_all(void)
{
	long dir = each_begin(), err, tid;

	if (dir < 0)
		return dir;
	__atomic_store_n(&preload_dispatches, true, __ATOMIC_SEQ_CST);
	err = on_thread(NULL);
	do {
		changed = false;
		if (!err)
			err = each_other(dir, on_thread, NULL, &tid);
	} while (!err && changed);
	each_end(dir);
	return err;
}

/**
 * preload_dispatch - have the host trap what is not rewritten, from here on
 * @why: what there is, for the line that is the last of a program where that
 *	cannot be had
 */
void preload_dispatch(const char *why)
{
	if (__atomic_load_n(&preload_dispatches, __ATOMIC_SEQ_CST) ||
	    hijack_in_vfork() || !on_all())
		return;
	hijack_refuse(why, "makes calls that this host cannot trap");
	for (;;)
		way_host1(SYS_exit_group, 126);
}
