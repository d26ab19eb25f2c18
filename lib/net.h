/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What wires (lib/net/NAME.c) and the network device (lib/net.c) share.
 */
#ifndef LIB_NET_H
#define LIB_NET_H

#include <stdbool.h>
#include <sys/uio.h>

#include <lkl_host.h>
#include <lkl/linux/virtio_net.h>
#include "message.h"

/* A mask of virtio-net feature bits, for those that fit into an int. */
#define OFFLOAD(name) (1U << LKL_VIRTIO_NET_F_##name)

/* The longest frame, with Ethernet's header, a VLAN tag and a vnet header. */
#define FRAME_MAX (12 + 18 + 65535)

/*
 * Set by an interception that has taken all low numbers of descriptors while
 * wires are made: it gives back one below FD_SETSIZE, for a library that calls
 * select().
 */
extern void (*lkl_net_low_number)(void);

/* Set by an interception: move a descriptor out of the program's way, and close
 * one that may have been moved. */
extern int (*lkl_net_own)(int fd);
extern void (*lkl_net_forget)(int fd);

/* Keep a descriptor that was opened while the program runs; returns its number
 * from here on, or a negative one and errno. */
int lkl_net_keep(int fd);
void lkl_net_close(int fd);

/* Is this a mask that makes sense?  Says why not. */
bool lkl_net_check_offload(const char *wire, unsigned int offload);

/**
 * struct fd_wire - a wire of one or two descriptors; may begin a larger one
 *
 * @nd: what the device sees
 * @in: descriptor to receive from
 * @out: descriptor to send to, maybe the same
 * @socket: their type SOCK_*, or 0
 * @wakeup: eventfd that makes poll() end
 * @epoll: all of them
 * @shared: @in is in @epoll, and in the listeners'
 * @netlink: tells of changes of the host's interface @ifindex, or -1
 */
struct fd_wire {
	struct lkl_netdev nd;
	int in;
	int out;
	int socket;
	int wakeup;
	int epoll;
	bool shared;
	int netlink;
	int ifindex;
};

/*
 * The operations of such a wire, for those that differ in some of them.  To
 * free it, or in a forked child, is for all pairs of queues.
 */
int lkl_fd_tx(struct lkl_netdev *nd, struct iovec *iov, int cnt);
int lkl_fd_rx(struct lkl_netdev *nd, struct iovec *iov, int cnt);
int lkl_fd_poll(struct lkl_netdev *nd);
void lkl_fd_poll_hup(struct lkl_netdev *nd);
void lkl_fd_free(struct lkl_netdev *nd);
int lkl_fd_link(struct lkl_netdev *nd);
int lkl_fd_fd(struct lkl_netdev *nd);
void lkl_fd_poll_rx(struct lkl_netdev *nd);
void lkl_fd_forked(struct lkl_netdev *nd);

/**
 * lkl_fd_transfer - readv() or writev() without blocking, for any thread
 * @w: the wire
 * @out: write
 * @iov: what
 * @cnt: number of elements of @iov
 *
 * Return: number of bytes, or a negative error number
 */
long lkl_fd_transfer(struct fd_wire *w, bool out, struct iovec *iov, int cnt);

/**
 * lkl_fd_wire - make a wire of descriptors
 * @size: size of the structure that begins with struct fd_wire
 * @ops: its operations
 * @in: descriptor to receive from
 * @out: descriptor to send to; both are closed after an error
 *
 * Return: zeroed but for the struct fd_wire, or NULL with errno set
 */
void *lkl_fd_wire(size_t size, struct lkl_dev_net_ops *ops, int in, int out);

/**
 * lkl_fd_watch - have poll() see the events of another descriptor
 * @w: the wire
 * @fd: the descriptor, which shall not block any more
 * @events: EPOLL*
 *
 * Return: whether that was possible
 */
bool lkl_fd_watch(struct fd_wire *w, int fd, unsigned int events);

/**
 * lkl_fd_follow - let the link be up when an interface of the host is
 * @w: the wire, whose operations have lkl_fd_link()
 * @name: name of the interface
 *
 * Return: whether that was possible, or errno is set
 */
bool lkl_fd_follow(struct fd_wire *w, const char *name);

/* @w->netlink is readable: empty it.  Returns LKL_DEV_NET_POLL_LINK. */
int lkl_fd_changed(struct fd_wire *w);

/**
 * lkl_vhost_net - have the host's kernel read and write the rings of a tap
 * @kind: "tap" or "macvtap"
 * @name: which one
 * @tap: its wire, from lkl_tun_setup(), which is part of the new one
 * @offload: as in struct lkl_netdev_args
 *
 * Return: the wire, or NULL after a message
 */
struct lkl_netdev *lkl_vhost_net(const char *kind, const char *name,
				 struct lkl_netdev *tap, unsigned int offload);

/**
 * lkl_net_queues - take ",queues=N" off the name of a wire
 * @wire: what to call it in messages
 * @param: "NAME" or "NAME,queues=N"
 * @name: where to store the name
 * @size: room for it; a longer one is cut short
 *
 * Return: the number, 1 if there is none, or 0 after a message
 */
int lkl_net_queues(const char *wire, const char *param, char *name,
		   size_t size);

/**
 * lkl_tun_param - take ",vhost" off the name of a tap or macvtap
 * @param: "NAME" or "NAME,vhost"
 * @name: where to store the name
 * @size: room for it; a longer one is cut short
 *
 * Return: whether it was there
 */
bool lkl_tun_param(const char *param, char *name, size_t size);

/**
 * lkl_tap_user - find the program that has a tap
 * @ifname: the tap's name, in this network namespace
 *
 * Return: who uses it, as far as we may see that, in words
 */
const char *lkl_tap_user(const char *ifname);

/**
 * lkl_tun_setup - make a wire of a tap or macvtap device
 * @wire: what to call it in messages
 * @fd: its descriptor; closed after an error
 * @offload: what it shall be able to do
 */
struct lkl_netdev *lkl_tun_setup(const char *wire, int fd,
				 unsigned int offload);

/**
 * lkl_stream_wire - make a wire of descriptors without boundaries of messages
 * @wire: what to call it in messages
 * @in: descriptor to receive from
 * @out: descriptor to send to; both are closed after an error
 * @offload: if there is any, frames begin with a vnet header
 */
struct lkl_netdev *lkl_stream_wire(const char *wire, int in, int out,
				   unsigned int offload);

#endif /* LIB_NET_H */
