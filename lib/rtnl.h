/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LKL_RTNL_H
#define LKL_RTNL_H

#include <stddef.h>
#include <stdint.h>

#include <lkl.h>

/*
 * Messages.  libmnl does the same, but Debian has no static version of it.
 */

/* Enough for any request; all that is put into one has a bounded size. */
#define RTNL_REQUEST_SIZE 1024

/**
 * rtnl_request - begin a message
 * @buf: room for RTNL_REQUEST_SIZE bytes, aligned as a struct lkl_nlmsghdr
 * @type: LKL_RTM_*
 * @flags: LKL_NLM_F_* besides those of every request
 * @head: structure that the type wants, like struct lkl_ifinfomsg
 * @len: its size
 *
 * Return: the message
 */
struct lkl_nlmsghdr *rtnl_request(void *buf, int type, int flags,
				  const void *head, size_t len);

/* Make a message longer by zeroed space, or by an attribute. */
void *rtnl_put_space(struct lkl_nlmsghdr *nlh, size_t len);
void rtnl_put(struct lkl_nlmsghdr *nlh, int type, size_t len, const void *data);
void rtnl_put_u32(struct lkl_nlmsghdr *nlh, int type, uint32_t value);
void rtnl_put_u64(struct lkl_nlmsghdr *nlh, int type, uint64_t value);
void rtnl_put_string(struct lkl_nlmsghdr *nlh, int type, const char *value);

/* An attribute that holds what is put until it is ended. */
struct lkl_nlattr *rtnl_nest(struct lkl_nlmsghdr *nlh, int type);
void rtnl_nest_end(struct lkl_nlmsghdr *nlh, struct lkl_nlattr *attr);

/* Called for each message of an answer. */
typedef void rtnl_answer(const struct lkl_nlmsghdr *nlh, void *arg);

/**
 * rtnl_talk - send a message and receive what the kernel says
 * @nlh: the message, which asks for one object or changes something
 * @fn: called for each message of an answer; may be NULL
 * @arg: given to it
 *
 * Return: 0 or the negative error number with which the kernel refused
 */
int rtnl_talk(const struct lkl_nlmsghdr *nlh, rtnl_answer *fn, void *arg);

/**
 * rtnl_entries - do something with each entry of a list like "a|b;c|d"
 * @list: entries separated by semicolons; space around them and empty ones do
 *	not count
 * @fn: what to do; may change the entry.  The first to return other than 0 ends
 *	it
 * @arg: given to it
 *
 * Return: what @fn returned last, 0 for an empty list, or -LKL_ENOMEM
 */
int rtnl_entries(const char *list, int (*fn)(char *entry, void *arg),
		 void *arg);

/* Have all traffic sent to an interface that needs to know no neighbours. */
int rtnl_default_route(int ifindex, int af);

/* As lkl_qdisc_parse_add() and lkl_sysctl_parse_write(), but tell. */
int rtnl_qdiscs(int ifindex, const char *entries);
int rtnl_sysctls(const char *sysctls);

#endif /* LKL_RTNL_H */
