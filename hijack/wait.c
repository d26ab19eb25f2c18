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
 * event is written to only while somebody sleeps, and as it is edge-triggered,
 * nobody needs to read it.  A thread that sleeps so may also be the one that
 * receives for the library (host/posix/listen.c).  Only when the epoll is
 * itself waited for (nested, or in a poll()), the event is level-triggered, and
 * tells whether the shadow has something.
 */
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <time.h>

#include "share.h"

/* The kernel's size of a signal mask. */
#define MASK_SIZE 8

/* How often epoll_wait() returns files of the library without a look at the
 * host's. */
#define EPOLL_STREAK 8

static const struct timespec zero;

static unsigned long long now(void)
{
	return lkl_host_ops.time();
}

static void ring(int fd)
{
	static const uint64_t one = 1;

	own_call3(SYS_write, fd, &one, sizeof(one));
}

static void quiet(int fd)
{
	uint64_t count;

	own_call3(SYS_read, fd, &count, sizeof(count));
}

static long new_event(void)
{
	return fd_own(host2(SYS_eventfd2, 0, EFD_NONBLOCK | EFD_CLOEXEC));
}

/*
 * A deadline from a time to wait, none if that is negative.  0 is "do not
 * wait", and also the deadline of who does not know any.
 */
struct deadline {
	bool forever;
	unsigned long long at;
};

static struct deadline deadline_in(const struct timespec *time)
{
	struct deadline d = { .forever = !time };

	if (time && (time->tv_sec || time->tv_nsec))
		d.at = time->tv_sec > INT32_MAX
			       ? UINT64_MAX
			       : now() + time->tv_sec * 1000000000ULL +
					 time->tv_nsec;
	return d;
}

/* Time that is left; NULL for ever. */
static struct timespec *time_left(const struct deadline *d,
				  struct timespec *left)
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

static bool bad_time(const struct timespec *t)
{
	return t && (t->tv_sec < 0 || t->tv_nsec < 0 || t->tv_nsec > 999999999);
}

/*
 * poll() and select()
 */

static void poll_notify(struct lkl_watch *watch)
{
	struct hijack_thread *t =
		(void *)((char *)watch - offsetof(struct hijack_thread, watch));

	ring(t->eventfd - 1);
}

/* Run one of the watch's functions. */
static long watch_call(long (*fn)(void *), struct lkl_watch *watch)
{
	long ret = lkl_kernel_call(fn, watch);

	return unlikely(ret == -ENOSYS) && !lkl_kernel_boots()
		       ? share_watch(fn, watch)
		       : ret;
}

static void poll_stop(struct hijack_thread *t)
{
	if (!t->watching)
		return;
	t->watching = 0;
	watch_call(lkl_watch_stop, &t->watch);
}

/**
 * wait_thread_exit - a thread ends
 */
void wait_thread_exit(void)
{
	struct hijack_thread *t = hijack_thread();

	t->watch.count = 0;
	poll_stop(t);
	if (t->eventfd)
		fd_forget(t->eventfd - 1);
	t->eventfd = 0;
}

static void epoll_nest(uint32_t word);

/*
 * Sleep in the host until one of @n descriptors of either side is ready.  Those
 * of the library are also in @files; @fds has room for one more.
 */
