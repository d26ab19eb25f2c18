// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests to files (io_submit).
 *
 * A context and its ring of events are the host's, and only the host adds
 * events to it.  So a request for a file of the library's is refused.  It must
 * not get to the host, where the placeholder would answer it.
 *
 * An epoll is the host's, and is polled there.
 */
#include <linux/aio_abi.h>

#include "user.h"
#include "wait.h"

bool hijack_aio_refused;

/* What is wrong with a request, beyond what the host finds. */
static long check(long user)
{
	struct iocb request;
	uint32_t word;

	/* A bad pointer is the host's to find. */
	if (!user_get(&request, user, sizeof(request)))
		return 0;
	word = fd_word(request.aio_fildes);
	if (word & FD_LKL) {
		hijack_aio_refused = true;
		return -EINVAL;
	}
	if (word & FD_EPOLL && request.aio_lio_opcode == IOCB_CMD_POLL) {
		epoll_nest(word);
		epoll_refresh();
	}
	return word & FD_OWN ? -EBADF : 0;
}

/**
 * aio_submit - io_submit()
 *
 * As in the host, the requests before the first bad one are submitted, and its
 * error is returned if it is the first of all.
 */
long aio_submit(long nr, const long *a)
{
	long n, user, err;

	for (n = 0; n < a[1]; n++) {
		if (!user_get(&user, a[2] + n * sizeof(user), sizeof(user)))
			break;
		err = check(user);
		if (!err)
			continue;
		return n ? host3(nr, a[0], n, a[2]) : err;
	}
	return host_call(nr, a);
}
