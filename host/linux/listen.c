// SPDX-License-Identifier: GPL-2.0-only
/*
 * The listener: a thread of the application that has to wait anyway, and
 * receives for the network devices meanwhile.
 *
 * Each device has a thread that sleeps until there are frames.  To receive an
 * answer means then to wake two threads: that one, and the one that wants the
 * answer.  If the latter sleeps in the devices' descriptors itself, the host
 * wakes no other thread: both have them in epolls with EPOLLEXCLUSIVE, and the
 * host asks these in the order in which they were made, and takes the first in
 * which somebody sleeps.
 *
 * There is one listener at a time.  It sleeps in an epoll that has the devices'
 * descriptors, an event by which it is woken, and, if it waits in an epoll of
 * the program's, that one.
 *
 * Some devices' frames come through memory.  The listener looks there for a
 * moment before it sleeps: the other side need not wake it then, which between
 * processors takes as long as dozens of calls.  No handler runs meanwhile, as
 * nobody else is told of frames.  Each look in vain doubles the number of waits
 * that sleep at once, each other one halves it.
 *
 * epoll_wait() ends with EINTR after any handler, a call with SA_RESTART must
 * not end.  Which handler has run cannot be known, only which there are.  If
 * some are with SA_RESTART and some without, the call ends, as the program must
 * expect, and from then on no call listens any more, but waits for a futex,
 * which the host knows how to end.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <lkl/asm/host_ops.h>
#include <lkl_host.h>

#include "freeze.h"
#include "linux.h"

#define array_size(a) (sizeof(a) / sizeof(*(a)))

/* What there is to watch: devices' descriptors are sources, these are not. */
static char woken, program;

static int epoll_fd = -1;
static int event_fd;
static int sources;

static const struct timespec now;

static bool listening;
/* Counts the listeners. */
static unsigned int listeners;
/* What the listener waits for. */
static int *listener_word;
/* Threads that may be about to write to event_fd. */
static int ringers;
static int program_fd = -1;

static bool futexes_only;

/* How long to look, in ns: until one that sleeps has been woken and has
 * answered; and the most waits in a row that do not. */
#define LOOK_NS 50000
#define LOOK_SKIP 64

/* Sources that can be looked at, and how many. */
static struct listen_source *looked_at[8];
static unsigned int lookers;
static unsigned int look_backoff, look_skip;

long (*lkl_listen_syscall)(long nr, long a, long b, long c, long d, long e,
			   long f) = raw_syscall;

/* Held to add and remove sources, by threads of devices. */
static int changing;

static void lock(void)
{
	while (__atomic_exchange_n(&changing, 1, __ATOMIC_ACQUIRE))
		linux_relax();
}

static void unlock(void)
{
	__atomic_store_n(&changing, 0, __ATOMIC_RELEASE);
}

/* What the listener has to receive from. */
static struct listen_source *ready[8];
static int n_ready;

static bool watch(int op, int fd, unsigned int events, void *what)
{
	struct epoll_event event = { .events = events, .data.ptr = what };

	return !raw_syscall(__NR_epoll_ctl, epoll_fd, op, fd, (long)&event, 0,
			    0);
}

static void replace(struct listen_source *old, struct listen_source *new)
{
	unsigned int i;

	for (i = 0; i < array_size(looked_at); i++) {
		struct listen_source *expected = old;

		if (__atomic_compare_exchange_n(&looked_at[i], &expected, new,
						false, __ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST)) {
			__atomic_add_fetch(&lookers, new ? 1 : -1,
					   __ATOMIC_SEQ_CST);
			break;
		}
	}
}

static bool watch_source(struct listen_source *source)
{
	if (!watch(EPOLL_CTL_ADD, source->fd,
		   EPOLLIN | EPOLLEXCLUSIVE | (source->edge ? EPOLLET : 0),
		   source))
		return false;
	if (source->look)
		replace(NULL, source);
	return true;
}

/* Returns -errno or whether the program's epoll has something. */
static long sleep_until(const struct timespec *time, const unsigned long *mask)
{
	struct epoll_event events[array_size(ready)];
	long i, n = lkl_listen_syscall(__NR_epoll_pwait2, epoll_fd,
				       (long)events, array_size(events),
				       (long)time, (long)mask, SIGNAL_SIZE);
	bool programs = false;

	for (i = 0; i < n; i++) {
		if (events[i].data.ptr == &program) {
			programs = true;
		} else if (events[i].data.ptr != &woken) {
			ready[n_ready] = events[i].data.ptr;
			ready[n_ready++]->failed = events[i].events &
						   (EPOLLERR | EPOLLHUP);
		}
	}
	return n < 0 ? n : programs;
}

