/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of a forked process share: the conversation with the owner
 * (child.c), calls (marshal.c, transfer.c), how it comes about (fork.c), and
 * how it goes on in another program (exec.c).
 */
#ifndef HIJACK_CHILD_H
#define HIJACK_CHILD_H

#include "share.h"

/* This process's number, or -1, and its end of the socket. */
extern int child_number;
extern long child_control;

/* child.c */
void child_begin(int number, long control);
long child_say(int what, int index, long fd);
bool child_await(void *word, uint32_t val);
long child_transact(struct share_link *link, long nr, const long *a);

/* marshal.c */
long child_call(struct share_link *link, long nr, const long *a);

/* transfer.c */
long transfer_call(struct share_link *link, long nr, const long *a);
long transfer_messages(struct share_link *link, long nr, const long *a);

/* No socket has a longer address. */
#define CHILD_MAX_NAME 256

/* Copy without vector registers. */
static inline void copy(void *to, const void *from, size_t n)
{
	asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
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

#endif /* HIJACK_CHILD_H */
