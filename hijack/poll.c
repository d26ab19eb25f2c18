// SPDX-License-Identifier: GPL-2.0-only
/*
 * poll(): a watch on the library's files, and a sleep in the host.
 */
#include "wait.h"

static const struct timespec zero;

static void poll_notify(struct lkl_watch *watch)
{
	struct hijack_thread *t =
		(void *)((char *)watch - offsetof(struct hijack_thread, watch));

	event_ring(t->eventfd - 1);
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
		ret = event_new();
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
			event_quiet(fds[n].fd);
			ret -= ret > 0;
		}
		if (ret < 0)
			return ret;
		if (ret + ready || (!deadline->forever && !fds[n].revents))
			return ret + ready;
	}
}

long poll_both(struct pollfd *fds, unsigned long n, const struct timespec *time,
	       const void *mask)
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
	return poll_both((void *)a[0], (unsigned int)a[1],
			 (int)a[2] < 0 ? NULL : &time, NULL);
}

/* The kernel tells how much of the time is left. */
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
	ret = poll_both((void *)a[0], (unsigned int)a[1], time, (void *)a[3]);
	store_left(time, &deadline);
	return ret;
}