static bool is_ready(const struct listen_source *source)
{
	int i;

	for (i = 0; i < n_ready; i++)
		if (ready[i] == source)
			return true;
	return false;
}

/* Returns whether there is something to receive. */
static bool look(bool again)
{
	unsigned int i;

	for (i = 0; i < array_size(looked_at); i++) {
		struct listen_source *source =
			__atomic_load_n(&looked_at[i], __ATOMIC_SEQ_CST);

		if (source && !is_ready(source) &&
		    source->look(source, again)) {
			source->failed = false;
			ready[n_ready++] = source;
		}
	}
	return n_ready;
}

/* Look until there is something, or @word is not @val; returns whether that
 * was soon, and before @deadline. */
static bool look_for_some(const int *word, int val, unsigned long long deadline)
{
	unsigned long long end;
	unsigned long mask;
	bool found, in_time;

	if (!__atomic_load_n(&lookers, __ATOMIC_RELAXED))
		return false;
	if (look_skip) {
		look_skip--;
		return false;
	}
	if (linux_cpus() < 2)
		return false;
	mask = posix_block_handlers();
	end = posix_time() + LOOK_NS;
	if (deadline && deadline < end)
		end = deadline;
	do {
		found = look(true) ||
			__atomic_load_n(word, __ATOMIC_SEQ_CST) != val;
		in_time = posix_time() < end;
	} while (!found && in_time);
	/* Those that had nothing tell of it again. */
	found |= look(false);
	posix_admit_handlers(mask);
	look_backoff = in_time ? look_backoff / 2 : look_backoff * 2 + 1;
	if (look_backoff > LOOK_SKIP)
		look_backoff = LOOK_SKIP;
	look_skip = look_backoff;
	return found;
}

static bool add(struct listen_source *source)
{
	if (!sources) {
		epoll_fd = epoll_create1(EPOLL_CLOEXEC);
		event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (epoll_fd < 0 || event_fd < 0 ||
		    !watch(EPOLL_CTL_ADD, event_fd, EPOLLIN | EPOLLET,
			   &woken) ||
		    sleep_until(&now, NULL) == -ENOSYS)
			goto err;
	}
	if (!watch_source(source))
		goto err;
	__atomic_store_n(&sources, sources + 1, __ATOMIC_SEQ_CST);
	return true;
err:
	if (!sources) {
		close(epoll_fd);
		close(event_fd);
	}
	return false;
}

bool listen_add(struct listen_source *source)
{
	bool added;

	lock();
	added = add(source);
	unlock();
	return added;
}

void listen_pause(struct listen_source *source)
{
	watch(EPOLL_CTL_DEL, source->fd, 0, NULL);
	if (source->look)
		replace(source, NULL);
}

void listen_resume(struct listen_source *source)
{
	watch_source(source);
}

static void forget_listener(void)
{
	n_ready = 0;
	ringers = 0;
	listener_word = NULL;
	listening = false;
}

void host_reset(void)
{
	linux_frozen_forget();
	/* A fork may have come in the middle. */
	changing = 0;
	if (!sources)
		return;
	/* The descriptors' numbers may be of other files by now. */
	sources = 0;
	memset(looked_at, 0, sizeof(looked_at));
	lookers = 0;
	program_fd = -1;
	forget_listener();
}

void listen_forked(void)
{
	changing = 0;
	lkl_listen_forget(program_fd);
	forget_listener();
}

static void ring(void)
{
	static const unsigned long long one = 1;

	raw_syscall(__NR_write, event_fd, (long)&one, sizeof(one), 0, 0, 0);
}

