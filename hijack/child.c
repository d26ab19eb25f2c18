// SPDX-License-Identifier: GPL-2.0-only
/*
 * Forked processes: they use their parent's network, in the kernel that is in
 * its process, by asking that for each call (owner.c).
 *
 * A call is put into the thread's link (share.h) with all that its arguments
 * point to, and the thread sleeps until it has been made.  When a signal comes
 * meanwhile, the owner is asked to interrupt it, and what that gives is
 * awaited: so a call ends with EINTR exactly if the library's kernel says so.
 *
 * The rest of the core does not notice: descriptors have the same numbers in
 * the library's kernel as the parent's had.  A watch (wait.c) rings an eventfd
 * of which the owner has a descriptor, too.
 *
 * What is here uses no libc and no locks but its own, as the parent may have
 * had other threads.  Vector registers are not to be touched.
 */
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <lkl_host.h>

#include "child.h"

/* How long the end waits for that of the kernel, which waits for others. */
#define BYE_MS 5000

/* How often it is looked whether the owner has ended, where no futex tells. */
#define LOOK_NS 100000000

struct share *share;
long share_fd;
int child_number = -1;
long child_control;

/* Held while descriptors are open that a child is not to inherit. */
static uint32_t lock;

/* FUTEX_WAIT_BITSET, and FUTEX_PRIVATE_FLAG while there is a kernel here. */
static int futex_wait = FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG;

void share_lock(void)
{
	while (__atomic_exchange_n(&lock, 1, __ATOMIC_SEQ_CST))
		share_wait(&lock, 1, NULL);
}

void share_unlock(void)
{
	__atomic_store_n(&lock, 0, __ATOMIC_SEQ_CST);
	share_wake(&lock);
}

int hijack_wait(int *word, int val, unsigned long long deadline)
{
	struct timespec ts = {
		.tv_sec = deadline / 1000000000,
		.tv_nsec = deadline % 1000000000,
	};

	return host_wait_syscall(SYS_futex, (long)word, futex_wait, val,
				 deadline ? (long)&ts : 0, 0,
				 FUTEX_BITSET_MATCH_ANY) == -EINTR
		       ? -EINTR
		       : 0;
}

/**
 * share_process - number of this process, if it is another's child
 *
 * Return: the number, or -1
 */
int share_process(void)
{
	return child_number;
}

/**
 * child_begin - this process is a child, or is none
 * @number: its number, or -1
 * @fd: its end of the socket
 */
void child_begin(int number, long fd)
{
	child_number = number;
	child_control = fd;
	if (number >= 0)
		futex_wait = FUTEX_WAIT_BITSET;
}

/**
 * child_join - this process uses another one's kernel from here on
 * @number: its number there
 * @control: its end of the socket
 * @area: descriptor of its area
 *
 * Return: 0 or a negative error number
 */
long child_join(int number, long control, long area)
{
	struct share *map = share_map(area);

	if (!map)
		return -ENOMEM;
	share = map;
	share_fd = area;
	child_begin(number, control);
	return 0;
}

/**
 * child_leave - it does not any more
 *
 * Other threads may be about to find that out: the area stays.
 */
void child_leave(void)
{
	long control = child_control;

	if (child_number < 0)
		return;
	child_begin(-1, 0);
	fd_forget(control);
	fd_forget(share_fd);
}

/*
 * Talking to the owner
 */

/**
 * child_await - wait until a word in shared memory changes
 * @word: the word
 * @val: what it is now
 *
 * Return: whether it has; not if the owner has ended
 */
bool child_await(void *word, uint32_t val)
{
	const struct timespec time = { .tv_nsec = LOOK_NS };

	while (__atomic_load_n((uint32_t *)word, __ATOMIC_SEQ_CST) == val) {
		struct pollfd fd = { child_control, 0, 0 };

		share_wait(word, val, &time);
		if (raw_syscall(SYS_poll, (long)&fd, 1, 0, 0, 0, 0) > 0)
			return false;
	}
	return true;
}

/**
 * child_link_number - how the owner is told of a thread's link
 * @t: the thread
 *
 * Return: 0 if it has none
 */
int child_link_number(const struct hijack_thread *t)
{
	return t->link ? t->link - share->link + 1 : 0;
}

/**
 * child_open_link - have a link for a thread
 * @t: the thread: its @link, and its @eventfd if it has none
 * @from: a link of this process's: its calls begin where that thread is; NULL:
 *	where the process's do
 *
 * Return: 0 or a negative error number
 */
