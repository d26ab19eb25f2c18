// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets of the library that are passed on by messages of the host's sockets
 * (SCM_RIGHTS).
 *
 * What is sent is a carrier: an end of a pair of sockets, in which a label lies
 * with a token.  The owner of the kernel holds the file meanwhile, as a parcel,
 * and the pair's other end: when all carriers have been closed, nobody will ask
 * for it any more.  A process that receives a carrier shows the owner the
 * token, once, and gets the file.  For a process outside the family it is a
 * socket that is connected to nothing.
 */
#include <fcntl.h>
#include <sys/socket.h>

#include "child.h"
#include "parcel.h"

/* As many of one process's can be under way. */
#define PARCELS_OF_ONE 256

#define MAGIC 0x6c6b6c2063617272UL

struct label {
	uint64_t magic;
	struct share_token token;
};

/**
 * struct parcel - a file that is under way
 * @used: it is one
 * @process: the process that has sent it, or -1 for this one
 * @token: what it is handed out for
 * @end: the carrier's other end, + 1, once it is here
 * @file: the file
 */
static struct parcel {
	bool used;
	int process;
	struct share_token token;
	long end;
	struct lkl_share_file file;
} parcels[SHARE_PARCELS];

static bool is_same(const struct share_token *a, const struct share_token *b)
{
	return a->half[0] == b->half[0] && a->half[1] == b->half[1];
}

/* Called with the lock held; the file is the caller's. */
static void take_out(struct parcel *p)
{
	if (p->end) {
		share_hear_no_more(p->end - 1);
		fd_forget(p->end - 1);
	}
	p->end = 0;
	p->used = false;
}

static void drop(struct parcel *p)
{
	struct lkl_share_file file = p->file;

	take_out(p);
	lkl_kernel_call(lkl_share_drop, &file);
}

/**
 * parcel_park - hold a file of the calling thread's process
 * @process: its number, or -1
 * @kfd: descriptor in the library's kernel
 * @token: what to hand it out for
 *
 * Return: the parcel's number, or a negative error number
 */
long parcel_park(int process, long kfd, struct share_token token)
{
	struct lkl_share_file file = { .fd = kfd };
	struct parcel *p = NULL;
	int i, own = 0;
	long err;

	err = lkl_kernel_call(lkl_share_hold, &file);
	if (err)
		return err;
	share_lock();
	for (i = 0; i < SHARE_PARCELS; i++) {
		if (!parcels[i].used)
			p = &parcels[i];
		else
			own += parcels[i].process == process;
	}
	if (p && own < PARCELS_OF_ONE)
		*p = (struct parcel){ .used = true,
				      .process = process,
				      .token = token,
				      .file = file };
	else
		p = NULL;
	share_unlock();
	if (p)
		return p - parcels;
	lkl_kernel_call(lkl_share_drop, &file);
	return -ETOOMANYREFS;
}

/**
 * parcel_follow - have the other end of a parcel's carrier
 * @process: the process that says so
 * @index: the parcel
 * @token: its token
 * @fd: the end; closed if there is no such parcel any more
 *
 * Called with the lock held.
 */
void parcel_follow(int process, unsigned int index,
		   const struct share_token *token, long fd)
{
	struct parcel *p = &parcels[index % SHARE_PARCELS];

	if (fd < 0)
		return;
	if (index < SHARE_PARCELS && p->used && p->process == process &&
	    !p->end && is_same(&p->token, token) &&
	    !share_hear_from(fd, SHARE_PARCEL + index))
		p->end = fd + 1;
	else
		fd_forget(fd);
}

/**
 * parcel_claim - give the calling thread's process a file that was sent to it
 * @token: for the file
 *
 * Return: its descriptor, or a negative error number
 */
