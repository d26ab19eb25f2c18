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
	int guards[QUEUES];
	struct rx rx;
	int blocked;
	unsigned int status;
};

/* Only the kernel opens a guard that is closed, and that stands still. */
static int hold(int *guard)
{
	for (;;) {
		if (guard_take(guard))
			return FREE;
		if (__atomic_load_n(guard, __ATOMIC_SEQ_CST) == CLOSED)
			return CLOSED;
		lkl_vdev_host->relax();
	}
}

void net_pause(struct lkl_vdev *vdev)
{
	struct net *n = to_net(vdev);
	int queue;

	for (queue = 0; queue < QUEUES; queue++)
		n->held[queue] = hold(&n->guards[queue]);
}

void net_resume(struct lkl_vdev *vdev)
{
	struct net *n = to_net(vdev);
	int queue;

	for (queue = 0; queue < QUEUES; queue++)
		__atomic_store_n(&n->guards[queue], n->held[queue],
				 __ATOMIC_SEQ_CST);
	net_rx_now(n);
	if (n->nd->flags & LKL_NETDEV_INLINE)
		net_tx(n);
	else
		call_thread(n, TX);
}

int net_freeze(struct lkl_vdev *vdev)
{
	struct net *n = to_net(vdev);
	struct net_state *state;

	/* Another process has the buffers of a wire that lends them. */
	if (n->nd->ops->give)
		return -LKL_EOPNOTSUPP;
	state = malloc(sizeof(*state));
	if (!state)
		return -LKL_ENOMEM;
	memcpy(state->guards, n->held, sizeof(n->held));
	state->rx = n->rx;
	state->blocked = n->blocked;
	state->status = n->config.status;
	n->frozen = state;
	return 0;
}

void net_reset(struct lkl_vdev *vdev)
{
	struct net *n = to_net(vdev);
	const struct net_state *state = n->frozen;

	memcpy(n->held, state->guards, sizeof(n->held));
	/* But for what a frame is received into that is too long. */
	memcpy(&n->rx, &state->rx, offsetof(struct rx, spill));
	n->blocked = state->blocked;
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
