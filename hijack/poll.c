// SPDX-License-Identifier: GPL-2.0-only
/*
 * poll(): a watch on the library's files, and a sleep in the host.
 *
 * What the program waits for is copied, and the kernel of each descriptor is
 * found once: other threads may change both meanwhile.
 */
#include <limits.h>

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
 * Sleep in the host until one of @n descriptors of its or of @count files of
 * the library is ready.  @fds has room for one more.
 */
static long poll_mixed(struct pollfd *fds, unsigned int n,
		       struct lkl_watch_file *files, unsigned int count,
		       const struct deadline *deadline, const void *mask)
{
	struct hijack_thread *t = hijack_thread();
	struct timespec left, *time;
	long ready, ret;

	/* Another call's, which was interrupted and will not sleep again. */
	t->watch.count = 0;
	poll_stop(t);
	/* There are but those of the host, and numbers that are nothing. */
	if (!count)
		return host_wait_syscall(SYS_ppoll, (long)fds, n,
					 (long)time_left(deadline, &left),
					 (long)mask, MASK_SIZE, 0);
	if (!t->eventfd) {
		ret = event_new();
		if (ret < 0)
			return ret;
		t->eventfd = ret + 1;
	}
	fds[n] = (struct pollfd){ .fd = t->eventfd - 1, .events = POLLIN };
	/* It hangs up when the process ends that has the kernel. */
	fds[n + 1] = (struct pollfd){ .fd = share_control() };

	for (;;) {
		t->watch = (struct lkl_watch){
			.notify = poll_notify,
			.files = files,
			.count = count,
		};
		time = time_left(deadline, &left);
		/* One that does not wait needs no watch; the structures are
		 * equal.
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
		ret = host_wait_syscall(SYS_ppoll, (long)fds, n + 2, (long)time,
					(long)mask, MASK_SIZE, 0);
		/* More than there may be descriptors. */
		if (unlikely(ret == -EINVAL))
			ret = host_wait_syscall(SYS_ppoll, (long)fds, n + 1,
						(long)time, (long)mask,
						MASK_SIZE, 0);
		if (!t->watching)
			return ret < 0 ? ret : -EINTR;
		t->watching = 0;
		ready = watch_call(lkl_watch_stop, &t->watch);
		if (fds[n].revents) {
			event_quiet(fds[n].fd);
			ret -= ret > 0;
		}
		if (ret < 0 || ready < 0)
			return ret < 0 ? ret : ready;
		if (ret + ready || (!deadline->forever && !fds[n].revents))
			return ret + ready;
	}
}

/* Which of the two arrays of poll_both() a descriptor is in. */
enum { POLL_HOST = 1, POLL_LIBRARY = 2 };

/* What it takes to poll() some descriptors: they, and those two arrays. */
size_t poll_size(unsigned long n)
{
	return n * sizeof(struct pollfd) + (n + 2) * sizeof(struct pollfd) +
	       n * sizeof(struct lkl_watch_file);
}

/* Put a descriptor where it belongs. */
static short poll_sort(const struct pollfd *fd, struct pollfd *host,
		       struct lkl_watch_file *file)
{
	uint32_t word = fd_word(fd->fd);

	*host = *fd;
	if (fd->fd < 0)
		return 0;
	/* It does not exist for the program. */
	if (word & FD_OWN)
		host->fd = INT_MAX;
	if (word & FD_EPOLL)
		epoll_nest(word);
	if (!(word & FD_LKL))
		return POLL_HOST;
	file->fd = fd_number(word);
	file->events = fd->events;
	/* Which side it will be of may be decided meanwhile. */
	return POLL_LIBRARY | (word & FD_OPEN ? POLL_HOST : 0);
}

/*
 * Make the answer.  Returns how many descriptors are ready, or -EAGAIN if none
 * is and one is not any more of the side that was waited for.
 */
static long poll_answer(struct pollfd *fds, unsigned long n,
			const struct pollfd *host,
			const struct lkl_watch_file *files)
{
	bool decided = false;
	unsigned long i;
	long ready = 0;

	for (i = 0; i < n; i++) {
		short where = fds[i].revents, revents = 0, answer;
		uint32_t word = fd_word(fds[i].fd);
		bool both = where == (POLL_HOST | POLL_LIBRARY);

		decided |= both && !(word & FD_OPEN);
		if (where & POLL_HOST) {
			answer = host++->revents;
			if (!both || word & FD_OPEN || !(word & FD_LKL))
				revents |= answer;
		}
		if (where & POLL_LIBRARY) {
			answer = files++->revents;
			if (!both || word & FD_LKL)
				revents |= answer;
		}
		fds[i].revents = revents;
		ready += !!revents;
	}
	return ready || !decided ? ready : -EAGAIN;
}

