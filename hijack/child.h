/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of a forked process share: the conversation with the owner
 * (child.c), calls (marshal.c, transfer.c), how it comes about (fork.c), and
 * how it goes on in another program (exec.c).
 */
#ifndef HIJACK_CHILD_H
#define HIJACK_CHILD_H

#include <net/if.h>
#include <net/route.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "share.h"
#include "x86/block.h"

/* This process's number, or -1, and its end of the socket. */
extern int child_number;
extern long child_control;

/* child.c */
void child_begin(int number, long control);
bool child_await(void *word, uint32_t val);
long child_join(int number, long control, long area);
void child_leave(void);
long child_enter(struct hijack_thread *t);
long child_done(struct hijack_thread *t, long ret);
long child_transact(struct share_link *link, long nr, const long *a);
long child_open_link(struct hijack_thread *t, const struct share_link *from);
void child_close_link(struct hijack_thread *t);
int child_link_number(const struct hijack_thread *t);

/* fork-process.c */
long fork_new_process(struct hijack_thread *t);
void fork_become_child(struct hijack_thread *t);

/* share-call.c */
long child_try(long nr, const long *a, bool *gone);

/* marshal.c */
const uint16_t *child_signature(long nr);
int child_ioctl_size(unsigned int cmd);
long child_call(struct share_link *link, long nr, const long *a);

/* transfer.c */
long transfer_call(struct share_link *link, long nr, const long *a);
long transfer_messages(struct share_link *link, long nr, const long *a);

/* What an argument points to is read, written, or both. */
#define ARG_IN (1 << 14)
#define ARG_OUT (1 << 15)
/* It is a structure, */
#define ARG_BYTES(size) (0 << 12 | (size))
/* as many of some size as another argument says, */
#define ARG_COUNT(n, size) (1 << 12 | (size) << 4 | (n))
/* as many bytes as another argument's target says, before and after, */
#define ARG_TARGET(n) (2 << 12 | (n))
/* or a string. */
#define ARG_STRING (3 << 12 | ARG_IN)

#define ARG_KIND(k) ((k)&3 << 12)
#define ARG_SIZE(k) ((k)&0xfff)
#define ARG_UNIT(k) ((k) >> 4 & 0xff)
#define ARG_WHICH(k) ((k)&0xf)

/* control.c: where the argument and what it points to are in the window */
#define CONTROL_ARGUMENT SHARE_HEAD
#define CONTROL_TARGET (SHARE_HEAD + 256)
size_t control_ethtool_size(uint32_t cmd);
bool control_is_route(unsigned int cmd);
bool control_has_pointer(unsigned int cmd);
long control_transact(struct share_link *link, const long *a, int family);

/* confine-control.c */
struct confined;
long control_confine(struct confined *c, const long *a, char *window);

/* confine.c */
long confine(struct confined *c, long nr, const long *a, char *window);
void confined_end(const struct confined *c);

/**
 * struct confined - a call of another process, with our pointers
 * @nr: its number
 * @a: its arguments
 * @length: what a TARGET's length points to
 * @lengths: where it is in the window, or NULL
 * @iov: its data
 * @msg: its message
 * @head: what a received message has beside its data, or NULL
 * @filter: a filter
 * @conf: where interfaces are told
 * @back: where @back_size bytes of @target are told, or NULL
 * @control: the argument of an ioctl() that has a pointer, to @target
 * @name: names of files that it changes
 * @copies: it sends data of which the kernel is to tell that it was copied
 */
#define CONFINED_NAME 320
#define CONFINED_TARGET 256
struct confined {
	long nr, a[6];
	unsigned int length, *lengths;
	struct iovec iov;
	struct msghdr msg;
	struct share_head *head;
	struct {
		unsigned short count;
		void *code;
	} filter;
	struct {
		int len;
		void *buf;
	} conf;
	char *back;
	size_t back_size;
	bool copies;
	/* No more of it is 0 at first. */
	char name[2][CONFINED_NAME];
	union {
		struct rtentry route;
		struct in6_rtmsg route6;
		struct ifreq request;
	} control;
	char target[CONFINED_TARGET];
};

/* Copy without vector registers. */
static inline void copy(void *to, const void *from, size_t n)
{
	block_copy(to, from, n);
}

static inline size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static inline char *head_of(struct share_link *link)
{
	return share->data[link - share->link];
}

static inline char *data_of(struct share_link *link)
{
	return head_of(link) + SHARE_HEAD;
}

/* How the owner is told of something in a link's window. */
static inline long place(struct share_link *link, const void *at)
{
	return (const char *)at - head_of(link);
}

#endif /* HIJACK_CHILD_H */
