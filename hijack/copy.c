// SPDX-License-Identifier: GPL-2.0-only
/*
 * sendfile(), splice() and friends between the two sides.
 *
 * Data is taken from one side without being consumed (pread, peek, tee), given
 * to the other, and what that has accepted is consumed: so nothing is lost when
 * the other side takes less, or nothing.
 */
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "internal.h"

/* How much of a file is mapped rather than read, and at once at most. */
#define MAP_MIN (64 * 1024)
#define MAP_MAX (2 * 1024 * 1024)

/* A call on a descriptor of either side. */
static long any6(long nr, long fd, long b, long c, long d, long e, long f)
{
	const long a[6] = { fd, b, c, d, e, f };

	return fd_call(nr, a);
}

#define any4(nr, fd, b, c, d)                                                  \
	any6(nr, fd, (long)(b), (long)(c), (long)(d), 0, 0)

static size_t at_most(size_t n)
{
	return n < COPY_SIZE ? n : COPY_SIZE;
}

/* What to return when @err came after @done bytes. */
static long done_or(long done, long err)
{
	return done ? done : err;
}

/*
 * Much of a file of the host at once: out of a mapping, which saves a copy.
 * Returns 0 if that cannot be done.
 */
static long copy_mapped(long out, long in, loff_t pos, size_t count)
{
	size_t skew = pos & 4095;
	struct stat st;
	long map, n;

	if (count < MAP_MIN || fd_is_lkl(in) || host2(SYS_fstat, in, &st) ||
	    !S_ISREG(st.st_mode) || pos + MAP_MIN > st.st_size)
		return 0;
	if (count > (size_t)(st.st_size - pos))
		count = st.st_size - pos;
	if (count > MAP_MAX)
		count = MAP_MAX;
	map = host6(SYS_mmap, 0, count + skew, PROT_READ, MAP_SHARED, in,
		    pos - skew);
	if (map < 0 && map > -4096)
		return 0;
	n = any4(SYS_write, out, map + skew, count, 0);
	host2(SYS_munmap, map, count + skew);
	/* Somebody has made it shorter meanwhile. */
	return n == -EFAULT ? 0 : n;
}

/* From a file with positions, at *@pos, to wherever. */
static long copy_file(long out, long in, loff_t *pos, size_t count)
{
	char *buffer = hijack_thread_buffer();
	long done = 0, n, m;

	if (!buffer)
		return -ENOMEM;
	while (count) {
		n = 0;
		m = copy_mapped(out, in, *pos, count);
		if (!m) {
			n = any4(SYS_pread64, in, buffer, at_most(count), *pos);
			if (n <= 0)
				return done_or(done, n);
			m = any4(SYS_write, out, buffer, n, 0);
		}
		if (m <= 0)
			return done_or(done, m);
		*pos += m;
		done += m;
		count -= m;
		if (m < n)
			break;
	}
	return done;
}

/*
 * What is wrong with one of the two descriptors: it is not there, or not for
 * reading or writing.  Both sides' flags are the same.
 */
static long check_mode(long fd, bool writes)
{
	long flags = any6(SYS_fcntl, fd, F_GETFL, 0, 0, 0, 0);

	if (flags < 0)
		return flags;
	flags &= O_ACCMODE | O_PATH;
	if (flags & O_PATH || flags == (writes ? O_RDONLY : O_WRONLY))
		return -EBADF;
	return 0;
}

/* Is it a pipe?  Those are the host's. */
static bool is_pipe(long fd)
{
	struct stat st;

	return !fd_is_lkl(fd) && !own_call3(SYS_fstat, fd, &st, 0) &&
	       S_ISFIFO(st.st_mode);
}

/*
 * The thread's pipe, to look at what is in another one.  A handler that
 * interrupts the thread does not find it there.
 */
