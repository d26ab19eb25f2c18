// SPDX-License-Identifier: GPL-2.0-only
/*
 * epoll_wait(): a look into the shadow, and a sleep in the host.
 */
#include "wait.h"

/* How often epoll_wait() returns files of the library without a look at the
 * host's. */
#define EPOLL_STREAK 8

static const struct timespec zero;

/* What the shadow has ready. */
static long shadow_take(struct epoll *e, struct epoll_event *events, long max)
{
	return lkl6(SYS_epoll_wait, e->file.fd, (long)events, max, 0, 0, 0);
}

/* Take the shadow's event from what the host has returned. */
static long epoll_without_event(struct epoll *e, struct epoll_event *events,
				long n)
{
	long i;

	for (i = 0; i < n; i++) {
		if (events[i].data.u64 != e->tag)
			continue;
		__atomic_store_n(&e->rung, 0, __ATOMIC_SEQ_CST);
		memmove(&events[i], &events[i + 1],
			(n - i - 1) * sizeof(*events));
		return n - 1;
	}
	return n;
}

static long epoll_host(long fd, struct epoll_event *events, long max,
		       const struct timespec *time, const void *mask)
{
	static int no_pwait2;
	long n = -ENOSYS;

	if (!no_pwait2) {
		n = host_wait_syscall(SYS_epoll_pwait2, fd, (long)events, max,
				      (long)time, (long)mask, MASK_SIZE);
		no_pwait2 = n == -ENOSYS;
	}
	if (n == -ENOSYS)
		n = host_wait_syscall(SYS_epoll_pwait, fd, (long)events, max,
				      time ? time->tv_sec * 1000 +
						      (time->tv_nsec + 999999) /
							      1000000
					   : -1,
				      (long)mask, MASK_SIZE);
	return n;
}

/*
 * Become the library's listener while sleeping.  A signal handler waits for the
 * end of that, as it could be left for good; so none of another mask can be let
 * in.
 */
static bool become_listener(struct epoll *e, const void *mask)
{
	struct hijack_thread *t = hijack_thread();

	if (mask)
		return false;
	t->busy = true;
	if (lkl_listen_begin(e->self))
		return true;
	t->busy = false;
	return false;
}

static void stop_listening(void)
{
	lkl_listen_end();
	hijack_thread()->busy = false;
}

static void receive_now(void)
{
	struct hijack_thread *t = hijack_thread();

	t->busy = true;
	lkl_listen_now();
	t->busy = false;
}

static long do_epoll(long fd, struct epoll *e, struct epoll_event *events,
		     long max, const struct timespec *time, const void *mask)
{
	struct deadline deadline = { 0 };
	struct timespec left;
	bool first = true, stolen = false, listens;
	long n, m, before;

	if (max <= 0)
		return -EINVAL;
	for (;;) {
		bool sleeps = !time || time->tv_sec || time->tv_nsec;

		if (sleeps)
			__atomic_add_fetch(&e->sleepers, 1, __ATOMIC_SEQ_CST);
		if (e->awake)
			receive_now();
		n = shadow_take(e, events, max);
		e->awake = n > 0;
		if (n) {
			if (sleeps)
				__atomic_sub_fetch(&e->sleepers, 1,
						   __ATOMIC_SEQ_CST);
			if (n < 0)
				return n;
			if (n == max || (e->streak++ < EPOLL_STREAK && !mask)) {
				break;
			}
			e->streak = 0;
			before = n;
			m = epoll_host(fd, events + n, max - n, &zero, mask);
			if (m > 0)
				n += epoll_without_event(e, events + n, m);
			stolen = m > 0 && n < before + m;
			break;
		}
		if (e->nested) {
			/* Nothing is ready, and the event has to say so. */
			__atomic_store_n(&e->rung, 0, __ATOMIC_SEQ_CST);
			event_quiet(e->event);
			if (epoll_is_ready(e))
				epoll_ring(e, e->event);
		}
		if (first && sleeps && time)
			deadline = deadline_in(time);
		first = false;
		listens = sleeps && become_listener(e, mask);
		m = listens ? lkl_listen_wait(time)
			    : epoll_host(fd, events, max, time, mask);
		if (sleeps)
			__atomic_sub_fetch(&e->sleepers, 1, __ATOMIC_SEQ_CST);
		if (listens) {
			stop_listening();
			if (m > 0)
				m = epoll_host(fd, events, max, &zero, mask);
		}
		if (m < 0 || (!m && !listens))
			return m;
		before = m;
		m = epoll_without_event(e, events, m);
		if (m < before && m < max) {
			n = shadow_take(e, events + m, max - m);
			if (n > 0)
				m += n;
		}
		if (m) {
			n = m;
			break;
		}
		if (!sleeps)
			return 0;
		if (time)
			time = time_left(&deadline, &left);
	}
	/*
	 * There may be more than fits, or more since the shadow was looked
	 * into, and others who wait for it.
	 */
	if ((n == max || stolen) &&
	    __atomic_load_n(&e->sleepers, __ATOMIC_SEQ_CST) &&
	    epoll_is_ready(e))
		epoll_ring(e, e->event);
	return n;
}

/* The shadow of an epoll that has one. */
static struct epoll *shadow_of(long fd)
{
	uint32_t word = fd_word(fd);

	if (!(word & FD_EPOLL) ||
	    __atomic_load_n(&to_epoll(word)->state, __ATOMIC_ACQUIRE) !=
		    EPOLL_SHADOW)
		return NULL;
	return to_epoll(word);
}

static long epoll_ms(long nr, const long *a, const void *mask)
{
	struct timespec time = {
		.tv_sec = (int)a[3] / 1000,
		.tv_nsec = (int)a[3] % 1000 * 1000000L,
	};
	struct epoll *e = shadow_of(a[0]);

	if (!e)
		return host_call(nr, a);
	return do_epoll(a[0], e, (void *)a[1], (int)a[2],
			(int)a[3] < 0 ? NULL : &time, mask);
}

long wait_epoll_wait(long nr, const long *a)
{
	return epoll_ms(nr, a, NULL);
}

long wait_epoll_pwait(long nr, const long *a)
{
	return epoll_ms(nr, a, (void *)a[4]);
}

long wait_epoll_pwait2(long nr, const long *a)
{
	const struct timespec *time = (void *)a[3];
	struct epoll *e = shadow_of(a[0]);

	if (!e)
		return host_call(nr, a);
	if (bad_time(time))
		return -EINVAL;
	return do_epoll(a[0], e, (void *)a[1], (int)a[2], time, (void *)a[4]);
}
