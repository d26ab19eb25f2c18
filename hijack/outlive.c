// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel outlives its program.
 *
 * When the process with the kernel ends, and processes that it has forked use
 * that, it forks once more, and the kernel goes on in this process, which does
 * nothing else (lib/move.c).  It has all that the owner of a kernel has:
 * memory, devices, sockets of the processes that it serves.  So these do not
 * notice.  It ends when none is left.
 *
 * When the process executes another program, it becomes one of those that are
 * served, and goes on as if it had been forked.
 *
 * Before the fork the library's threads end, and calls of other threads are
 * interrupted; those that are made for other processes will be made again.
 * A process that is gone before it has said that it is ready, or is not in
 * time, leaves those it was to serve without a network.
 *
 * The program's end waits until the other process has closed what was the
 * program's: as on any host, files, locks and ports are free when it has ended.
 */
#include <linux/prctl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../lib/move.h"
#include "child.h"

/* How long the other process may take, in milliseconds. */
#define PATIENCE 2000

/* Signals are the program's, but for those that come of what a thread does. */
static void block_signals(void)
{
	static const unsigned char ours[] = { SIGILL,		SIGTRAP, SIGBUS,
					      SIGFPE,		SIGSEGV, SIGSYS,
					      HIJACK_OWN_SIGNAL };
	uint64_t mask = ~0UL;
	size_t i;

	for (i = 0; i < sizeof(ours); i++)
		mask &= ~(1UL << (ours[i] - 1));
	own_call4(SYS_rt_sigprocmask, SIG_SETMASK, &mask, 0, sizeof(mask));
}

/**
 * outlive_program - this process has a kernel, and runs no program
 */
void outlive_program(void)
{
	int i;

	share_apart = true;
	for (i = 0; i < share_top; i++)
		if (share_processes[i].area)
			share_processes[i].area->apart = true;
	block_signals();
	own_call3(SYS_setsid, 0, 0, 0);
	own_call3(SYS_prctl, PR_SET_NAME, "lkl-kernel", 0);
}

/* Threads of the program, which are not here. */
#define THREADS 1024
static struct {
	struct hijack_thread *core;
	struct lkl_self *library;
} threads[THREADS];
static unsigned int n_threads;

static long note_thread(void *unused)
{
	unsigned int n = __atomic_fetch_add(&n_threads, 1, __ATOMIC_SEQ_CST);

	(void)unused;
	if (n < THREADS) {
		threads[n].core = hijack_thread();
		threads[n].library = lkl_thread_self();
	}
	return 0;
}

static void note_threads(void)
{
	long dir, tid;

	n_threads = 0;
	if (own_is_single())
		return;
	dir = each_begin();
	if (dir < 0)
		return;
	each_other(dir, note_thread, NULL, &tid);
	each_end(dir);
}

/* They wait for no files any more, and have no tasks. */
static void forget_threads(void)
{
	unsigned int i;

	for (i = 0; i < n_threads && i < THREADS; i++) {
		struct lkl_watch *watch = &threads[i].core->watch;
		struct lkl_self *self = threads[i].library;

		watch->count = 0;
		if (watch->entries)
			lkl_kernel_call(lkl_watch_stop, watch);
		if (self->task && self->boot == lkl_kernel_boots())
			lkl_task_exit(self->task, self->boot);
	}
}

/* Close all that is the host's alone. */
static void close_hosts(void)
{
	long fd, from = 0, last = fd_last();

	for (fd = 0; fd <= last + 1; fd++) {
		if (fd <= last && !fd_word(fd))
			continue;
		if (from < fd)
			own_call3(SYS_close_range, from, fd - 1, 0);
		from = fd + 1;
	}
	own_call3(SYS_close_range, from, ~0U, 0);
}

/* Close the rest, but what makes an epoll that others have, too, ring. */
static void close_files(void)
{
	long fd;

	for (fd = 0; fd <= fd_last(); fd++) {
		uint32_t word = fd_word(fd);

		if (word & FD_EPOLL && wait_is_forked(word)) {
			fd_take_word(fd);
			host1(SYS_close, fd);
		}
	}
	fd_close_range(SYS_close_range, (long[6]){ 0, ~0U });
}

/**
 * outlive_inherit - say whether a forked process has areas of processes that
 *	are served
 * @advice: MADV_DOFORK or MADV_DONTFORK
 */
void outlive_inherit(int advice)
{
	int i;

	for (i = 0; i < share_top; i++)
		if (share_processes[i].area)
			host3(SYS_madvise, share_processes[i].area,
			      sizeof(struct share), advice);
}

/**
 * outlive_serve - serve the processes again, and only then those that are new
 *
 * Uses libc.
 */
void outlive_serve(void)
{
	serve_return(true);
	if (!keeper_return())
		serve_return(false);
}