static long poll_mixed(struct pollfd *fds, unsigned int n,
		       struct lkl_watch_file *files, unsigned int count,
		       const struct deadline *deadline, const void *mask)
{
	struct hijack_thread *t = hijack_thread();
	struct timespec left, *time;
	long ready, ret;

	/* Somebody else's, who was interrupted and will not sleep again. */
	t->watch.count = 0;
	poll_stop(t);
	if (!t->eventfd) {
		ret = new_event();
		if (ret < 0)
			return ret;
		t->eventfd = ret + 1;
	}
	/* A sandboxed process may be allowed to wait for one, and no more. */
	if (count == n) {
		fds += n;
		n = 0;
	}
	fds[n] = (struct pollfd){ .fd = t->eventfd - 1, .events = POLLIN };

	for (;;) {
		t->watch = (struct lkl_watch){
			.notify = poll_notify,
			.files = files,
			.count = count,
		};
		time = time_left(deadline, &left);
		/* Who does not wait needs no watch; the structures are equal.
		 */
		ready = !deadline->forever && !deadline->at
				? lkl3(SYS_poll, files, count, 0)
				: watch_call(lkl_watch_start, &t->watch);
		if (ready < 0)
			return ready;
		if (ready || (!deadline->forever && !deadline->at)) {
			ret = host6(SYS_ppoll, fds, n, &zero, mask, MASK_SIZE,
				    0);
			return ret < 0 ? ret : ret + ready;
		}
		t->watching = 1;
		ret = host_wait_syscall(SYS_ppoll, (long)fds, n + 1, (long)time,
					(long)mask, MASK_SIZE, 0);
		if (!t->watching)
			return ret < 0 ? ret : -EINTR;
		t->watching = 0;
		ready = watch_call(lkl_watch_stop, &t->watch);
		if (fds[n].revents) {
			quiet(fds[n].fd);
			ret -= ret > 0;
		}
		if (ret < 0)
			return ret;
		if (ret + ready || (!deadline->forever && !fds[n].revents))
			return ret + ready;
	}
}

static long do_poll(struct pollfd *fds, unsigned long n,
		    const struct timespec *time, const void *mask)
{
	struct deadline deadline = deadline_in(time);
	unsigned int i, count = 0;
	long ret;

	/* No descriptor table is larger, but one may be named twice. */
	if (n > FD_MAX)
		return -EINVAL;
	for (i = 0; i < n; i++)
		count += fd_is_lkl(fds[i].fd);

	size_t size =
		(n + 1) * sizeof(*fds) + count * sizeof(struct lkl_watch_file);
	char stack[size < 4096 ? size : 1]
		__attribute__((aligned(__alignof__(struct pollfd))));
	struct pollfd *copy = (void *)stack;
	struct lkl_watch_file *files;

	if (size >= 4096) {
		long map = host6(SYS_mmap, 0, size,
				 LKL_PROT_READ | LKL_PROT_WRITE,
				 LKL_MAP_PRIVATE | LKL_MAP_ANONYMOUS, -1, 0);

		if (map < 0 && map > -4096)
			return map;
		copy = (void *)map;
	}
	files = (void *)(copy + n + 1);
	count = 0;
	for (i = 0; i < n; i++) {
		uint32_t word = fd_word(fds[i].fd);

		copy[i] = fds[i];
		if (word & FD_LKL) {
			files[count].fd = fd_number(word);
			files[count++].events = fds[i].events;
			copy[i].fd = -1;
		} else if (word & FD_EPOLL) {
			epoll_nest(word);
		}
	}
	ret = poll_mixed(copy, n, files, count, &deadline, mask);
	if (ret >= 0) {
		count = 0;
		for (i = 0; i < n; i++)
			fds[i].revents = copy[i].fd < 0 && fds[i].fd >= 0
						 ? files[count++].revents
						 : copy[i].revents;
	}
	if (size >= 4096)
		host2(SYS_munmap, copy, size);
	return ret;
}

/* Does poll() concern the library? */
static bool poll_is_ours(const struct pollfd *fds, unsigned long n)
{
	unsigned long i;
	bool ours = false;

	if (n > FD_MAX)
		return false;
	for (i = 0; i < n; i++) {
		uint32_t word = fd_word(fds[i].fd);

		if (word & FD_EPOLL)
			epoll_nest(word);
		ours |= !!(word & FD_LKL);
	}
	return ours;
}

long wait_poll(long nr, const long *a)
{
	struct timespec time = {
		.tv_sec = (int)a[2] / 1000,
		.tv_nsec = (int)a[2] % 1000 * 1000000L,
	};

	if (!poll_is_ours((void *)a[0], (unsigned int)a[1]))
		return host_call(nr, a);
	return do_poll((void *)a[0], (unsigned int)a[1],
		       (int)a[2] < 0 ? NULL : &time, NULL);
}

