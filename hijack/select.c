// SPDX-License-Identifier: GPL-2.0-only
/*
 * select() is a poll() of the descriptors whose bits are set.
 */
#include <sys/select.h>

#include "wait.h"

#define BITS (8 * sizeof(long))
#define IN_SET (POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR)
#define OUT_SET (POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR)

/* What each of the three sets asks for, and what sets its bits. */
static const short asked[3] = { POLLIN | POLLRDNORM, POLLOUT | POLLWRNORM,
				POLLPRI };
static const short answers[3] = { IN_SET, OUT_SET, POLLPRI };

/**
 * struct sets - the program's sets, copied
 * @user: where they are, 0 if there is none
 * @words: the copies, one after the other
 * @n: words of each
 * @count: descriptors of which a bit is set
 */
struct sets {
	const long *user;
	unsigned long *words;
	unsigned int n, count;
};

/* One word of all sets together. */
static unsigned long all(const struct sets *s, unsigned int at)
{
	return s->words[at] | s->words[s->n + at] | s->words[2 * s->n + at];
}

/* Copy the sets, for descriptors below @limit.  Returns whether they are there.
 */
static bool sets_get(struct sets *s, unsigned int limit)
{
	unsigned long last = limit % BITS ? (1UL << limit % BITS) - 1 : ~0UL;
	unsigned int i, at;

	for (i = 0; i < 3; i++) {
		unsigned long *words = s->words + i * s->n;

		if (s->user[i]) {
			if (!user_get(words, s->user[i], s->n * sizeof(long)))
				return false;
			words[s->n - 1] &= last;
		} else {
			for (at = 0; at < s->n; at++)
				words[at] = 0;
		}
	}
	return true;
}

/* Does select() concern the library? */
static bool sets_are_ours(struct sets *s)
{
	bool ours = false, nested = false;
	unsigned int at;

	s->count = 0;
	for (at = 0; at < s->n; at++) {
		unsigned long left = all(s, at);

		for (; left; left &= left - 1) {
			uint32_t word =
				fd_word(at * BITS + __builtin_ctzl(left));

			s->count++;
			ours |= !!(word & (FD_LKL | FD_OWN));
			if (unlikely(word & FD_EPOLL)) {
				epoll_nest(word);
				nested = true;
			}
		}
	}
	if (nested)
		epoll_refresh();
	return ours;
}

static void sets_to_poll(const struct sets *s, struct pollfd *fds)
{
	unsigned int at, i;

	for (at = 0; at < s->n; at++) {
		unsigned long left = all(s, at);

		for (; left; left &= left - 1) {
			unsigned int bit = __builtin_ctzl(left);

			*fds = (struct pollfd){ .fd = at * BITS + bit };
			for (i = 0; i < 3; i++)
				if (s->words[i * s->n + at] >> bit & 1)
					fds->events |= asked[i];
			fds++;
		}
	}
}

/* The answer; returns how many bits are set, or a negative error number. */
static long sets_put(struct sets *s, const struct pollfd *fds)
{
	unsigned int i, k;
	long bits = 0;

	for (k = 0; k < s->count; k++)
		if (fds[k].revents & POLLNVAL)
			return -EBADF;
	for (i = 0; i < 3 * s->n; i++)
		s->words[i] = 0;
	for (k = 0; k < s->count; k++) {
		for (i = 0; i < 3; i++) {
			if (!(fds[k].events & asked[i]) ||
			    !(fds[k].revents & answers[i]))
				continue;
			s->words[i * s->n + fds[k].fd / BITS] |=
				1UL << fds[k].fd % BITS;
			bits++;
		}
	}
	for (i = 0; i < 3; i++)
		if (s->user[i] && !user_put(s->user[i], s->words + i * s->n,
					    s->n * sizeof(long)))
			return -EFAULT;
	return bits;
}

static long sets_wait(struct sets *s, const struct timespec *time,
		      const void *mask)
{
	size_t size = poll_size(s->count);
	char stack[size <= POLL_STACK ? size : 1]
		__attribute__((aligned(__alignof__(struct pollfd))));
	struct pollfd *fds = poll_room(stack, size);
	long ret;

	if (!fds)
		return -ENOMEM;
	sets_to_poll(s, fds);
	ret = poll_both(fds, s->count, time, mask);
	if (ret >= 0)
		ret = sets_put(s, fds);
	poll_done(fds, size);
	return ret;
}

/*
 * Copy the sets and wait, or return -ENOSYS: the call is the host's, which also
 * says what is wrong with it.
 */
static long do_select(const long *a, const struct timespec *time,
		      const void *mask, struct deadline *deadline)
{
	unsigned int limit = (int)a[0] < FD_MAX ? a[0] : FD_MAX;
	struct sets s = { .user = a + 1, .n = (limit + BITS - 1) / BITS };
	size_t size = 3 * s.n * sizeof(long);
	unsigned long stack[size <= POLL_STACK ? 3 * s.n : 1];
	long ret = -ENOSYS;

	if (limit > FD_MAX || !limit)
		return ret;
	s.words = poll_room(stack, size);
	if (!s.words)
		return -ENOMEM;
	if (sets_get(&s, limit) && sets_are_ours(&s)) {
		*deadline = deadline_in(time);
		ret = sets_wait(&s, time, mask);
	}
	poll_done(s.words, size);
	return ret;
}

long wait_select(long nr, const long *a)
{
	struct timespec time, left;
	struct deadline deadline;
	struct timeval tv;
	long ret;

	if (a[4]) {
		if (!user_get(&tv, a[4], sizeof(tv)))
			return -EFAULT;
		time.tv_sec = tv.tv_sec + tv.tv_usec / 1000000;
		time.tv_nsec = tv.tv_usec % 1000000 * 1000;
		if (bad_time(&time))
			return -EINVAL;
	}
	ret = do_select(a, a[4] ? &time : NULL, NULL, &deadline);
	if (ret == -ENOSYS)
		return host_call(nr, a);
	if (a[4]) {
		time_left(&deadline, &left);
		tv.tv_sec = left.tv_sec;
		tv.tv_usec = left.tv_nsec / 1000;
		/* Constant, maybe. */
		user_put(a[4], &tv, sizeof(tv));
	}
	return ret;
}

long wait_pselect(long nr, const long *a)
{
	long sig[2] = { 0 }, ret;
	struct deadline deadline;
	struct timespec time;
	unsigned long mask;

	if ((a[5] && !user_get(sig, a[5], sizeof(sig))) ||
	    !get_time(&time, a[4]) || !get_mask(&mask, sig[0], sig[1]))
		return host_call(nr, a);
	ret = do_select(a, a[4] ? &time : NULL, sig[0] ? &mask : NULL,
			&deadline);
	if (ret == -ENOSYS)
		return host_call(nr, a);
	put_left(a[4], &deadline);
	return ret;
}
