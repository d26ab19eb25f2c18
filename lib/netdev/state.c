// SPDX-License-Identifier: GPL-2.0-only
/*
 * A network device while the kernel is frozen: where it was in its rings, and
 * the receive buffers that it has taken off them.
 *
 * Threads of the device go on all the time.  To look at the rings, or change
 * what is known of them, is to hold the guards, as always.  The wire is not
 * part of the state: a frame that comes is received by the kernel as it is
 * then, and one that was sent remains sent.
 */
#include <stdlib.h>
#include <string.h>

#include <lkl/asm/errno.h>
#include "parts.h"

struct net_state {
	unsigned int active;
	unsigned int status;
	struct {
		int guards[QUEUES];
		struct rx rx;
		int blocked;
	} pairs[];
};

void net_pause(struct lkl_vdev *vdev)
{
	struct net *n = to_net(vdev);
	struct pair *p;
	int queue;

	for_each_pair(p, n)
		for (queue = 0; queue < QUEUES; queue++)
			p->held[queue] = guard_hold(&p->guards[queue]);
}

void net_resume(struct lkl_vdev *vdev)
{
	struct net *n = to_net(vdev);
	struct pair *p;
	int queue;

	for_each_pair(p, n)
		for (queue = 0; queue < QUEUES; queue++)
			__atomic_store_n(&p->guards[queue], p->held[queue],
					 __ATOMIC_SEQ_CST);
	for_each_pair(p, n) {
		net_rx_now(p);
		if (n->nd->flags & LKL_NETDEV_INLINE)
			net_tx(p);
		else
			call_thread(p, TX);
	}
}

int net_freeze(struct lkl_vdev *vdev)
{
	struct net *n = to_net(vdev);
	struct net_state *state;
	unsigned int i;

	/* Another process has the buffers of a wire that lends them. */
	if (n->nd->ops->give)
		return -LKL_EOPNOTSUPP;
	state = malloc(sizeof(*state) + n->n * sizeof(*state->pairs));
	if (!state)
		return -LKL_ENOMEM;
	state->active = n->active;
	state->status = n->config.status;
	for (i = 0; i < n->n; i++) {
		const struct pair *p = &n->pairs[i];

		memcpy(state->pairs[i].guards, p->held, sizeof(p->held));
		state->pairs[i].rx = p->rx;
		state->pairs[i].blocked = p->blocked;
	}
	n->frozen = state;
	return 0;
}

void net_reset(struct lkl_vdev *vdev)
{
	struct net *n = to_net(vdev);
	const struct net_state *state = n->frozen;
	unsigned int i;

	for (i = 0; i < n->n; i++) {
		struct pair *p = &n->pairs[i];

		memcpy(p->held, state->pairs[i].guards, sizeof(p->held));
		/* But for what a frame is received into that is too long. */
		memcpy(&p->rx, &state->pairs[i].rx, offsetof(struct rx, spill));
		p->blocked = state->pairs[i].blocked;
	}
	__atomic_store_n(&n->active, state->active, __ATOMIC_SEQ_CST);
	if (n->config.status != state->status)
		lkl_vdev_mark(vdev, LKL_VIRTIO_CONFIG);
}

/* Frames that were sent have been. */
int net_settle(struct lkl_vdev *vdev)
{
	(void)vdev;
	return 0;
}

void net_thaw(struct lkl_vdev *vdev)
{
	struct net *n = to_net(vdev);

	free(n->frozen);
	n->frozen = NULL;
}
