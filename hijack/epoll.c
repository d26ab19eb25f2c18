// SPDX-License-Identifier: GPL-2.0-only
/*
 * Epolls of the host, and their shadows in the library's kernel.
 *
 * A slot is taken when the epoll is created, the shadow is made when the first
 * file of the library comes into the set, maybe while threads sleep in it: so
 * they are counted from the beginning.  A slot is free when the last descriptor
 * has been closed and the last sleeper has left.
 *
 * An epoll in another one's set, or in a poll(), is nested.  Its event is
 * written to for each event in the shadow, as the outer one may want edges, and
 * is level-triggered.  That the shadow has nothing any more is noticed before
 * a thread waits (epoll_refresh()).
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "wait.h"

struct epoll epolls[EPOLLS];
unsigned int epolls_top;
unsigned int epolls_nested;

/**
 * epoll_ring - wake one of the threads that sleep in an epoll
 * @e: the epoll
 * @event: its eventfd, in this process
 */
void epoll_ring(struct epoll *e, int event)
{
	if (e->forked || __atomic_load_n(&e->nested, __ATOMIC_SEQ_CST) ||
	    (epoll_sleepers(e) &&
	     !__atomic_exchange_n(&e->rung, 1, __ATOMIC_SEQ_CST)))
		event_ring(event);
}

/**
 * wait_notify - the library's kernel has something for an epoll
 */
void wait_notify(struct lkl_watch *watch)
{
	struct epoll *e = (void *)watch;

	epoll_ring(e, e->bell);
}

bool epoll_is_ready(struct epoll *e)
{
	struct pollfd fd = { e->file.fd, POLLIN, 0 };

	return lkl3(SYS_poll, &fd, 1, 0) > 0;
}

/* The shadow's event, in the host's epoll @fd. */
static long epoll_event(struct epoll *e, long fd, int op)
{
	struct epoll_event ev = {
		.events = EPOLLIN | (e->nested ? 0 : EPOLLET),
		.data.u64 = e->tag,
	};

	return own_call4(SYS_epoll_ctl, fd, op, e->event, &ev);
}

/* The end of the process that has the kernel, in the same way. */
void epoll_hear_end(struct epoll *e, long fd)
{
	struct epoll_event ev = { .data.u64 = e->tag };

	if (share_process() >= 0)
		own_call4(SYS_epoll_ctl, fd, EPOLL_CTL_ADD, share_control(),
			  &ev);
}

void epoll_nest(uint32_t word)
{
	struct epoll *e = to_epoll(word);

	if (__atomic_exchange_n(&e->nested, 1, __ATOMIC_SEQ_CST))
		return;
	__atomic_add_fetch(&epolls_nested, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&e->state, __ATOMIC_ACQUIRE) == EPOLL_CHANGING)
		own_call3(SYS_sched_yield, 0, 0, 0);
	if (!epoll_has_shadow(e))
		return;
	epoll_event(e, e->self, EPOLL_CTL_MOD);
	if (epoll_is_ready(e))
		event_ring(e->event);
}

static void refresh(struct epoll *e)
{
	if (!e->nested || !epoll_has_shadow(e) || epoll_is_ready(e))
		return;
	event_quiet(e->event);
	/* It may have been rung in between. */
	if (epoll_is_ready(e))
		event_ring(e->event);
}

void epoll_refresh(void)
{
	unsigned int i;

	for (i = 0; i < epolls_top; i++)
		if (epolls[i].users)
			refresh(&epolls[i]);
	for (i = 0; share_process() >= 0 && i < share->epolls_top; i++)
		if (share->epoll[i].users &&
		    share->epoll[i].process == share_process() + 1)
			refresh(&share->epoll[i]);
}

/*
 * Have the shadow watched, by the owner if there is one: that knows an epoll by
 * its slot in the area.
 */
static long shadow_watch(struct epoll *e)
{
	struct epoll *known = e;
	long ret;

	if (share_process() < 0)
		return watch_call(lkl_watch_always, &e->watch);
	if (!e->process) {
		known = epoll_take(share->epoll, SHARE_EPOLLS,
				   &share->epolls_top);
		if (!known)
			return -EMFILE;
		known->forked = true;
		known->event = e->event;
		known->file = e->file;
	}
	known->bell = -1;
	ret = share_give_bell(known - share->epoll);
	if (!ret)
		ret = watch_call(lkl_watch_always, &known->watch);
	if (known == e)
		return ret;
	if (ret) {
		known->forked = false;
		epoll_leave(known, 1);
	} else {
		e->stand_in = known;
	}
	return ret;
}

