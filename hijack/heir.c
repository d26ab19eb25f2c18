// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program that forks and ends at once: its child gets the kernel.
 *
 * So do daemons.  Whether a program is about to become one cannot be told when
 * it forks, but soon after.  So at the first fork with sockets the kernel is
 * brought to rest, as when it outlives its program (outlive.c), and the child
 * has a copy of all of it.  In the child fork() does not return yet.
 *
 * If the parent ends next, the child has the kernel from there on, and is in
 * every respect what its parent was: the same sockets by the same numbers,
 * epolls, devices.  Calls that do not use the network may come before the end.
 * If the parent makes another call, or does nothing for some time, the kernel
 * goes on there, and the child uses it as any child does (fork.c).
 *
 * A thread of ours brings the kernel to rest and lets it go on, in the parent:
 * the program's may be in the middle of malloc(), and making threads needs
 * that.
 *
 * The child is in fork() and has executed nothing: it is the same user, with
 * the same rights.  If the parent is killed before it has said anything, the
 * kernel is at rest as it was, and the child takes it.
 */
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <lkl_host.h>

#include "../lib/move.h"
#include "heir.h"

/* How long the parent may do nothing; how long the child may take to begin. */
#define UNDECIDED_NS 20000000
#define PATIENCE_MS 2000

struct heir heir;

static uint32_t state(void)
{
	return __atomic_load_n(&heir.state, __ATOMIC_SEQ_CST);
}

static void set_state(uint32_t to)
{
	__atomic_store_n(&heir.state, to, __ATOMIC_SEQ_CST);
	share_wake(&heir.state);
}

