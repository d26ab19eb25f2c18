// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSG_ZEROCOPY for a process whose memory the kernel does not see: what it sends is
 * copied, and its sockets say so, as they do when it leaves by an interface that needs
 * a copy.
 */
#include <linux/net.h>
#include <linux/skbuff.h>
#include <net/sock.h>
#include <uapi/asm/share.h>

/* A notification with the socket's next number, or NULL. */
static struct ubuf_info *lkl_copy_notification(struct sock *sk)
{
	struct ubuf_info *uarg;

	lock_sock(sk);
	/* No page is pinned. */
	uarg = msg_zerocopy_realloc(sk, 0, NULL);
	if (uarg)
		uarg_to_msgzc(uarg)->zerocopy = 0;
	release_sock(sk);
	return uarg;
}

long lkl_share_copy_begin(void *arg)
{
	struct lkl_share_copy *copy = arg;
	struct socket *sock;
	int err;

	copy->notification = NULL;
	sock = sockfd_lookup(copy->fd, &err);
	/* What is to be sent to it says why not. */
	if (!sock)
		return 0;
	err = 0;
	if (sock_flag(sock->sk, SOCK_ZEROCOPY)) {
		copy->notification = lkl_copy_notification(sock->sk);
		err = copy->notification ? 0 : -ENOBUFS;
	}
	sockfd_put(sock);
	return err;
}

long lkl_share_copy_end(void *arg)
{
	struct lkl_share_copy *copy = arg;
	struct ubuf_info *uarg = copy->notification;
	/* It lies in a buffer that keeps the socket. */
	struct sock *sk = container_of((void *)uarg_to_msgzc(uarg), struct sk_buff, cb)->sk;

	if (copy->sent) {
		net_zcopy_put(uarg);
		return 0;
	}
	sock_hold(sk);
	lock_sock(sk);
	net_zcopy_put_abort(uarg, true);
	release_sock(sk);
	sock_put(sk);
	return 0;
}
