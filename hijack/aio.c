// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests to files (io_submit).
 *
 * A context and its ring of events are the host's, and only the host adds
 * events to it, each with the address of a request that the program has
 * submitted.  So for a request to a file of the library's the host gets one in
 * its place, of the same address: to poll an eventfd (aio-request.c).  When the
 * library has done what the program wants, the eventfd is written to.  The host
 * then adds the event, and the result in it is replaced when the program takes
 * the event by a call.
 *
 * The program's structure says something else only during the host's call. It
 * has what the program wrote before the request can end, as the program may
 * then free it.
 *
 * A program that looks at the ring itself, instead of making a call, finds
 * POLLIN as the result of each request to a file of the library's.
 *
 * As on any host, to read or write a socket is done before io_submit() returns,
 * and blocks in it unless the socket is non-blocking.
 */
#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/uio.h>

#include "aio.h"
#include "wait.h"

/* A request of the program's: its context, where it is, and what it says. */
struct request {
	long ctx, user;
	struct iocb iocb;
	uint32_t word;
};

static bool is_transfer(unsigned int op)
{
	return op == IOCB_CMD_PREAD || op == IOCB_CMD_PWRITE ||
	       op == IOCB_CMD_PREADV || op == IOCB_CMD_PWRITEV;
}

/* Make the host poll @event in the place of what the program wants. */
static long submit_poll(const struct request *r, long event)
{
	struct iocb iocb = r->iocb;
	long ret;

	iocb.aio_lio_opcode = IOCB_CMD_POLL;
	iocb.aio_fildes = event;
	iocb.aio_buf = POLLIN;
	if (is_transfer(r->iocb.aio_lio_opcode))
		iocb.aio_nbytes = iocb.aio_offset = iocb.aio_rw_flags = 0;
	if (!user_put(r->user, &iocb, sizeof(iocb)))
		return -EFAULT;
	ret = own_call3(SYS_io_submit, r->ctx, 1, &r->user);
	iocb = r->iocb;
	/* What the host writes, which io_cancel() looks at. */
	if (ret == 1)
		iocb.aio_key = 0;
	user_put(r->user, &iocb, sizeof(iocb));
	return ret == 1 ? 0 : ret;
}

/* Read or write; returns what the event is to say. */
static long transfer(const struct iocb *iocb)
{
	unsigned int op = iocb->aio_lio_opcode;
	bool writes = op == IOCB_CMD_PWRITE || op == IOCB_CMD_PWRITEV;
	long nr = writes ? SYS_pwritev2 : SYS_preadv2, ret;
	struct iovec all = { (void *)iocb->aio_buf, iocb->aio_nbytes };
	long a[6] = { iocb->aio_fildes, (long)&all, 1,
		      iocb->aio_offset, 0,	    iocb->aio_rw_flags };

	if (op == IOCB_CMD_PREADV || op == IOCB_CMD_PWRITEV) {
		a[1] = iocb->aio_buf;
		a[2] = iocb->aio_nbytes;
	}
	ret = fd_call(nr, a);
	/* A file without positions */
	if (ret == -ESPIPE && !iocb->aio_offset) {
		a[3] = -1;
		ret = fd_call(nr, a);
	}
	return ret;
}

static long submit_library(const struct request *r)
{
	unsigned int op = r->iocb.aio_lio_opcode;
	struct aio_request *own;
	long ret;

	/* As of a socket of the host's */
	if (!is_transfer(op) && op != IOCB_CMD_POLL)
		return -EINVAL;
	if (op == IOCB_CMD_POLL && r->iocb.aio_buf > UINT16_MAX)
		return -EINVAL;
	own = aio_take(r->ctx, r->user, r->iocb.aio_data);
	if (!own)
		return -EAGAIN;
	ret = submit_poll(r, aio_event(own));
	if (ret)
		aio_drop(own);
	else if (op == IOCB_CMD_POLL)
		aio_await(own, fd_number(r->word), r->iocb.aio_buf);
	else
		aio_done(own, transfer(&r->iocb));
	return ret;
}

/* Is the next request for the host as it is?  A bad pointer is the host's. */
static bool is_hosts(struct request *r, long at)
{
	if (!user_get(&r->user, at, sizeof(r->user)) ||
	    !user_get(&r->iocb, r->user, sizeof(r->iocb)))
		return true;
	r->word = fd_word(r->iocb.aio_fildes);
	if (r->word & FD_EPOLL && r->iocb.aio_lio_opcode == IOCB_CMD_POLL) {
		epoll_nest(r->word);
		epoll_refresh();
	}
	return !(r->word & (FD_LKL | FD_OWN));
}

/**
 * aio_submit - io_submit()
 *
 * As in the host, the requests before the first bad one are submitted, and its
 * error is returned if it is the first of all.
 */
long aio_submit(long nr, const long *a)
{
	struct request r = { .ctx = a[0] };
	long done = 0, n, ret;

	if (a[1] <= 0)
		return host_call(nr, a);
	while (done < a[1]) {
		for (n = 0; done + n < a[1]; n++)
			if (!is_hosts(&r, a[2] + (done + n) * sizeof(r.user)))
				break;
		if (n) {
			ret = host3(nr, a[0], n, a[2] + done * sizeof(r.user));
			if (ret > 0)
				done += ret;
			if (ret != n)
				return done ?: ret;
			continue;
		}
		ret = r.word & FD_LKL ? submit_library(&r) : -EBADF;
		if (ret)
			return done ?: ret;
		done++;
	}
	return done;
}

/**
 * aio_getevents - io_getevents() and io_pgetevents()
 */
long aio_getevents(long nr, const long *a)
{
	long i, n = host_call(nr, a);
	struct io_event event;

	for (i = 0; i < n && aio_is_used(); i++) {
		long at = a[3] + i * sizeof(event);

		if (user_get(&event, at, sizeof(event)) &&
		    aio_result(a[0], event.obj, event.data, &event.res))
			user_put(at, &event, sizeof(event));
	}
	return n;
}

/**
 * aio_destroy - io_destroy()
 */
long aio_destroy(long nr, const long *a)
{
	long ret = host_call(nr, a);

	if (!ret)
		aio_forget(a[0]);
	return ret;
}
