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

long copy_sendfile(long nr, const long *a)
{
	uint32_t out = fd_word(a[0]), in = fd_word(a[1]);
	loff_t *offset = (void *)a[2], pos;
	long ret;

	if (likely(!((out | in) & FD_LKL)))
		return host_call(nr, a);
	if (out & in & FD_LKL)
		return lkl4(nr, fd_number(out), fd_number(in), a[2], a[3]);
	if (offset)
		return copy_file(a[0], a[1], offset, a[3]);
	pos = any4(SYS_lseek, a[1], 0, SEEK_CUR, 0);
	if (pos < 0)
		return pos;
	ret = copy_file(a[0], a[1], &pos, a[3]);
	if (ret > 0)
		any4(SYS_lseek, a[1], pos, SEEK_SET, 0);
	return ret;
}

/*
 * A pipe to look at what is in another one, the thread's, which somebody who
 * interrupts it does not find there.
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

/* From a pipe of the host to a socket of the library. */
static long pipe_to_lkl(long kfd, long in, size_t count, int flags)
{
	char *buffer = hijack_thread_buffer();
	int peek[2];
	long n, m, taken;

	if (!buffer)
		return -ENOMEM;
	n = peek_get(peek);
	if (n < 0)
		return n;
	n = host4(SYS_tee, in, peek[1], at_most(count),
		  flags & SPLICE_F_NONBLOCK);
	m = n > 0 ? own_call3(SYS_read, peek[0], buffer, n) : n;
	peek_put(peek, n <= 0 || m == n);
	n = m;
	if (n <= 0)
		return n;
	m = lkl6(SYS_sendto, kfd, (long)buffer, n,
		 (flags & SPLICE_F_NONBLOCK ? MSG_DONTWAIT : 0) |
			 (flags & SPLICE_F_MORE ? MSG_MORE : 0),
		 0, 0);
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
	struct pollfd fd = { out, POLLOUT, 0 };
	long n, m, room;
	int used;

	if (!buffer)
		return -ENOMEM;
	n = host3(SYS_poll, &fd, 1, flags & SPLICE_F_NONBLOCK ? 0 : -1);
	if (n <= 0)
		return n ?: -EAGAIN;
	n = lkl6(SYS_recvfrom, kfd, (long)buffer, at_most(count),
		 MSG_PEEK | (flags & SPLICE_F_NONBLOCK ? MSG_DONTWAIT : 0), 0,
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

long copy_splice(long nr, const long *a)
{
	uint32_t in = fd_word(a[0]), out = fd_word(a[2]);
	struct stat st;

	if (likely(!((out | in) & FD_LKL)))
		return host_call(nr, a);
	/* One of the two is a pipe, and those are the host's. */
	if (out & in & FD_LKL)
		return -EINVAL;
	if (a[1] || a[3])
		return -ESPIPE;
	if (host2(SYS_fstat, in & FD_LKL ? a[2] : a[0], &st) ||
	    !S_ISFIFO(st.st_mode))
		return -EINVAL;
	return in & FD_LKL ? lkl_to_pipe(a[2], fd_number(in), a[4], a[5])
			   : pipe_to_lkl(fd_number(out), a[0], a[4], a[5]);
}

/* Both have to be pipes. */
long copy_tee(long nr, const long *a)
{
	return (fd_word(a[0]) | fd_word(a[1])) & FD_LKL ? -EINVAL
							: host_call(nr, a);
}

/* Programs copy by hand what this cannot. */
long copy_range(long nr, const long *a)
{
	return (fd_word(a[0]) | fd_word(a[2])) & FD_LKL ? -EXDEV
							: host_call(nr, a);
}