/* The program, process @pid of the host, goes on as one that is served. */
static void go_on_without(struct hijack_thread *t, int pid)
{
	struct share_process *p = &share_processes[t->fork_process];

	share_former = t->fork_process;
	p->files.pid = pid;
	p->user = own_call3(SYS_getuid, 0, 0, 0);
	/* What it has of the process that it will be. */
	fd_forget(t->fork_control);
	fd_forget(t->fork_area);
}

/*
 * In the forked process; the program, @pid, ends when it reads from @end,
 * unless it goes on.
 */
static void go_on(long end, int pid, bool goes_on)
{
	char byte = 0;

	outlive_program();
	if (goes_on)
		go_on_without(hijack_thread(), pid);
	share_unlock();
	numbers_forked();
	own_call3(SYS_chdir, "/", 0, 0);
	close_hosts();
	outlive_inherit(MADV_DONTFORK);
	if (lkl_move_there(true)) {
		serve_return(false);
		own_call3(SYS_exit_group, 1, 0, 0);
	}
	own_call3(SYS_write, end, &byte, 1);
	/* It has threads that could take what comes for ours. */
	own_call3(SYS_read, end, &byte, 1);
	fd_forget(end);
	lkl_move_end();
	lkl_thread_replace(lkl_thread_leave());
	outlive_serve();
	forget_threads();
	aio_leave();
	close_files();
}

/* Wait for it; false if it is not ready in time. */
static bool is_ready(long end)
{
	struct pollfd fd = { end, POLLIN, 0 };
	char byte;

	return own_call3(SYS_poll, &fd, 1, PATIENCE) > 0 &&
	       own_call3(SYS_read, end, &byte, 1) == 1;
}

/* Serve the others until there is none. */
static void stay(void)
{
	uint32_t left;

	do {
		left = __atomic_load_n(&share_left, __ATOMIC_SEQ_CST);
		if (admit_end(true))
			return;
		share_wait(&share_left, left, NULL);
	} while (true);
}

/*
 * Fork.  A program that goes on must have no child that it does not know of: so
 * it is forked twice.
 */
static long fork_away(bool goes_on)
{
	long pid;

	if (!goes_on)
		return _Fork();
	pid = raw_syscall(SYS_clone, 0, 0, 0, 0, 0, 0);
	if (!pid) {
		pid = _Fork();
		if (pid)
			own_call3(SYS_exit_group, 0, 0, 0);
		return pid;
	}
	if (pid > 0)
		own_call4(SYS_wait4, pid, 0, __WALL, 0);
	return pid;
}

/*
 * Returns whether the kernel is not in this process any more; in the other one
 * it does not return.
 */
static bool move(long end, long other, bool goes_on)
{
	long program = own_call3(SYS_getpid, 0, 0, 0), pid;

	if (lkl_move_begin())
		return false;
	outlive_inherit(MADV_DOFORK);
	share_lock();
	pid = fork_away(goes_on);
	if (!pid) {
		fd_forget(end);
		go_on(other, program, goes_on);
		stay();
		hijack_end();
	}
	share_unlock();
	outlive_inherit(MADV_DONTFORK);
	fd_forget(other);
	if (pid > 0) {
		if (is_ready(end))
			return true;
		if (!goes_on)
			own_call3(SYS_kill, pid, SIGKILL, 0);
		serve_return(false);
		return true;
	}
	if (lkl_move_there(false)) {
		serve_return(false);
		return true;
	}
	lkl_move_end();
	return false;
}

static bool try(bool goes_on)
{
	int ends[2];
	bool moved;

	if (host4(SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return false;
	ends[0] = fd_own(ends[0]);
	ends[1] = fd_own(ends[1]);
	if (!keeper_leave()) {
		fd_forget(ends[1]);
		moved = false;
	} else {
		serve_leave();
		note_threads();
		moved = move(ends[0], ends[1], goes_on);
		if (!moved)
			outlive_serve();
	}
	fd_forget(ends[0]);
	return moved;
}

/**
 * outlive - the program ends: have its kernel outlive it, if that is in use
 *
 * Uses libc.
 *
 * Return: whether the calling process is to end, and nothing else
 */
bool outlive(void)
{
	bool own = hijack_this_thread.own, moved;

	if (!share_serves() || numbers_is_sandboxed() || !share_has_forked())
		return false;
	hijack_this_thread.own = true;
	moved = try(false);
	hijack_this_thread.own = own;
	return moved;
}

/**
 * outlive_exec - the program executes another one, which is to keep the network
 *
 * Uses libc.
 */
void outlive_exec(void)
{
	struct hijack_thread *t = hijack_thread();
	bool own = t->own;

	if (numbers_is_sandboxed())
		return;
	t->own = true;
	share_prepare();
	share_lock();
	t->fork_kernel = lkl_kernel_boots();
	t->fork_process = -1;
	if (share_serves())
		fork_new_process(t);
	share_unlock();
	if (t->fork_process >= 0 && try(true)) {
		lkl_move_left();
		share_forked();
		fork_become_child(t);
	} else if (t->fork_process >= 0) {
		fd_forget(t->fork_control);
		fd_forget(t->fork_area);
	}
	t->own = own;
}
