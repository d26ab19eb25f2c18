// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control queue of a network interface with several pairs of queues: the
 * driver tells by it how many of them it uses.
 */
#include <string.h>

#include "../../host/iov.h"
#include "parts.h"

/* Pieces of a request. */
#define MAX_IOV 8

/* Each pair's wire is received from by one thread at a time all along. */
static void use_pairs(struct net *n, unsigned int active)
{
	struct pair *p;

	for_each_pair(p, n)
		p->held[RX] = guard_hold(&p->guards[RX]);
	__atomic_store_n(&n->active, active, __ATOMIC_SEQ_CST);
	for_each_pair(p, n)
		__atomic_store_n(&p->guards[RX], p->held[RX], __ATOMIC_SEQ_CST);
	if (n->nd->ops->pairs)
		n->nd->ops->pairs(n->nd, active);
	/* What has come meanwhile may be another one's to receive. */
	for_each_pair(p, n) {
		call_thread(p, RX);
		if (p->nd->ops->poll_rx)
			p->nd->ops->poll_rx(p->nd);
	}
}

static unsigned char request(struct net *n, const struct lkl_chain *chain)
{
	struct {
		struct lkl_virtio_net_ctrl_hdr hdr;
		struct lkl_virtio_net_ctrl_mq mq;
	} __attribute__((packed)) r;

	if (iov_length(chain->iov, chain->out) < sizeof(r))
		return LKL_VIRTIO_NET_ERR;
	iov_get(chain->iov, chain->out, &r, sizeof(r));
	if (r.hdr.lkl_class != LKL_VIRTIO_NET_CTRL_MQ ||
	    r.hdr.cmd != LKL_VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET ||
	    !r.mq.virtqueue_pairs || r.mq.virtqueue_pairs > n->n)
		return LKL_VIRTIO_NET_ERR;
	use_pairs(n, r.mq.virtqueue_pairs);
	return LKL_VIRTIO_NET_OK;
}

/* The driver waits for the answer, so it need not be told. */
void net_control(struct net *n)
{
	struct lkl_virtq *q = &n->virtqs[n->n * QUEUES];
	struct iovec iov[MAX_IOV];
	int head;

	do {
		while ((head = lkl_virtq_pop(q)) >= 0) {
			struct lkl_chain chain = { .iov = iov, .max = MAX_IOV };
			unsigned char answer;

			if (lkl_virtq_chain(q, head, &chain))
				return;
			if (!chain.in || !iov[chain.out].iov_len) {
				lkl_virtq_broken(q,
						 "request without an answer");
				return;
			}
			answer = request(n, &chain);
			iov_put(iov + chain.out, chain.in, &answer, 1);
			lkl_virtq_push(q, head, 1);
		}
		lkl_virtq_publish(q);
	} while (lkl_virtq_enable_kick(q));
}