long poll_both(struct pollfd *fds, unsigned long n, const struct timespec *time,
	       const void *mask)
{
	struct deadline deadline = deadline_in(time);
	struct pollfd *host = fds + n;
	struct lkl_watch_file *files = (void *)(host + n + 2);
	unsigned int i, hosts, count;
	long ret;

	do {
		hosts = count = 0;
		for (i = 0; i < n; i++) {
			short where =
				poll_sort(&fds[i], &host[hosts], &files[count]);

			fds[i].revents = where;
			hosts += !!(where & POLL_HOST);
			count += !!(where & POLL_LIBRARY);
		}
		if (epolls_nested)
			epoll_refresh();
		ret = poll_mixed(host, hosts, files, count, &deadline, mask);
		if (ret >= 0)
			ret = poll_answer(fds, n, host, files);
	} while (ret == -EAGAIN);
	return ret;
}

void *poll_room(void *stack, size_t size)
{
	long map;

	if (size <= POLL_STACK)
		return stack;
	map = host6(SYS_mmap, 0, size, LKL_PROT_READ | LKL_PROT_WRITE,
		    LKL_MAP_PRIVATE | LKL_MAP_ANONYMOUS, -1, 0);
	return map < 0 && map > -4096 ? NULL : (void *)map;
}

void poll_done(void *room, size_t size)
{
	if (size > POLL_STACK)
		host2(SYS_munmap, room, size);
}

/* Does poll() concern the library?  If it cannot be read, the host says so. */
static bool poll_is_ours(long user, unsigned long n)
{
	struct pollfd fds[32];
	bool ours = false, nested = false;
	unsigned long i, k, some;

	if (n > FD_MAX)
		return false;
	for (i = 0; i < n; i += some) {
		some = n - i < array_size(fds) ? n - i : array_size(fds);
		if (!user_get(fds, user + i * sizeof(*fds),
			      some * sizeof(*fds)))
			return false;
		for (k = 0; k < some; k++) {
			uint32_t word = fd_word(fds[k].fd);

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

static long do_poll(long user, unsigned long n, const struct timespec *time,
		    const void *mask)
{
	size_t size = poll_size(n);
	char stack[size <= POLL_STACK ? size : 1]
		__attribute__((aligned(__alignof__(struct pollfd))));
	struct pollfd *fds;
	unsigned long i;
	long ret;

	/* More than there may be descriptors are refused. */
	ret = n > 256 ? own_call3(SYS_poll, 0, n, 0) : 0;
	if (ret == -EINVAL)
		return ret;
	fds = poll_room(stack, size);
	if (!fds)
		return -ENOMEM;
	ret = user_get(fds, user, n * sizeof(*fds))
		      ? poll_both(fds, n, time, mask)
		      : -EFAULT;
	for (i = 0; ret >= 0 && i < n; i++)
		if (!user_put(user + i * sizeof(*fds) +
				      offsetof(struct pollfd, revents),
			      &fds[i].revents, sizeof(fds[i].revents)))
			ret = -EFAULT;
	poll_done(fds, size);
	return ret;
}

long wait_poll(long nr, const long *a)
{
	struct timespec time = {
		.tv_sec = (int)a[2] / 1000,
		.tv_nsec = (int)a[2] % 1000 * 1000000L,
	};

	if (!poll_is_ours(a[0], (unsigned int)a[1]))
		return host_call(nr, a);
	return do_poll(a[0], (unsigned int)a[1], (int)a[2] < 0 ? NULL : &time,
		       NULL);
}

long wait_ppoll(long nr, const long *a)
{
	struct deadline deadline;
	struct timespec time;
	unsigned long mask;
	long ret;

	/* What is wrong with other arguments the host says, too. */
	if (!poll_is_ours(a[0], (unsigned int)a[1]) || !get_time(&time, a[2]) ||
	    !get_mask(&mask, a[3], a[4]))
		return host_call(nr, a);
	deadline = deadline_in(a[2] ? &time : NULL);
	ret = do_poll(a[0], (unsigned int)a[1], a[2] ? &time : NULL,
		      a[3] ? &mask : NULL);
	put_left(a[2], &deadline);
	return ret;
}