static void forget(struct listen_source *source)
{
	unsigned int now;

	listen_pause(source);
	__atomic_store_n(&sources, sources - 1, __ATOMIC_SEQ_CST);
	/* The listener may have got an event of it already. */
	now = __atomic_load_n(&listeners, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&listening, __ATOMIC_SEQ_CST) &&
	       __atomic_load_n(&listeners, __ATOMIC_SEQ_CST) == now) {
		ring();
		linux_relax();
	}
	if (sources)
		return;
	/* Its number may be of another file as soon as it is closed. */
	while (__atomic_load_n(&ringers, __ATOMIC_SEQ_CST))
		linux_relax();
	close(epoll_fd);
	close(event_fd);
	program_fd = -1;
}

void listen_remove(struct listen_source *source)
{
	lock();
	forget(source);
	unlock();
}

/* Does a call end because a signal handler has run? */
static bool ends_call(const struct lkl_signals *signals)
{
	unsigned long blocked = 0, end, restart;

	if (signals)
		blocked = signals->before;
	else
		raw_syscall(__NR_rt_sigprocmask, SIG_BLOCK, 0, (long)&blocked,
			    SIGNAL_SIZE, 0, 0);
	posix_handlers(&end, &restart);
	end &= ~blocked;
	futexes_only |= end && restart & ~blocked;
	return end;
}

static bool begin(void)
{
	/* A forked child has a copy of it all, and no kernel. */
	if (!__atomic_load_n(&sources, __ATOMIC_RELAXED) ||
	    !lkl_kernel_boots() ||
	    __atomic_exchange_n(&listening, true, __ATOMIC_SEQ_CST))
		return false;
	if (__atomic_load_n(&sources, __ATOMIC_SEQ_CST))
		return true;
	lkl_listen_end();
	return false;
}

int listen_begin(void)
{
	return !futexes_only && begin();
}

int listen_wait(int *word, int val, unsigned long long deadline,
		struct lkl_signals *signals)
{
	unsigned long mask;
	struct timespec time;
	long ret = 0;

	if (look_for_some(word, val, deadline))
		return 0;
	if (deadline) {
		unsigned long long now = posix_time();

		now = deadline > now ? deadline - now : 0;
		time.tv_sec = now / 1000000000;
		time.tv_nsec = now % 1000000000;
	}
	if (signals)
		mask = posix_held_mask(signals);
	else
		host_admit_faults();
	__atomic_store_n(&listener_word, word, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(word, __ATOMIC_SEQ_CST) == val)
		ret = sleep_until(deadline ? &time : NULL,
				  signals ? &mask : NULL);
	__atomic_store_n(&listener_word, NULL, __ATOMIC_SEQ_CST);
	/* Nobody waits in that one any more. */
	if (ret > 0)
		lkl_listen_forget(program_fd);
	return ret == -EINTR && ends_call(signals) ? -EINTR : 0;
}

bool listen_wake(int *word)
{
	bool listens;

	if (__atomic_load_n(&listener_word, __ATOMIC_SEQ_CST) != word)
		return false;
	__atomic_fetch_add(&ringers, 1, __ATOMIC_SEQ_CST);
	/* There are no listeners any more when listen_remove() looks at that.
	 */
	listens = __atomic_load_n(&listener_word, __ATOMIC_SEQ_CST) == word;
	if (listens)
		ring();
	__atomic_fetch_sub(&ringers, 1, __ATOMIC_SEQ_CST);
	return listens;
}

void lkl_listen_end(void)
{
	while (n_ready) {
		struct listen_source *source = ready[--n_ready];

		source->receive(source);
	}
	__atomic_fetch_add(&listeners, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&listening, false, __ATOMIC_SEQ_CST);
}

void lkl_listen_now(void)
{
	if (!begin())
		return;
	sleep_until(&now, NULL);
	lkl_listen_end();
}

bool lkl_listen_begin(int epoll)
{
	if (!begin())
		return false;
	if (program_fd == epoll)
		return true;
	lkl_listen_forget(program_fd);
	if (watch(EPOLL_CTL_ADD, epoll, EPOLLIN, &program)) {
		__atomic_store_n(&program_fd, epoll, __ATOMIC_SEQ_CST);
		return true;
	}
	lkl_listen_end();
	return false;
}

long lkl_listen_wait(const struct timespec *time)
{
	return sleep_until(time, NULL);
}

void lkl_listen_forget(int epoll)
{
	if (epoll >= 0 &&
	    __atomic_compare_exchange_n(&program_fd, &epoll, -1, false,
					__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		watch(EPOLL_CTL_DEL, epoll, 0, NULL);
}