long parcel_claim(struct share_token token)
{
	struct lkl_share_file file;
	long ret = -ENOENT;
	int i;

	share_lock();
	for (i = 0; i < SHARE_PARCELS; i++)
		if (parcels[i].used && is_same(&parcels[i].token, &token)) {
			file = parcels[i].file;
			take_out(&parcels[i]);
			ret = 0;
			break;
		}
	share_unlock();
	if (!ret) {
		ret = lkl_kernel_call(lkl_share_take, &file);
		if (ret < 0)
			lkl_kernel_call(lkl_share_drop, &file);
	}
	return ret;
}

/**
 * parcel_lost - nobody has a parcel's carrier any more
 * @id: what the keeper knows it by
 */
void parcel_lost(unsigned int id)
{
	struct parcel *p = &parcels[id - SHARE_PARCEL];

	share_lock();
	if (p->used && p->end)
		drop(p);
	share_unlock();
}

/**
 * parcel_gone - a process has ended; called with the lock held
 * @process: its number
 */
void parcel_gone(int process)
{
	int i;

	/* Whose carrier is not known nobody has been sent. */
	for (i = 0; i < SHARE_PARCELS; i++)
		if (parcels[i].used && parcels[i].process == process &&
		    !parcels[i].end)
			drop(&parcels[i]);
}

/**
 * parcel_forked - in a child: it holds nothing
 */
void parcel_forked(void)
{
	int i;

	for (i = 0; i < SHARE_PARCELS; i++)
		parcels[i].used = false;
}

/*
 * Sending
 */

/* A carrier for a file of the library, or a negative error number. */
static long make_carrier(long kfd)
{
	struct label label = { .magic = MAGIC };
	struct share_message message = { .what = SHARE_CARRIER };
	bool child = share_process() >= 0;
	long ret, ends[2];
	int pair[2];

	if (!child && !share_serves())
		return -EOPNOTSUPP;
	if (own_call3(SYS_getrandom, &label.token, sizeof(label.token), 0) !=
	    sizeof(label.token))
		return -EAGAIN;
	ret = own_call4(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC,
			0, pair);
	if (ret)
		return ret;
	ends[0] = fd_own(pair[0]);
	ends[1] = fd_own(pair[1]);
	ret = own_call3(SYS_write, ends[1], &label, sizeof(label));
	if (ret == sizeof(label))
		ret = child ? share_call(SHARE_PARK,
					 (long[6]){ kfd, label.token.half[0],
						    label.token.half[1] })
			    : parcel_park(-1, kfd, label.token);
	if (ret < 0) {
		fd_forget(ends[0]);
		fd_forget(ends[1]);
		return ret;
	}
	if (child) {
		message.index = ret;
		message.token = label.token;
		share_send_message(child_control, &message, ends[1]);
		fd_forget(ends[1]);
	} else {
		share_lock();
		parcel_follow(-1, ret, &label.token, ends[1]);
		share_unlock();
	}
	return ends[0];
}

/* The next header of control data at a place, or NULL; there is room for it. */
static struct cmsghdr *header_at(char *control, size_t at, size_t len)
{
	struct cmsghdr *c = (void *)(control + at);

	return at + sizeof(*c) <= len && c->cmsg_len >= sizeof(*c) &&
			       c->cmsg_len <= len - at
		       ? c
		       : NULL;
}

/* How many descriptors it has; where they are. */
static size_t rights_of(struct cmsghdr *c, int **fds)
{
	*fds = (int *)CMSG_DATA(c);
	return c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS
		       ? (c->cmsg_len - CMSG_LEN(0)) / sizeof(int)
		       : 0;
}

/**
 * parcel_pack - replace the library's descriptors in a message by carriers
 * @msg: the program's message; a copy, whose control data is replaced
 * @p: room, for parcel_sent()
 *
 * Return: whether there are any, or a negative error number
 */