/* The kernel tells how much of the time is left. */
static void store_left(struct timespec *time, const struct deadline *deadline)
{
	if (time)
		time_left(deadline, time);
}

long wait_ppoll(long nr, const long *a)
{
	struct timespec *time = (void *)a[2];
	struct deadline deadline;
	long ret;

	if (!poll_is_ours((void *)a[0], (unsigned int)a[1]))
		return host_call(nr, a);
	if (bad_time(time))
		return -EINVAL;
	deadline = deadline_in(time);
	ret = do_poll((void *)a[0], (unsigned int)a[1], time, (void *)a[3]);
	store_left(time, &deadline);
	return ret;
}

#define BITS (8 * sizeof(long))
#define IN_SET (POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR)
#define OUT_SET (POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR)

static bool in_set(const unsigned long *set, int fd)
{
	return set && set[fd / BITS] >> fd % BITS & 1;
}

static bool select_is_ours(unsigned long *const sets[3], int n)
{
	bool ours = false;
	int fd, i;

	for (i = 0; i < 3; i++) {
		for (fd = 0; sets[i] && fd < n; fd++) {
			uint32_t word;

			if (!sets[i][fd / BITS]) {
				fd |= BITS - 1;
				continue;
			}
			if (!in_set(sets[i], fd))
				continue;
			word = fd_word(fd);
			if (word & FD_EPOLL)
				epoll_nest(word);
			ours |= !!(word & FD_LKL);
		}
	}
	return ours;
}

static long do_select(int n, unsigned long *const sets[3],
		      const struct timespec *time, const void *mask)
{
	struct pollfd fds[1025];
	long bits = 0, ret;
	unsigned int i, count = 0;
	int fd;

	/* More than the program's sets have room for, usually. */
	if (n > 1024)
		n = 1024;
	for (fd = 0; fd < n; fd++) {
		short events =
			(in_set(sets[0], fd) ? POLLIN | POLLRDNORM : 0) |
			(in_set(sets[1], fd) ? POLLOUT | POLLWRNORM : 0) |
			(in_set(sets[2], fd) ? POLLPRI : 0);

		if (events)
			fds[count++] = (struct pollfd){ fd, events, 0 };
	}
	ret = do_poll(fds, count, time, mask);
	if (ret < 0)
		return ret;
	for (i = 0; i < count; i++)
		if (fds[i].revents & POLLNVAL)
			return -EBADF;
	for (i = 0; i < 3; i++)
		for (fd = 0; sets[i] && fd < n; fd += BITS)
			sets[i][fd / BITS] = 0;
	for (i = 0; i < count; i++) {
		static const short ready[3] = { IN_SET, OUT_SET, POLLPRI };
		static const short asked[3] = { POLLIN, POLLOUT, POLLPRI };
		int s;

		for (s = 0; s < 3; s++) {
			if (!(fds[i].events & asked[s]) ||
			    !(fds[i].revents & ready[s]))
				continue;
			sets[s][fds[i].fd / BITS] |= 1UL << fds[i].fd % BITS;
			bits++;
		}
	}
	return bits;
}

long wait_select(long nr, const long *a)
{
	unsigned long *const sets[3] = { (void *)a[1], (void *)a[2],
					 (void *)a[3] };
	struct timeval *tv = (void *)a[4];
	struct timespec time, left;
	struct deadline deadline;
	long ret;

	if (!select_is_ours(sets, a[0]))
		return host_call(nr, a);
	if (tv) {
		time.tv_sec = tv->tv_sec + tv->tv_usec / 1000000;
		time.tv_nsec = tv->tv_usec % 1000000 * 1000;
		if (bad_time(&time))
			return -EINVAL;
	}
	deadline = deadline_in(tv ? &time : NULL);
	ret = do_select(a[0], sets, tv ? &time : NULL, NULL);
	if (tv) {
		time_left(&deadline, &left);
		tv->tv_sec = left.tv_sec;
		tv->tv_usec = left.tv_nsec / 1000;
	}
	return ret;
}