static long peek_get(int *peek)
{
	struct hijack_thread *t = hijack_thread();
	long err;

	memcpy(peek, t->peek, sizeof(t->peek));
	t->peek[0] = t->peek[1] = 0;
	if (peek[1])
		return 0;
	err = host2(SYS_pipe2, peek, O_CLOEXEC | O_NONBLOCK);
	if (!err) {
		peek[0] = fd_own(peek[0]);
		peek[1] = fd_own(peek[1]);
	}
	return err;
}

static void peek_put(int *peek, bool empty)
{
	struct hijack_thread *t = hijack_thread();

	if (empty && !t->peek[1]) {
		memcpy(t->peek, peek, sizeof(t->peek));
		return;
	}
	fd_forget(peek[0]);
	fd_forget(peek[1]);
}

/**
 * copy_forget - close the thread's pipe: it ends, or its pipe is the parent's
 */
void copy_forget(void)
{
	struct hijack_thread *t = hijack_thread();

	if (t->peek[1]) {
		fd_forget(t->peek[0]);
		fd_forget(t->peek[1]);
	}
	t->peek[1] = 0;
}

/* Wait until a pipe of the host is ready, unless it was opened not to wait. */
static long await_pipe(long fd, short events, bool nonblock)
{
	struct pollfd pfd = { fd, events, 0 };
	long flags = own_call3(SYS_fcntl, fd, F_GETFL, 0);
	bool waits = !nonblock && !(flags & O_NONBLOCK);
	long n = host_wait_syscall(SYS_poll, (long)&pfd, 1, waits ? -1 : 0, 0,
				   0, 0);

	/* Nobody reads from it any more. */
	if (n > 0 && events & POLLOUT && pfd.revents & POLLERR)
		return host3(SYS_write, fd, &pfd, 1);
	return n ?: -EAGAIN;
}

/* From a pipe of the host to a socket of the library. */
static long pipe_to_lkl(long kfd, long in, size_t count, int flags)
{
	char *buffer = hijack_thread_buffer();
	int peek[2];
	long n, m, taken;

	if (!buffer)
		return -ENOMEM;
	n = await_pipe(in, POLLIN, flags & SPLICE_F_NONBLOCK);
	if (n < 0)
		return n;
	n = peek_get(peek);
	if (n < 0)
		return n;
	n = host4(SYS_tee, in, peek[1], at_most(count), SPLICE_F_NONBLOCK);
	m = n > 0 ? own_call3(SYS_read, peek[0], buffer, n) : n;
	peek_put(peek, n <= 0 || m == n);
	n = m;
	if (n <= 0)
		return n;
	/* It waits if the socket does, whatever is said of the pipe. */
	m = lkl6(SYS_sendto, kfd, (long)buffer, n,
		 flags & SPLICE_F_MORE ? MSG_MORE : 0, 0, 0);
	for (taken = 0; taken < m; taken += n) {
		n = own_call3(SYS_read, in, buffer, m - taken);
		if (n <= 0)
			break;
	}
	return m;
}

/* From a socket of the library to a pipe of the host. */
static long lkl_to_pipe(long out, long kfd, size_t count, int flags)
{
	char *buffer = hijack_thread_buffer();
	long n, m, room;
	int used;

	if (!buffer)
		return -ENOMEM;
	n = await_pipe(out, POLLOUT, flags & SPLICE_F_NONBLOCK);
	if (n < 0 || !count)
		return n < 0 ? n : 0;
	n = lkl6(SYS_recvfrom, kfd, (long)buffer, at_most(count), MSG_PEEK, 0,
		 0);
	if (n <= 0)
		return n;
	/* A pipe that has room takes a page at once, an empty one what fits. */
	if (host3(SYS_ioctl, out, FIONREAD, &used) || used)
		room = 4096;
	else
		room = own_call3(SYS_fcntl, out, F_GETPIPE_SZ, 0);
	m = host3(SYS_write, out, buffer, n < room ? n : room);
	if (m > 0)
		lkl6(SYS_recvfrom, kfd, (long)buffer, m, 0, 0, 0);
	return m;
}