long parcel_pack(struct msghdr *msg, struct parcels *p)
{
	size_t len = msg->msg_control ? msg->msg_controllen : 0, at = 0, i, n;
	struct cmsghdr *c;
	long carrier;
	int *fds;

	p->n = 0;
	/* What cannot be read or is too long is the kernel's to refuse. */
	if (len > sizeof(p->control) ||
	    !user_get(p->control, (long)msg->msg_control, len))
		return 0;
	for (; (c = header_at(p->control, at, len));
	     at += CMSG_ALIGN(c->cmsg_len)) {
		n = rights_of(c, &fds);
		for (i = 0; i < n && p->n < PARCEL_FDS; i++) {
			uint32_t word = fd_word(fds[i]);

			if (!(word & (FD_LKL | FD_OWN)))
				continue;
			carrier = word & FD_LKL ? make_carrier(fd_number(word))
						: -EBADF;
			if (carrier < 0) {
				parcel_sent(p);
				return carrier;
			}
			p->carrier[p->n++] = carrier;
			fds[i] = carrier;
		}
	}
	if (p->n)
		msg->msg_control = p->control;
	return p->n;
}

/**
 * parcel_sent - the message has been sent, or has not
 * @p: what parcel_pack() has filled in
 */
void parcel_sent(const struct parcels *p)
{
	unsigned int i;

	for (i = 0; i < p->n; i++)
		fd_forget(p->carrier[i]);
}

/*
 * Receiving
 */

static void unpack(long fd)
{
	struct label label;
	int type = 0, size = sizeof(type);
	long kfd, flags, own;

	if (raw_syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, (long)&type,
			(long)&size, 0) ||
	    type != SOCK_SEQPACKET ||
	    raw_syscall(SYS_recvfrom, fd, (long)&label, sizeof(label),
			MSG_PEEK | MSG_DONTWAIT, 0, 0) != sizeof(label) ||
	    label.magic != MAGIC || fd >= FD_MAX)
		return;
	fd_expect_socket();
	if (hijack_need())
		return;
	kfd = share_process() >= 0
		      ? share_call(SHARE_CLAIM,
				   (long[6]){ label.token.half[0],
					      label.token.half[1] })
		      : parcel_claim(label.token);
	if (kfd < 0) {
		hijack_say("a socket that was received cannot be used: ",
			   "it is of another network");
		return;
	}
	flags = own_call3(SYS_fcntl, fd, F_GETFD, 0);
	own = numbers_placeholder(true);
	own_call3(SYS_dup3, own < 0 ? numbers_shared() : own, fd,
		  flags & FD_CLOEXEC ? O_CLOEXEC : 0);
	if (own >= 0)
		own_call3(SYS_close, own, 0, 0);
	fd_set_word(fd, FD_LKL | kfd);
}

static void unpack_all(const struct msghdr *msg)
{
	size_t len = msg->msg_control ? msg->msg_controllen : 0, at = 0, i, n;
	char control[PARCEL_CONTROL] __attribute__((aligned(16)));
	struct cmsghdr *c;
	int *fds;

	if (len < sizeof(*c) || len > sizeof(control) ||
	    !user_get(control, (long)msg->msg_control, len))
		return;
	for (; (c = header_at(control, at, len));
	     at += CMSG_ALIGN(c->cmsg_len)) {
		n = rights_of(c, &fds);
		for (i = 0; i < n; i++)
			unpack(fds[i]);
	}
}

/* recvmsg() */
long parcel_recvmsg(long nr, const long *a)
{
	long ret = fd_call(nr, a);
	struct msghdr msg;

	if (ret >= 0 && !(fd_word(a[0]) & FD_LKL) && !(a[2] & MSG_PEEK) &&
	    user_get(&msg, a[1], sizeof(msg)))
		unpack_all(&msg);
	return ret;
}

/* recvmmsg() */
long parcel_recvmmsg(long nr, const long *a)
{
	long ret = fd_call(nr, a), i;
	struct mmsghdr msg;

	if (fd_word(a[0]) & FD_LKL || a[3] & MSG_PEEK)
		return ret;
	for (i = 0;
	     i < ret && user_get(&msg, a[1] + i * sizeof(msg), sizeof(msg));
	     i++)
		unpack_all(&msg.msg_hdr);
	return ret;
}