long wait_pselect(long nr, const long *a)
{
	unsigned long *const sets[3] = { (void *)a[1], (void *)a[2],
					 (void *)a[3] };
	struct timespec *time = (void *)a[4];
	const struct {
		const void *mask;
		size_t size;
	} *sig = (void *)a[5];
	struct deadline deadline;
	long ret;

	if (!select_is_ours(sets, a[0]))
		return host_call(nr, a);
	if (bad_time(time))
		return -EINVAL;
	deadline = deadline_in(time);
	ret = do_select(a[0], sets, time, sig ? sig->mask : NULL);
	store_left(time, &deadline);
	return ret;
}

/*
 * epoll
 */

enum { EPOLL_PLAIN, EPOLL_CHANGING, EPOLL_SHADOW };

#define EPOLLS 4096

/* Those of forked processes come after them, in the shared memory. */
static struct epoll epolls[EPOLLS];
/* There have been none beyond. */
static unsigned int epolls_top;

static struct epoll *to_epoll(uint32_t word)
{
	unsigned int n = fd_number(word);

	return likely(n < EPOLLS) ? &epolls[n] : &share->epoll[n - EPOLLS];
}

static void epoll_ring(struct epoll *e, int event)
{
	if (e->forked ||
	    ((__atomic_load_n(&e->sleepers, __ATOMIC_SEQ_CST) || e->nested) &&
	     !__atomic_exchange_n(&e->rung, 1, __ATOMIC_SEQ_CST)))
		ring(event);
}

/**
 * wait_notify - the library's kernel has something for an epoll
 */
void wait_notify(struct lkl_watch *watch)
{
	struct epoll *e = (void *)watch;

	epoll_ring(e, e->bell);
}

/* What the shadow has ready. */
static long shadow_take(struct epoll *e, struct epoll_event *events, long max)
{
	return lkl6(SYS_epoll_wait, e->file.fd, (long)events, max, 0, 0, 0);
}

static bool epoll_is_ready(struct epoll *e)
{
	struct pollfd fd = { e->file.fd, POLLIN, 0 };

	return lkl3(SYS_poll, &fd, 1, 0) > 0;
}

/* The shadow's event, in the host's epoll @fd. */
static long epoll_add_event(struct epoll *e, long fd, int op)
{
	struct epoll_event ev = {
		.events = EPOLLIN | (e->nested ? 0 : EPOLLET),
		.data.u64 = e->tag,
	};

	return host4(SYS_epoll_ctl, fd, op, e->event, &ev);
}

/* Somebody waits for the epoll itself: its event must tell the truth. */
static void epoll_nest(uint32_t word)
{
	struct epoll *e = to_epoll(word);

	if (__atomic_exchange_n(&e->nested, 1, __ATOMIC_SEQ_CST))
		return;
	while (__atomic_load_n(&e->state, __ATOMIC_ACQUIRE) == EPOLL_CHANGING)
		host0(SYS_sched_yield);
	if (e->state == EPOLL_SHADOW && epoll_is_ready(e))
		ring(e->event);
}

static long epoll_shadow(struct epoll *e, long fd)
{
	int old = EPOLL_PLAIN;
	long ret;

	while (!__atomic_compare_exchange_n(&e->state, &old, EPOLL_CHANGING,
					    false, __ATOMIC_ACQ_REL,
					    __ATOMIC_ACQUIRE)) {
		if (old == EPOLL_SHADOW)
			return 0;
		old = EPOLL_PLAIN;
		host0(SYS_sched_yield);
	}
	ret = lkl1(SYS_epoll_create1, LKL_EPOLL_CLOEXEC);
	if (ret < 0)
		goto plain;
	e->file = (struct lkl_watch_file){ .fd = ret, .events = POLLIN };
	ret = new_event();
	if (ret < 0)
		goto close_shadow;
	e->event = ret;
	e->bell = e->process ? -1 : ret;
	e->watch = (struct lkl_watch){ .notify = wait_notify,
				       .files = &e->file,
				       .count = 1 };
	ret = e->process ? share_give_bell(e - share->epoll) : 0;
	if (ret)
		goto close_event;
	ret = watch_call(lkl_watch_always, &e->watch);
	if (!ret)
		ret = epoll_add_event(e, fd, EPOLL_CTL_ADD);
	if (!ret)
		ret = fd_own(own_call3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 0));
	if (ret >= 0) {
		e->self = ret;
		__atomic_store_n(&e->state, EPOLL_SHADOW, __ATOMIC_RELEASE);
		return 0;
	}
	watch_call(lkl_watch_stop, &e->watch);
	if (e->process)
		share_forget_bell(e->bell);