static void shadow_ignore(struct epoll *e)
{
	if (!e->stand_in) {
		watch_call(lkl_watch_stop, &e->watch);
		return;
	}
	watch_call(lkl_watch_stop, &e->stand_in->watch);
	epoll_leave(e->stand_in, 1);
	e->stand_in = NULL;
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
		own_call3(SYS_sched_yield, 0, 0, 0);
	}
	ret = lkl1(SYS_epoll_create1, LKL_EPOLL_CLOEXEC);
	if (ret < 0)
		goto plain;
	e->file = (struct lkl_watch_file){ .fd = ret, .events = POLLIN };
	ret = event_new();
	if (ret < 0)
		goto close_shadow;
	e->event = ret;
	e->bell = ret;
	e->watch = (struct lkl_watch){ .notify = wait_notify,
				       .files = &e->file,
				       .count = 1 };
	ret = shadow_watch(e);
	if (ret)
		goto close_event;
	ret = epoll_event(e, fd, EPOLL_CTL_ADD);
	if (!ret)
		ret = fd_own(own_call3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 0));
	if (ret >= 0) {
		epoll_hear_end(e, fd);
		e->self = ret;
		__atomic_store_n(&e->state, EPOLL_SHADOW, __ATOMIC_RELEASE);
		return 0;
	}
	shadow_ignore(e);
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
	__atomic_add_fetch(&to_epoll(word)->users, 1, __ATOMIC_ACQ_REL);
}

void epoll_clear(struct epoll *e)
{
	e->state = EPOLL_PLAIN;
	if (e->nested)
		__atomic_sub_fetch(&epolls_nested, 1, __ATOMIC_SEQ_CST);
	e->rung = e->nested = e->process = 0;
	e->forked = e->borrowed = false;
	e->stand_in = NULL;
}

static void epoll_close(struct epoll *e)
{
	if (e->state == EPOLL_SHADOW) {
		if (!e->borrowed) {
			shadow_ignore(e);
			lkl_listen_forget(e->self);
		}
		lkl1(SYS_close, e->file.fd);
		fd_forget(e->event);
		fd_forget(e->self);
	}
	epoll_clear(e);
}

void epoll_leave(struct epoll *e, uint64_t user)
{
	uint64_t users = __atomic_load_n(&e->users, __ATOMIC_ACQUIRE);

	/* The last one clears the slot before it is free. */
	do {
		if (users == user) {
			epoll_close(e);
			__atomic_sub_fetch(&e->users, user, __ATOMIC_ACQ_REL);
			return;
		}
	} while (!__atomic_compare_exchange_n(&e->users, &users, users - user,
					      false, __ATOMIC_ACQ_REL,
					      __ATOMIC_ACQUIRE));
}

void wait_epoll_put(uint32_t word)
{
	epoll_leave(to_epoll(word), 1);
}

struct epoll *epoll_take(struct epoll *slots, unsigned int n, unsigned int *top)
{
	unsigned int i, old = *top;

	for (i = 0; i < n; i++) {
		uint64_t none = 0;

		if (!slots[i].users &&
		    __atomic_compare_exchange_n(&slots[i].users, &none, 1,
						false, __ATOMIC_ACQ_REL,
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

uint32_t epoll_word(struct epoll *e)
{
	return FD_EPOLL |
	       (e->process ? EPOLLS + (e - share->epoll) : e - epolls);
}

struct epoll *epoll_take_own(void)
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

/* An epoll that another program or process has made may be found out to be one.
 */
static uint32_t epoll_found(long fd)
{
	struct epoll *e;
	long ret;

	if ((unsigned long)fd >= FD_MAX || fd_word(fd))
		return 0;
	/* Nothing is taken from it, as there is no room for anything. */
	ret = own_call4(SYS_epoll_wait, fd, 0, 1, 0);
	if (ret && ret != -EFAULT)
		return 0;
	e = epoll_take_own();
	if (!e)
		return 0;
	fd_set_word(fd, epoll_word(e));
	return epoll_word(e);
}

/* What is wrong with a call that names no epoll: of several errors the
 * kernel's. */
static long not_an_epoll(const long *a)
{
	struct epoll_event ev;
	struct stat st;
	long ret;

	if (a[1] != EPOLL_CTL_DEL && !user_get(&ev, a[3], sizeof(ev)))
		return -EFAULT;
	ret = own_call3(SYS_fcntl, a[0], F_GETFD, 0);
	if (ret >= 0)
		ret = own_call3(SYS_fcntl, a[2], F_GETFD, 0);
	if (ret < 0)
		return ret;
	/* Nobody can wait for a file. */
	return !fd_call(SYS_fstat, (long[6]){ a[2], (long)&st }) &&
			       (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
		       ? -EPERM
		       : -EINVAL;
}

long wait_epoll_ctl(long nr, const long *a)
{
	uint32_t epoll = fd_word(a[0]), word = fd_word(a[2]);
	long ret;

	if (likely(!((epoll | word) & FD_LKL))) {
		if (word & FD_EPOLL && a[1] == EPOLL_CTL_ADD)
			epoll_nest(word);
		return host_call(nr, a);
	}
	if (!(epoll & FD_EPOLL))
		epoll = epoll_found((int)a[0]);
	if (!epoll)
		return not_an_epoll(a);
	ret = epoll_shadow(to_epoll(epoll), a[0]);
	return ret
		       ?: lkl4(nr, to_epoll(epoll)->file.fd, a[1],
			       fd_number(word), a[3]);
}
