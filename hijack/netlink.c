// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages to rtnetlink: those about interfaces and namespaces name a namespace
 * by a descriptor or a process, as "ip link set DEVICE netns NAME" does.  Both
 * are numbers of the program's; the library's kernel gets its own.
 */
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "internal.h"

/* Programs send them in one piece, and small. */
#define MAX_PARTS 16
/* Namespaces of processes, which are open while the message is sent. */
#define MAX_OPENED 4

/**
 * struct change - a message that is being looked at
 * @changed: there was something to change
 * @opened: numbers in the library's kernel to close
 * @n_opened: how many
 */
struct change {
	bool changed;
	long opened[MAX_OPENED];
	int n_opened;
};

/* The next attribute of those up to @end, or NULL. */
static struct rtattr *next(struct rtattr *at, const char *end, bool first)
{
	if (!first)
		at = (void *)((char *)at + RTA_ALIGN(at->rta_len));
	if ((char *)at + sizeof(*at) > end || at->rta_len < sizeof(*at) ||
	    (char *)at + at->rta_len > end)
		return NULL;
	return at;
}

#define for_each(at, start, end)                                               \
	for (at = next((void *)(start), end, true); at;                        \
	     at = next(at, end, false))

static int type_of(const struct rtattr *at)
{
	return at->rta_type & NLA_TYPE_MASK;
}

static const char *end_of(const struct rtattr *at)
{
	return (const char *)at + at->rta_len;
}

static void change_fd(struct change *c, struct rtattr *at)
{
	int *value = RTA_DATA(at);
	uint32_t word = fd_word(*value);

	/* One of the host's is no namespace of the library's. */
	*value = word & FD_LKL ? (int)fd_number(word) : -1;
	c->changed = true;
}

static void change_pid(struct change *c, struct rtattr *at, int fd_type)
{
	int *value = RTA_DATA(at);
	long fd = c->n_opened < MAX_OPENED ? netns_open(*value) : -EMFILE;

	c->changed = true;
	if (fd < 0) {
		/* No process has this number. */
		*value = INT32_MAX;
		return;
	}
	c->opened[c->n_opened++] = fd;
	at->rta_type = fd_type;
	*value = fd;
}

static void change_one(struct change *c, struct rtattr *at, int fd_type,
		       int pid_type)
{
	if (at->rta_len < RTA_LENGTH(sizeof(int)))
		return;
	if (type_of(at) == fd_type)
		change_fd(c, at);
	else if (type_of(at) == pid_type)
		change_pid(c, at, fd_type);
}

static void change_link(struct change *c, char *start, const char *end);

/* The other end of a pair has all that an interface has. */
static void change_peer(struct change *c, struct rtattr *info)
{
	struct rtattr *at, *peer;

	for_each(at, RTA_DATA(info),
		 end_of(info)) if (type_of(at) == IFLA_INFO_DATA)
		for_each(peer, RTA_DATA(at),
			 end_of(at)) if (type_of(peer) == VETH_INFO_PEER &&
					 peer->rta_len >=
						 RTA_LENGTH(sizeof(
							 struct ifinfomsg)))
			change_link(c,
				    (char *)RTA_DATA(peer) +
					    sizeof(struct ifinfomsg),
				    end_of(peer));
}

/* Of what kind is the interface? */
static bool is_pair(struct rtattr *info)
{
	static const char *const kinds[] = { "veth", "vxcan", "netkit" };
	struct rtattr *at;
	size_t i, len;

	for_each(at, RTA_DATA(info),
		 end_of(info)) for (i = 0; i < array_size(kinds); i++)
	{
		len = strlen(kinds[i]);
		if (type_of(at) == IFLA_INFO_KIND &&
		    at->rta_len >= RTA_LENGTH(len) &&
		    !strncmp(RTA_DATA(at), kinds[i], len))
			return true;
	}
	return false;
}

static void change_link(struct change *c, char *start, const char *end)
{
	struct rtattr *at;

	for_each(at, start, end)
	{
		change_one(c, at, IFLA_NET_NS_FD, IFLA_NET_NS_PID);
		if (type_of(at) == IFLA_LINKINFO && is_pair(at))
			change_peer(c, at);
	}
}

static void change_id(struct change *c, char *start, const char *end)
{
	struct rtattr *at;

	for_each(at, start, end) change_one(c, at, NETNSA_FD, NETNSA_PID);
}

static void change_all(struct change *c, char *at, size_t size)
{
	char *end = at + size;
	struct nlmsghdr *h;

	while (at + sizeof(*h) <= end) {
		h = (void *)at;
		if (h->nlmsg_len < sizeof(*h) ||
		    h->nlmsg_len > (size_t)(end - at))
			return;
		switch (h->nlmsg_type) {
		case RTM_NEWLINK:
		case RTM_DELLINK:
		case RTM_GETLINK:
		case RTM_SETLINK:
			change_link(c,
				    at + NLMSG_SPACE(sizeof(struct ifinfomsg)),
				    at + h->nlmsg_len);
			break;
		case RTM_NEWNSID:
		case RTM_DELNSID:
		case RTM_GETNSID:
			change_id(c, at + NLMSG_SPACE(sizeof(struct rtgenmsg)),
				  at + h->nlmsg_len);
			break;
		}
		at += NLMSG_ALIGN(h->nlmsg_len);
	}
}

/* All of a message in one piece; its size, or a negative error number. */
static long gather(char *to, const struct msghdr *msg)
{
	struct iovec parts[MAX_PARTS];
	size_t size = 0, i;

	if (msg->msg_iovlen > MAX_PARTS ||
	    !user_get(parts, (long)msg->msg_iov,
		      msg->msg_iovlen * sizeof(*parts)))
		return -EFAULT;
	for (i = 0; i < msg->msg_iovlen; i++) {
		if (parts[i].iov_len > COPY_SIZE - size ||
		    !user_get(to + size, (long)parts[i].iov_base,
			      parts[i].iov_len))
			return -EFAULT;
		size += parts[i].iov_len;
	}
	return size;
}

/**
 * netlink_send - make a call that sends to rtnetlink
 * @nr: SYS_sendto or SYS_sendmsg
 * @a: arguments
 *
 * What cannot be copied has a pointer that is for the kernel to refuse, or is
 * larger than any message that names a namespace.
 */
long netlink_send(long nr, const long *a)
{
	char *buffer = hijack_thread_buffer();
	struct change c = { .changed = false };
	struct msghdr msg = { .msg_iovlen = 1 };
	struct iovec iov = { buffer, a[2] };
	long b[6] = { a[0], (long)buffer, a[2], a[3], a[4], a[5] }, size, ret;

	if (!buffer)
		return -ENOMEM;
	if (nr == SYS_sendmsg) {
		if (!user_get(&msg, a[1], sizeof(msg)))
			return fd_call(nr, a);
		size = gather(buffer, &msg);
		iov.iov_len = size;
		msg.msg_iov = &iov;
		msg.msg_iovlen = 1;
		b[1] = (long)&msg;
	} else {
		size = (unsigned long)a[2] <= COPY_SIZE &&
				       user_get(buffer, a[1], a[2])
			       ? a[2]
			       : -EFAULT;
	}
	if (size > 0)
		change_all(&c, buffer, size);
	ret = fd_call(nr, c.changed ? b : a);
	while (c.n_opened)
		lkl1(SYS_close, c.opened[--c.n_opened]);
	return ret;
}
