/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of an AF_XDP wire share (xdp.c). */
#ifndef LIB_NET_XDP_H
#define LIB_NET_XDP_H

#include <stdint.h>
#include <xdp/xsk.h>

/* Chunks of memory for one direction, and bytes of one. */
#define XDP_CHUNKS 1024
#define XDP_CHUNK 4096

/**
 * struct xdp_socket - a socket, its memory and its rings
 * @area: 2 * XDP_CHUNKS chunks
 * @umem: what libxdp knows it by
 * @xsk: the socket
 * @fill: chunks to receive into
 * @rx: frames received
 * @tx: frames to send
 * @comp: chunks whose frames have been sent
 * @free: chunks for sending that are in no ring
 * @n_free: how many
 */
struct xdp_socket {
	char *area;
	struct xsk_umem *umem;
	struct xsk_socket *xsk;
	struct xsk_ring_prod fill, tx;
	struct xsk_ring_cons comp, rx;
	uint64_t free[XDP_CHUNKS];
	unsigned int n_free;
};

/**
 * xdp_socket_open - take a queue of an interface
 * @wire: what to call it in messages
 * @ifname: the interface
 * @queue: number of the queue
 *
 * Nothing is received before xdp_attach().
 *
 * Return: the socket, or NULL after a message
 */
struct xdp_socket *xdp_socket_open(const char *wire, const char *ifname,
				   unsigned int queue);
void xdp_socket_close(struct xdp_socket *s);

/* Close it in a forked child. */
void xdp_socket_forget(struct xdp_socket *s);

/* Its descriptor. */
int xdp_socket_fd(const struct xdp_socket *s);

/**
 * xdp_attach - have the host hand the frames of a queue to a socket
 * @wire: what to call it in messages
 * @ifindex: the interface
 * @queue: one of its receive queues
 * @socket: an AF_XDP socket that is bound to it
 *
 * Return: descriptor of what does that until it is closed, or -1 after a
 * message
 */
int xdp_attach(const char *wire, int ifindex, unsigned int queue, int socket);

/* Why the host has refused a step, for which one needs these capabilities. */
const char *xdp_error(int err, const char *rights);

#endif /* LIB_NET_XDP_H */
