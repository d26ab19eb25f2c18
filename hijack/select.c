// SPDX-License-Identifier: GPL-2.0-only
/*
 * select() is a poll().
 */
#include <sys/select.h>

#include "wait.h"

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
	ret = poll_both(fds, count, time, mask);
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
