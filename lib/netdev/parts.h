/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of a network interface share (net.c).
 */
#ifndef LIB_NETDEV_PARTS_H
#define LIB_NETDEV_PARTS_H

#include <stdbool.h>

#include "../netdev.h"

#define VNET_HDR sizeof(struct lkl_virtio_net_hdr_v1)
#define ETH_HDR 14

/* A thread that looks at a ring holds its guard; none waits for one. */
enum { FREE, TAKEN, CLOSED };

static inline bool guard_take(int *guard)
{
	int old = FREE;

	return __atomic_compare_exchange_n(guard, &old, TAKEN, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static inline void guard_let_go(int *guard)
{
	__atomic_store_n(guard, FREE, __ATOMIC_SEQ_CST);
}

static inline void guard_close(int *guard)
{
	int old = FREE;

	while (!__atomic_compare_exchange_n(guard, &old, CLOSED, false,
					    __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST) &&
	       old != CLOSED) {
		old = FREE;
		lkl_vdev_host->relax();
	}
}

static inline bool has_feature(struct net *n, unsigned int bit)
{
	return n->vdev.dev.accepted & 1ULL << bit;
}

static inline bool lends(struct net *n)
{
	return n->nd->ops->give;
}

static inline bool captures(struct net *n)
{
	return n->pcap.fd >= 0;
}

static inline void call_thread(struct pair *p, int queue)
{
	__atomic_fetch_add(&p->work[queue], 1, __ATOMIC_SEQ_CST);
	lkl_vdev_host->wake(&p->work[queue], p->net->n);
}

/* The pair by whose ring the kernel receives what comes by this one's wire. */
static inline struct pair *receiver(struct pair *p)
{
	struct net *n = p->net;

	return &n->pairs[p->index %
			 __atomic_load_n(&n->active, __ATOMIC_RELAXED)];
}

/* Take a guard, unless it is closed; only the kernel opens one that is. */
static inline int guard_hold(int *guard)
{
	for (;;) {
		if (guard_take(guard))
			return FREE;
		if (__atomic_load_n(guard, __ATOMIC_SEQ_CST) == CLOSED)
			return CLOSED;
		lkl_vdev_host->relax();
	}
}

/* receive.c */
void net_lend(struct pair *p);
unsigned long net_rx(struct pair *p);
void net_rx_now(struct pair *p);
void net_listen(struct listen_source *source);

/* send.c */
void net_tx(struct pair *p);

/* control.c */
void net_control(struct net *n);

/* capture.c */
void net_capture(struct net *n, const struct iovec *iov, unsigned int cnt,
		 unsigned int len);
void net_capture_lent(struct pair *p, unsigned int head, unsigned int len);

#endif /* LIB_NETDEV_PARTS_H */