long child_open_link(struct hijack_thread *t, const struct share_link *from)
{
	struct share_message message = { .what = SHARE_OPEN };
	struct share_link *link = share->link;
	long err, fd;
	int none = 0;

	if (!t->eventfd) {
		fd = fd_own(host2(SYS_eventfd2, 0, EFD_NONBLOCK | EFD_CLOEXEC));
		if (fd < 0)
			return fd;
		t->eventfd = fd + 1;
	}
	while (link->used || !__atomic_compare_exchange_n(
				     &link->used, &none, 1, false,
				     __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		none = 0;
		if (++link == share->link + SHARE_LINKS)
			return -ENFILE;
	}
	link->tid = 0;
	message.index = link - share->link;
	message.from = from ? from - share->link + 1 : 0;
	err = share_send_message(child_control, &message, t->eventfd - 1);
	if (err || !child_await(&link->word, 0))
		err = -ENETDOWN;
	else if (link->word & FUTEX_OWNER_DIED)
		err = -ENOMEM;
	else
		t->link = link;
	if (err) {
		link->word = 0;
		__atomic_store_n(&link->used, 0, __ATOMIC_SEQ_CST);
	}
	return err;
}

/* Wait until a link's word changes; whether a signal has come before. */
static bool await_answer(struct share_link *link, uint32_t word,
			 bool interrupted)
{
	const struct timespec time = { .tv_nsec = LOOK_NS };
	/* While the kernel moves, only the socket tells that it has ended. */
	bool moves = !(word & FUTEX_TID_MASK);

	if (moves && share_is_alone()) {
		__atomic_fetch_or(&link->word, FUTEX_OWNER_DIED,
				  __ATOMIC_SEQ_CST);
		return false;
	}
	if (!interrupted)
		return lkl_host_ops.wait((int *)&link->word, word,
					 moves ? lkl_host_ops.time() + LOOK_NS
					       : 0) == -EINTR;
	share_wait(&link->word, word, moves ? &time : NULL);
	return false;
}

/**
 * child_transact - have a call made whose arguments are complete
 * @link: the thread's
 * @nr: number
 * @a: arguments; what they point to is in the link
 *
 * Return: the result, -ENETDOWN when the owner has ended
 */
long child_transact(struct share_link *link, long nr, const long *a)
{
	uint32_t word = __atomic_load_n(&link->word, __ATOMIC_SEQ_CST);
	bool interrupted = false;

	link->nr = nr;
	copy(link->arg, a, sizeof(link->arg));
	link->number++;
	/* Its server may become another one meanwhile. */
	do {
		if (word & FUTEX_OWNER_DIED)
			return -ENETDOWN;
	} while (!__atomic_compare_exchange_n(
		&link->word, &word, word | FUTEX_WAITERS, false,
		__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	share_wake(&link->word);
	for (;;) {
		word = __atomic_load_n(&link->word, __ATOMIC_SEQ_CST);
		if (word & FUTEX_OWNER_DIED)
			return -ENETDOWN;
		if (!(word & FUTEX_WAITERS))
			return link->ret;
		if (await_answer(link, word, interrupted)) {
			interrupted = true;
			__atomic_store_n(&link->interrupt, link->number,
					 __ATOMIC_SEQ_CST);
			share_send(child_control, SHARE_INTERRUPT, 0, -1);
		}
	}
}

/* The thread's link, which is used until child_done(). */
long child_enter(struct hijack_thread *t)
{
	long err;

	if (t->busy)
		return -EDEADLK;
	t->busy = true;
	/* It may be of another kernel's. */
	if ((unsigned long)t->link - (unsigned long)share >= sizeof(*share))
		t->link = NULL;
	err = child_number < 0 ? -ENETDOWN
	      : t->link	       ? 0
			       : child_open_link(t, NULL);
	if (err)
		t->busy = false;
	else if (unlikely(!t->link->tid))
		t->link->tid = own_call3(SYS_gettid, 0, 0, 0);
	return err;
}

long child_done(struct hijack_thread *t, long ret)
{
	int sig = t->link->raised;

	t->busy = false;
	if (unlikely(sig)) {
		t->link->raised = 0;
		own_call3(SYS_tgkill, own_call3(SYS_getpid, 0, 0, 0),
			  own_call3(SYS_gettid, 0, 0, 0), sig);
	}
	return ret;
}

/**
 * share_control - what hangs up when the process ends that has the kernel
 *
 * Return: a descriptor; -1 if that is this process, or if there is none
 */
long share_control(void)
{
	return child_number < 0 ? -1 : child_control;
}

/**
 * share_is_alone - has the process ended that has the kernel?
 */
bool share_is_alone(void)
{
	struct pollfd fd = { child_control, 0, 0 };

	return child_number >= 0 &&
	       raw_syscall(SYS_poll, (long)&fd, 1, 0, 0, 0, 0) > 0;
}

/**
 * share_bye - this process ends
 *
 * If there is but a kernel without a program, it is the last that knows when
 * that has ended.
 */
void share_bye(void)
{
	struct pollfd fd = { child_control, 0, 0 };

	if (child_number >= 0 && share->apart && !numbers_is_sandboxed() &&
	    !share_send(child_control, SHARE_BYE, 0, -1))
		raw_syscall(SYS_poll, (long)&fd, 1, BYE_MS, 0, 0, 0);
}

/**
 * share_reach - have a link, while the thread can make one
 *
 * Return: whether it has one
 */
bool share_reach(void)
{
	struct hijack_thread *t = hijack_thread();

	return child_number >= 0 && !child_enter(t) && !child_done(t, 0);
}

/**
 * share_tell_cred - have the owner look at the credentials of this process
 */
void share_tell_cred(void)
{
	uint32_t seen;

	if (child_number < 0)
		return;
	seen = __atomic_load_n(&share->creds, __ATOMIC_SEQ_CST);
	if (!share_send(child_control, SHARE_CRED, 0, -1))
		child_await(&share->creds, seen);
}

/**
 * share_thread_exit - a thread ends
 */
void share_thread_exit(void)
{
	child_close_link(hijack_thread());
}

/**
 * child_close_link - a thread's link is not used any more
 * @t: the thread
 */
void child_close_link(struct hijack_thread *t)
{
	struct share_link *link = t->link;

	if (!link)
		return;
	t->link = NULL;
	link->nr = SHARE_END;
	__atomic_fetch_or(&link->word, FUTEX_WAITERS, __ATOMIC_SEQ_CST);
	share_wake(&link->word);
}