static bool change_state(uint32_t from, uint32_t to)
{
	if (!__atomic_compare_exchange_n(&heir.state, &from, to, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return false;
	share_wake(&heir.state);
	return true;
}

static void await_not(uint32_t old)
{
	while (state() == old)
		share_wait(&heir.state, old, NULL);
}

/* Tell the other process. */
void heir_say(long fd, char what)
{
	own_call6(SYS_sendto, fd, &what, 1, MSG_NOSIGNAL, 0, 0);
}

/* What the other process says; 0 if it has ended. */
char heir_hear(long fd)
{
	char what;
	long n;

	do {
		n = own_call3(SYS_read, fd, &what, 1);
	} while (n == -EINTR);
	return n == 1 ? what : 0;
}

/* Wait until it is known what becomes of the kernel: does it go on here? */
static void await_decision(void)
{
	const struct timespec time = { .tv_nsec = UNDECIDED_NS };

	await_not(RESTS);
	if (state() == UNDECIDED) {
		share_wait(&heir.state, UNDECIDED, &time);
		change_state(UNDECIDED, KEEPS);
	}
	await_not(GIVES);
}

static void rest(void *unused)
{
	(void)unused;
	if (!keeper_leave()) {
		set_state(GOES_ON);
		return;
	}
	serve_leave();
	if (!lkl_move_begin()) {
		outlive_inherit(MADV_DOFORK);
		heir.self = *lkl_thread_self();
		set_state(RESTS);
		await_decision();
		heir_say(heir.ends[0], KEPT);
		outlive_inherit(MADV_DONTFORK);
		if (lkl_move_there(false)) {
			serve_return(false);
			set_state(GOES_ON);
			return;
		}
		lkl_move_end();
	}
	outlive_serve();
	lkl_thread_exit();
	set_state(GOES_ON);
}

static bool can_begin(const struct hijack_thread *t)
{
	return heir.tried != own_call3(SYS_getpid, 0, 0, 0) &&
	       lkl_kernel_boots() && share_serves() && !share_used(true) &&
	       !t->begins && !t->fork_new && !numbers_is_sandboxed() &&
	       own_is_single();
}

/* Have the process that will be the child be known, in case it uses ours. */
static bool new_process(struct hijack_thread *t)
{
	long err;

	share_lock();
	t->fork_process = -1;
	t->fork_kernel = lkl_kernel_boots();
	err = fork_new_process(t);
	share_unlock();
	return !err;
}

static bool begin(struct hijack_thread *t)
{
	int ends[2];

	if (!new_process(t))
		return false;
	if (host4(SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		goto forget;
	heir.ends[0] = fd_own(ends[0]);
	heir.ends[1] = fd_own(ends[1]);
	heir.state = COMES_TO_REST;
	heir.thread = lkl_host_ops.thread_create(rest, NULL);
	if (!heir.thread)
		set_state(GOES_ON);
	await_not(COMES_TO_REST);
	if (state() == RESTS)
		return true;
	fd_forget(heir.ends[1]);
	heir_end();
forget:
	fd_forget(t->fork_control);
	fd_forget(t->fork_area);
	return false;
}

void hijack_heir_begin(void)
{
	struct hijack_thread *t = hijack_thread();

	if (hijack_in_vfork() || !can_begin(t))
		return;
	heir.tried = own_call3(SYS_getpid, 0, 0, 0);
	begin(t);
}

/**
 * heir_begun - is the kernel at rest for the fork that is being made?
 */
bool heir_begun(void)
{
	return state() == RESTS;
}

/**
 * heir_forked - in both processes: the fork has been made, or has failed
 * @t: the calling thread
 * @pid: what the host's call returned
 */
void heir_forked(struct hijack_thread *t, long pid)
{
	if (!pid) {
		/* Before a child of its own asks that has its memory. */
		hijack_in_vfork();
		return;
	}
	fd_forget(t->fork_control);
	fd_forget(t->fork_area);
	fd_forget(heir.ends[1]);
	t->undecided = pid > 0;
	change_state(RESTS, pid > 0 ? UNDECIDED : KEEPS);
}

void hijack_heir_parent(void)
{
	struct hijack_thread *t = hijack_thread();

	/* It has not come to the fork. */
	if (heir_begun())
		heir_forked(t, -EAGAIN);
}

/* Is it a call that a program may make before it ends, and that is the host's?
 */
static bool is_hosts(long nr, const long *a)
{
	switch (nr) {
	case SYS_write:
	case SYS_writev:
	case SYS_close:
	case SYS_lseek:
	case SYS_fstat:
	case SYS_fsync:
		return !fd_word(a[0]);
	case SYS_futex:
		return (a[1] & FUTEX_CMD_MASK) == FUTEX_WAKE;
	case SYS_exit_group:
	case SYS_brk:
	case SYS_mmap:
	case SYS_munmap:
	case SYS_mprotect:
	case SYS_madvise:
	case SYS_getpid:
	case SYS_getppid:
	case SYS_gettid:
	case SYS_getuid:
	case SYS_geteuid:
	case SYS_umask:
	case SYS_unlink:
	case SYS_clock_gettime:
	case SYS_gettimeofday:
	case SYS_time:
	case SYS_getrandom:
		return true;
	}
	return false;
}

/**
 * heir_undecided - is it still unknown what becomes of the kernel?
 * @nr: the call that the program makes now
 * @a: its arguments
 *
 * A call of the library's waits until the kernel goes on.
 */
bool heir_undecided(long nr, const long *a)
{
	if (is_hosts(nr, a) && state() == UNDECIDED)
		return true;
	hijack_thread()->undecided = false;
	change_state(UNDECIDED, KEEPS);
	return false;
}

/**
 * heir_end - have the kernel go on in this process, if it is at rest
 *
 * Uses libc.
 */
void heir_end(void)
{
	uint32_t now;

	change_state(UNDECIDED, KEEPS);
	hijack_thread()->undecided = false;
	while ((now = state()) != NONE && now != GOES_ON)
		share_wait(&heir.state, now, NULL);
	if (now == NONE)
		return;
	if (heir.thread)
		lkl_host_ops.thread_join(heir.thread);
	fd_forget(heir.ends[0]);
	heir.thread = 0;
	heir.state = NONE;
}

/**
 * heir_settle - the same, without libc
 */
void heir_settle(void)
{
	uint32_t now;

	change_state(UNDECIDED, KEEPS);
	hijack_thread()->undecided = false;
	while ((now = state()) == KEEPS)
		share_wait(&heir.state, now, NULL);
}

/**
 * heir_pass - the program ends: give the kernel to the child, if that waits
 *
 * Uses libc.
 *
 * Return: whether it has it, and the process is to end and do nothing else
 */
bool heir_pass(void)
{
	struct pollfd fd = { heir.ends[0], POLLIN, 0 };

	if (change_state(UNDECIDED, GIVES)) {
		heir_say(heir.ends[0], GIVEN);
		/* One that says nothing may still take it. */
		if (own_call3(SYS_poll, &fd, 1, PATIENCE_MS) <= 0 ||
		    heir_hear(heir.ends[0]) == TAKEN)
			return true;
		set_state(KEEPS);
	}
	heir_end();
	return false;
}
