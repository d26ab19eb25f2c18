// SPDX-License-Identifier: GPL-2.0-only
/*
 * Epolls of the host, and their shadows in the library's kernel.
 */
#include <fcntl.h>

#include "wait.h"

struct epoll epolls[EPOLLS];
unsigned int epolls_top;

void epoll_ring(struct epoll *e, int event)
{
	if (e->forked ||
	    ((__atomic_load_n(&e->sleepers, __ATOMIC_SEQ_CST) || e->nested) &&
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
static long epoll_add_event(struct epoll *e, long fd, int op)
{
	struct epoll_event ev = {
		.events = EPOLLIN | (e->nested ? 0 : EPOLLET),
		.data.u64 = e->tag,
	};

	return host4(SYS_epoll_ctl, fd, op, e->event, &ev);
}

void epoll_nest(uint32_t word)
{
	struct epoll *e = to_epoll(word);

	if (__atomic_exchange_n(&e->nested, 1, __ATOMIC_SEQ_CST))
		return;
	while (__atomic_load_n(&e->state, __ATOMIC_ACQUIRE) == EPOLL_CHANGING)
		host0(SYS_sched_yield);
	if (e->state == EPOLL_SHADOW && epoll_is_ready(e))
		event_ring(e->event);
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
	ret = event_new();
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

void epoll_free(struct epoll *e)
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

struct epoll *epoll_take(struct epoll *slots, unsigned int n, unsigned int *top)
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
	return ret ?: lkl4(nr, to_epoll(epoll)->file.fd, a[1], fd_number(word),
			   a[3]);
}