close_event:
	fd_forget(e->event);
close_shadow:
	lkl1(SYS_close, e->file.fd);
plain:
	__atomic_store_n(&e->state, EPOLL_PLAIN, __ATOMIC_RELEASE);
	return ret;
}

void wait_epoll_get(uint32_t word)
{
	__atomic_add_fetch(&to_epoll(word)->refs, 1, __ATOMIC_ACQ_REL);
}

static void epoll_free(struct epoll *e)
{
	e->state = EPOLL_PLAIN;
	e->sleepers = e->rung = e->nested = e->process = 0;
	e->forked = e->borrowed = false;
	__atomic_store_n(&e->refs, 0, __ATOMIC_RELEASE);
}

void wait_epoll_put(uint32_t word)
{
	struct epoll *e = to_epoll(word);

	/* The last one clears the slot before it is free. */
	if (__atomic_load_n(&e->refs, __ATOMIC_ACQUIRE) > 1 &&
	    __atomic_sub_fetch(&e->refs, 1, __ATOMIC_ACQ_REL))
		return;
	if (e->state == EPOLL_SHADOW) {
		if (!e->borrowed) {
			watch_call(lkl_watch_stop, &e->watch);
			lkl_listen_forget(e->self);
		}
		lkl1(SYS_close, e->file.fd);
		fd_forget(e->event);
		fd_forget(e->self);
		if (e->process)
			share_forget_bell(e->bell);
	}
	epoll_free(e);
}

