// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting for descriptors of the host and of the library at once.
 *
 * A thread sleeps in the host, and in nothing but the host's poll() or epoll:
 * so timeouts, signals and signal masks are the host's business.  For the
 * library's files there is an event (eventfd) among what the host waits for,
 * which the library's kernel writes to when one of them may have become ready
 * (asm/watch.h).
 *
 * poll() and select() put a watch on the files before they sleep and take it
 * away afterwards.  Each thread has one watch and one event.
 *
 * An epoll of the host whose set has a file of the library gets a shadow: an
 * epoll in the library's kernel that has those files.  So level, edge, one-shot
 * and exclusive are what the kernel makes of them.  epoll_wait() looks into the
 * shadow first and sleeps on the host's, in which the shadow's event is.  The
 * event is written to only while a thread sleeps, and as it is edge-triggered,
 * it need not be read.  A thread that sleeps so may also be the one that
 * receives for the library (host/linux/listen.c).  Only when the epoll is
 * itself waited for (nested, or in a poll()), the event is level-triggered, and
 * tells whether the shadow has something.
 */
#include <sys/eventfd.h>

#include "wait.h"

static unsigned long long now(void)
{
	return lkl_host_ops.time();
}

void event_ring(int fd)
{
	static const uint64_t one = 1;

	own_call3(SYS_write, fd, &one, sizeof(one));
}

void event_quiet(int fd)
{
	uint64_t count;

	own_call3(SYS_read, fd, &count, sizeof(count));
}

long event_new(void)
{
	return fd_own(host2(SYS_eventfd2, 0, EFD_NONBLOCK | EFD_CLOEXEC));
}

struct deadline deadline_in(const struct timespec *time)
{
	struct deadline d = { .forever = !time };

	if (time && (time->tv_sec || time->tv_nsec))
		d.at = time->tv_sec > INT32_MAX
			       ? UINT64_MAX
			       : now() + time->tv_sec * 1000000000ULL +
					 time->tv_nsec;
	return d;
}

struct timespec *time_left(const struct deadline *d, struct timespec *left)
{
	unsigned long long t;

	if (d->forever)
		return NULL;
	left->tv_sec = left->tv_nsec = 0;
	t = d->at ? now() : 0;
	if (t < d->at) {
		left->tv_sec = (d->at - t) / 1000000000;
		left->tv_nsec = (d->at - t) % 1000000000;
	}
	return left;
}

long watch_call(long (*fn)(void *), struct lkl_watch *watch)
{
	long ret = lkl_kernel_call(fn, watch);

	return unlikely(ret == -ENOSYS) && !lkl_kernel_boots()
		       ? share_watch(fn, watch)
		       : ret;
}
