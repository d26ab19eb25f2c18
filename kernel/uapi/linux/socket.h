/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */

#include <linux/types.h>
#include <linux/uio.h>

#define sockaddr_storage __kernel_sockaddr_storage
#define msghdr user_msghdr

typedef __kernel_sa_family_t sa_family_t;
typedef __u32 socklen_t;

struct sockaddr {
	sa_family_t	sa_family;
	char		sa_data[14];
};

struct linger {
	int		l_onoff;
	int		l_linger;	/* seconds */
};

struct ucred {
	__u32		pid;
	__u32		uid;
	__u32		gid;
};

struct user_msghdr {
	void		*msg_name;
	int		msg_namelen;
	struct iovec	*msg_iov;
	__kernel_size_t	msg_iovlen;
	void		*msg_control;
	__kernel_size_t	msg_controllen;
	unsigned int	msg_flags;
};

struct mmsghdr {
	struct user_msghdr msg_hdr;
	unsigned int	msg_len;
};

struct cmsghdr {
	__kernel_size_t	cmsg_len;	/* with this header */
	int		cmsg_level;
	int		cmsg_type;
};

/* Walking the control messages of a struct user_msghdr. */
#define CMSG_ALIGN(len)	(((len) + sizeof(long) - 1) & ~(sizeof(long) - 1))
#define CMSG_SPACE(len)	(sizeof(struct cmsghdr) + CMSG_ALIGN(len))
#define CMSG_LEN(len)	(sizeof(struct cmsghdr) + (len))
#define CMSG_DATA(cmsg)	((unsigned char *)((struct cmsghdr *)(cmsg) + 1))
#define CMSG_FIRSTHDR(msg)						\
	((msg)->msg_controllen >= sizeof(struct cmsghdr) ?		\
	 (struct cmsghdr *)(msg)->msg_control : (struct cmsghdr *)0)
#define CMSG_NXTHDR(msg, cmsg)	cmsg_nxthdr(msg, cmsg)

static __inline__ struct cmsghdr *cmsg_nxthdr(const struct user_msghdr *msg,
					      const struct cmsghdr *cmsg)
{
	unsigned long end = (unsigned long)msg->msg_control +
			    msg->msg_controllen;
	unsigned long next = (unsigned long)cmsg + CMSG_ALIGN(cmsg->cmsg_len);

	if (cmsg->cmsg_len < sizeof(*cmsg) || end < sizeof(*cmsg) ||
	    next > end - sizeof(*cmsg))
		return 0;
	return (struct cmsghdr *)next;
}
