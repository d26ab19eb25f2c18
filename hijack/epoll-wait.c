// SPDX-License-Identifier: GPL-2.0-only
/*
 * epoll_wait(): a look into the shadow, and a sleep in the host.
 *
 * A thread that sleeps in an epoll without a shadow may find that it has got
 * one meanwhile: the event in the host's set wakes it, too.
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

/* Take the shadow's events from what the host has returned. */
static long without_event(struct epoll *e, struct epoll_event *events, long n)
{
	struct epoll_event ev;
	long i, kept = 0;

	for (i = 0; i < n && user_get(&ev, (long)&events[i], sizeof(ev)); i++) {
		if (ev.data.u64 == e->tag)
			continue;
		if (kept < i)
			user_put((long)&events[kept], &ev, sizeof(ev));
		kept++;
	}
	if (kept == n)
		return n;
	__atomic_store_n(&e->rung, 0, __ATOMIC_SEQ_CST);
	return kept + n - i;
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

/*
 * Sleepers hold on to the epoll, as another thread may close it.  One that left
 * its call by longjmp() has not released it.
 */
static void sleep_forget(struct hijack_thread *t)
{
	if (__atomic_exchange_n(&t->sleep, NULL, __ATOMIC_RELAXED))
		epoll_leave(t->sleeps_in, EPOLL_SLEEPER);
}

static void sleep_begin(struct hijack_thread *t, struct epoll *e, void *where)
{
	if (unlikely(t->sleep))
		sleep_forget(t);
	__atomic_add_fetch(&e->users, EPOLL_SLEEPER, __ATOMIC_SEQ_CST);
	t->sleeps_in = e;
	t->sleep = where;
}

/* Is the thread still in the same epoll_wait()? */
static bool sleep_goes_on(struct hijack_thread *t, void *where)
{
	return __atomic_load_n(&t->sleep, __ATOMIC_RELAXED) == where;
}

/**
 * wait_epoll_exit - a thread ends
 */
void wait_epoll_exit(void)
{
	sleep_forget(hijack_thread());
}

/**
 * struct wait - an epoll_wait()
 * @e: the epoll
 * @events: where to, and
 * @max: how many at most
 * @time: how long, NULL without a limit
 * @mask: signal mask meanwhile, or NULL
 * @nr: the call as the program made it, with
 * @a: its arguments
 */
struct wait {
	struct epoll *e;
	struct epoll_event *events;
	long max;
	const struct timespec *time;
	const void *mask;
	long nr;
	const long *a;
};

/* What the shadow has, and also the host, every now and then; 0 is nothing. */
static long take_now(const struct wait *w, bool *stolen)
{
	struct epoll *e = w->e;
	long n, m, left;

	if (e->awake)
		receive_now();
	n = shadow_take(e, w->events, w->max);
	e->awake = n > 0;
	if (n <= 0 || n == w->max || (e->streak++ < EPOLL_STREAK && !w->mask))
		return n;
	e->streak = 0;
	m = epoll_host(e->self, w->events + n, w->max - n, &zero, w->mask);
	if (m <= 0)
		return n;
	left = without_event(e, w->events + n, m);
	*stolen = left < m;
	return n + left;
}

/*
 * Sleep.  Returns what the host's call does: -EINTR when a signal handler has
 * slept itself.
 */
static long sleep_in_host(const struct wait *w, bool sleeps,
			  const struct timespec *time, bool *listened)
{
	struct epoll *e = w->e;
	long m;

	*listened = false;
	if (unlikely(!epoll_has_shadow(e)))
		return host_call(w->nr, w->a);
	if (e->nested)
		epoll_refresh();
	*listened = sleeps && become_listener(e, w->mask);
	if (!*listened)
		return epoll_host(e->self, w->events, w->max, time, w->mask);
	m = lkl_listen_wait(time);
	stop_listening();
	if (m > 0)
		m = epoll_host(e->self, w->events, w->max, &zero, w->mask);
	return m;
}

static bool is_zero(const struct timespec *time)
{
	return time && !time->tv_sec && !time->tv_nsec;
}

static long do_wait(const struct wait *w)
{
	struct hijack_thread *t = hijack_thread();
	const struct timespec *time = w->time;
	bool sleeps = !is_zero(time);
	struct deadline deadline = { 0 };
	bool stolen = false, listened, asleep;
	struct epoll *e = w->e;
	struct timespec left;
	long n, m;

	if (w->max <= 0)
		return -EINVAL;
	/* What is ready already needs no sleeper. */
	n = epoll_has_shadow(e) ? take_now(w, &stolen) : 0;
	asleep = !n && sleeps;
	if (asleep)
		sleep_begin(t, e, &deadline);
	while (!n) {
		if (sleeps && epoll_has_shadow(e)) {
			n = take_now(w, &stolen);
			if (n)
				break;
		}
		if (sleeps && time && !deadline.at)
			deadline = deadline_in(time);
		n = sleep_in_host(w, sleeps && !is_zero(time), time, &listened);
		if (sleeps && !sleep_goes_on(t, &deadline))
			return n < 0 ? n : -EINTR;
		if (n < 0 || (!n && !listened) || !epoll_has_shadow(e))
			break;
		m = n;
		n = without_event(e, w->events, m);
		if (n < m && n < w->max) {
			m = shadow_take(e, w->events + n, w->max - n);
			if (m > 0 || !n)
				n += m;
		}
		if (n || !sleeps)
			break;
		if (time)
			time = time_left(&deadline, &left);
	}
	/*
	 * There may be more than fits, or more since the shadow was looked
	 * into, and other threads that wait for it.
	 */
	if (n > 0 && (n == w->max || stolen) && epoll_has_shadow(e) &&
	    epoll_sleepers(e) > asleep && epoll_is_ready(e))
		epoll_ring(e, e->event);
	if (asleep)
		sleep_forget(t);
	return n;
}

/*
 * epoll_wait() on something.  The program's structures are here.
 */
static long wait_in(long nr, const long *a, const struct timespec *time,
		    const void *mask)
{
	uint32_t word = fd_word(a[0]);
	struct wait w = {
		.events = (void *)a[1],
		.max = (int)a[2],
		.time = time,
		.mask = mask,
		.nr = nr,
		.a = a,
	};
	long ret;

	if (unlikely(epolls_nested))
		epoll_refresh();
	if (unlikely(!(word & FD_EPOLL))) {
		ret = host_call(nr, a);
		return ret == -EBADF && word & FD_LKL ? -EINVAL : ret;
	}
	w.e = to_epoll(word);
	if (!epoll_has_shadow(w.e) && time) {
		if (!time->tv_sec && !time->tv_nsec)
			return host_call(nr, a);
		/* Only a thread that is going to sleep has to know the time. */
		ret = epoll_host(a[0], w.events, w.max, &zero, mask);
		if (ret)
			return ret;
	}
	return do_wait(&w);
}

static long wait_ms(long nr, const long *a, const void *mask)
{
	struct timespec time = {
		.tv_sec = (int)a[3] / 1000,
		.tv_nsec = (int)a[3] % 1000 * 1000000L,
	};

	return wait_in(nr, a, (int)a[3] < 0 ? NULL : &time, mask);
}

long wait_epoll_wait(long nr, const long *a)
{
	return wait_ms(nr, a, NULL);
}

long wait_epoll_pwait(long nr, const long *a)
{
	unsigned long mask;

	/* What is wrong the host says. */
	if (!get_mask(&mask, a[4], a[5]))
		return host_call(nr, a);
	return wait_ms(nr, a, a[4] ? &mask : NULL);
}

long wait_epoll_pwait2(long nr, const long *a)
{
	struct timespec time;
	unsigned long mask;

	if (!get_time(&time, a[3]) || !get_mask(&mask, a[4], a[5]))
		return host_call(nr, a);
	return wait_in(nr, a, a[3] ? &time : NULL, a[4] ? &mask : NULL);
}