/* A free slot, with a reference; NULL if there is none. */
static struct epoll *epoll_take(struct epoll *slots, unsigned int n,
				unsigned int *top)
{
	unsigned int i, old = *top;

	for (i = 0; i < n; i++) {
		int none = 0;

		if (!slots[i].refs &&
		    __atomic_compare_exchange_n(&slots[i].refs, &none, 1, false,
						__ATOMIC_ACQ_REL,
						__ATOMIC_RELAXED))
			break;
	}
	if (i == n)
		return NULL;
	while (i >= old &&
	       !__atomic_compare_exchange_n(top, &old, i + 1, false,
					    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		;
	slots[i].tag = (unsigned long)&slots[i];
	return &slots[i];
}

static uint32_t epoll_word(struct epoll *e)
{
	return FD_EPOLL |
	       (e->process ? EPOLLS + (e - share->epoll) : e - epolls);
}

/* One of this process's. */
static struct epoll *epoll_take_own(void)
{
	struct epoll *e;

	if (likely(share_process() < 0))
		return epoll_take(epolls, EPOLLS, &epolls_top);
	e = epoll_take(share->epoll, SHARE_EPOLLS, &share->epolls_top);
	if (e)
		e->process = share_process() + 1;
	return e;
}

static long epoll_install(long fd)
{
	struct epoll *e;

	if (fd < 0 || fd >= FD_MAX)
		return fd;
	e = epoll_take_own();
	if (e) {
		fd_set_word(fd, epoll_word(e));
		return fd;
	}
	host1(SYS_close, fd);
	return -EMFILE;
}

long wait_epoll_create(long nr, const long *a)
{
	return epoll_install(host1(nr, a[0]));
}

long wait_epoll_ctl(long nr, const long *a)
{
	uint32_t epoll = fd_word(a[0]), word = fd_word(a[2]);
	long ret;

	if (likely(!(epoll & FD_EPOLL) || !(word & (FD_LKL | FD_EPOLL))))
		return word & FD_LKL ? -EINVAL : host_call(nr, a);
	if (word & FD_EPOLL) {
		if (a[1] == EPOLL_CTL_ADD)
			epoll_nest(word);
		return host_call(nr, a);
	}
	ret = epoll_shadow(to_epoll(epoll), a[0]);
	return ret
		       ?: lkl4(nr, to_epoll(epoll)->file.fd, a[1],
			       fd_number(word), a[3]);
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
			quiet(e->event);
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

/*
 * Forks
 */

/**
 * wait_fork - there will be another process with the same epolls
 */
void wait_fork(void)
{
	unsigned int i;

	for (i = 0; i < epolls_top; i++)
		epolls[i].forked = epolls[i].refs;
	for (i = 0; share_process() >= 0 && i < share->epolls_top; i++)
		if (share->epoll[i].process == share_process() + 1)
			share->epoll[i].forked = true;
}

/*
 * What a child makes of its parent's epoll: one with a shadow is used as it is,
 * from a slot that is not in the shared memory; one without may get a shadow
 * and needs a slot there.
 */
static uint32_t epoll_inherit(uint32_t word)
{
	struct epoll *e = to_epoll(word), *slots = share->epoll, *mine = NULL;
	bool shadow = e->state == EPOLL_SHADOW;
	unsigned int i, n = share->epolls_top;
	int process = share_process() + 1;

	if (shadow) {
		if (!e->process) {
			e->borrowed = true;
			return word;
		}
		slots = epolls;
		n = epolls_top;
		process = 0;
	}
	for (i = 0; i < n && !mine; i++)
		if (slots[i].refs && slots[i].process == process &&
		    slots[i].tag == e->tag)
			mine = &slots[i];
	if (mine) {
		mine->refs++;
		return epoll_word(mine);
	}
	mine = shadow ? epoll_take(epolls, EPOLLS, &epolls_top)
		      : epoll_take_own();
	if (!mine)
		return 0;
	if (shadow) {
		*mine = *e;
		mine->refs = 1;
		mine->process = 0;
		mine->borrowed = true;
	}
	mine->tag = e->tag;
	mine->nested = e->nested;
	return epoll_word(mine);
}

/**
 * wait_forked - in a child: what waits is the parent's
 */
void wait_forked(void)
{
	struct hijack_thread *t = hijack_thread();

	t->watching = 0;
	if (t->eventfd)
		fd_forget(t->eventfd - 1);
	t->eventfd = 0;
	if (share_process() >= 0)
		fd_change_epolls(epoll_inherit);
}

/**
 * wait_set_bell - the process that has the kernel knows an epoll's eventfd now
 * @index: number of the epoll in the shared memory
 * @bell: its descriptor, or a negative error number
 */
void wait_set_bell(int index, long bell)
{
	int *at = &share->epoll[index].bell;

	__atomic_store_n(at, bell < 0 ? 0 : bell, __ATOMIC_SEQ_CST);
	share_wake(at);
}

/**
 * wait_process_gone - another process has ended, and its epolls with it
 * @process: which
 * @alone: it was the last
 */
void wait_process_gone(int process, bool alone)
{
	unsigned int i;

	for (i = 0; alone && i < epolls_top; i++) {
		struct epoll *e = &epolls[i];

		if (!e->forked)
			continue;
		e->forked = false;
		/* Who has missed an event meanwhile has not noticed. */
		__atomic_store_n(&e->rung, 0, __ATOMIC_SEQ_CST);
		if (e->state == EPOLL_SHADOW)
			ring(e->event);
	}

	for (i = 0; i < share->epolls_top; i++) {
		struct epoll *e = &share->epoll[i];

		if (e->process != process + 1)
			continue;
		e->watch.count = 0;
		if (e->state != EPOLL_PLAIN)
			lkl_kernel_call(lkl_watch_stop, &e->watch);
		if (e->state != EPOLL_PLAIN && e->bell > 0)
			fd_forget(e->bell);
		epoll_free(e);
	}
}