long copy_sendfile(long nr, const long *a)
{
	uint32_t out = fd_word(a[0]), in = fd_word(a[1]);
	loff_t pos, start;
	long ret;

	if (likely(!((out | in) & FD_LKL)))
		return host_call(nr, a);
	if (out & in & FD_LKL)
		return lkl4(nr, fd_number(out), fd_number(in), a[2], a[3]);
	if (a[2] && !user_get(&pos, a[2], sizeof(pos)))
		return -EFAULT;
	ret = check_mode(a[1], false);
	if (ret)
		return ret;
	start = any4(SYS_lseek, a[1], 0, SEEK_CUR, 0);
	/* An epoll has a position, and cannot be read at one. */
	if (a[2] && (start < 0 ||
		     (!a[3] && any4(SYS_pread64, a[1], NULL, 0, 0) == -ESPIPE)))
		return -ESPIPE;
	if (!a[2])
		pos = start;
	if (start >= 0 && pos < 0)
		return -EINVAL;
	ret = check_mode(a[0], true);
	if (ret)
		return ret;
	/* To a pipe it is a splice(). */
	if (is_pipe(a[0]) && in & FD_LKL && !a[2])
		return lkl_to_pipe(a[0], fd_number(in), a[3], 0);
	/* What has no positions cannot be read again. */
	if (start < 0)
		return -EINVAL;
	ret = copy_file(a[0], a[1], &pos, a[3]);
	if (a[2] && !user_put(a[2], &pos, sizeof(pos)))
		return -EFAULT;
	if (!a[2] && ret > 0)
		any4(SYS_lseek, a[1], pos, SEEK_SET, 0);
	/* It has a position, and nothing there. */
	return ret == -ESPIPE && !a[2] ? -EINVAL : ret;
}

#define SPLICE_FLAGS                                                           \
	(SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)

/* All is checked before anything waits, in the kernel's order. */
static long splice_check(const long *a)
{
	bool from = is_pipe(a[0]), to = is_pipe(a[2]);
	loff_t offset;
	long err;

	if (a[5] & ~SPLICE_FLAGS)
		return -EINVAL;
	/* They are open. */
	err = any6(SYS_fcntl, a[0], F_GETFD, 0, 0, 0, 0);
	if (err >= 0)
		err = any6(SYS_fcntl, a[2], F_GETFD, 0, 0, 0, 0);
	if (err < 0)
		return err;
	if ((from && a[1]) || (to && a[3]))
		return -ESPIPE;
	if ((a[1] && !user_get(&offset, a[1], sizeof(offset))) ||
	    (a[3] && !user_get(&offset, a[3], sizeof(offset))))
		return -EFAULT;
	err = check_mode(a[0], false);
	if (!err)
		err = check_mode(a[2], true);
	if (err)
		return err;
	/* One of the two is a pipe, and sockets have no positions. */
	return from == to || a[1] || a[3] ? -EINVAL : 0;
}

long copy_splice(long nr, const long *a)
{
	uint32_t in = fd_word(a[0]), out = fd_word(a[2]);
	long err;

	if (likely(!((out | in) & FD_LKL)))
		return host_call(nr, a);
	if (!a[4])
		return 0;
	err = splice_check(a);
	if (err)
		return err;
	return in & FD_LKL ? lkl_to_pipe(a[2], fd_number(in), a[4], a[5])
			   : pipe_to_lkl(fd_number(out), a[0], a[4], a[5]);
}

/* Both have to be pipes. */
long copy_tee(long nr, const long *a)
{
	long err;

	if (likely(!((fd_word(a[0]) | fd_word(a[1])) & FD_LKL)))
		return host_call(nr, a);
	if (a[3] & ~SPLICE_FLAGS)
		return -EINVAL;
	if (!a[2])
		return 0;
	err = check_mode(a[0], false);
	if (!err)
		err = check_mode(a[1], true);
	return err ?: -EINVAL;
}

/* Programs copy by hand what this cannot. */
long copy_range(long nr, const long *a)
{
	return (fd_word(a[0]) | fd_word(a[2])) & FD_LKL ? -EXDEV
							: host_call(nr, a);
}
