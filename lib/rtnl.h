/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LKL_RTNL_H
#define LKL_RTNL_H

#include <stddef.h>
#include <stdint.h>
#include <libmnl/libmnl.h>

/* Enough for any request; all that is put into one has a bounded size. */
#define RTNL_REQUEST_SIZE 1024

/**
 * rtnl_request - begin a message
 * @buf: room for RTNL_REQUEST_SIZE bytes, aligned as a struct nlmsghdr
 * @type: LKL_RTM_*
 * @flags: LKL_NLM_F_* besides those of every request
 * @head: structure that the type wants, like struct lkl_ifinfomsg
 * @len: its size
 *
 * Return: the message, for libmnl to put attributes in
 */
struct nlmsghdr *rtnl_request(void *buf, int type, int flags, const void *head,
			      size_t len);

/**
 * rtnl_talk - send a message and receive what the kernel says
 * @nlh: the message
 * @fn: called for each message of an answer; may be NULL
 * @arg: given to it
 *
 * Return: 0 or the negative error number with which the kernel refused
 */
int rtnl_talk(struct nlmsghdr *nlh, mnl_cb_t fn, void *arg);

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

/* As lkl_qdisc_parse_add() and lkl_sysctl_parse_write(), but tell. */
int rtnl_qdiscs(int ifindex, const char *entries);
int rtnl_sysctls(const char *sysctls);

#endif /* LKL_RTNL_H */
