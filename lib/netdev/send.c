// SPDX-License-Identifier: GPL-2.0-only
/*
 * A network interface sends: what the wire has no room for stays in the ring.
 */
#include "../iov.h"
#include "parts.h"

/*
 * What can be done with a frame: it was lent, it was sent, or the wire has no
 * room.
 */
enum tx_end { LENT, SENT, BLOCKED };

static enum tx_end tx_frame(struct net *n, int head)
{
	struct lkl_virtq *q = &n->virtqs[TX];
	struct iovec iov[TX_IOV];
	struct lkl_chain chain = { .iov = iov, .max = TX_IOV };
	unsigned int used;

	if (lkl_virtq_chain(q, head, &chain))
		return SENT;
	used = iov_skip(iov, chain.out, n->skip);
	if (chain.in || used == chain.out) {
		lkl_virtq_broken(q, "frame without header or content");
		return SENT;
	}
	if (captures(n) && n->blocked != head)
		net_capture(n, iov + used, chain.out - used,
			    iov_length(iov + used, chain.out - used));
	if (lends(n)) {
		int ret = n->nd->ops->give(n->nd, TX, iov + used,
					   chain.out - used, head);

		return ret < 0 ? BLOCKED : ret ? SENT : LENT;
	}
	return n->nd->ops->tx(n->nd, iov + used, chain.out - used) < 0 ? BLOCKED
								       : SENT;
}

/* Show the wire what was lent, and return what it is done with; whether it may
 * have room that it had not before. */
static bool tx_take(struct net *n)
{
	unsigned int head, len;
	bool some = false;

	for (;;) {
		while (n->nd->ops->take(n->nd, TX, &head, &len)) {
			lkl_virtq_push(&n->virtqs[TX], head, 0);
			some = true;
		}
		if (!n->nd->ops->push(n->nd, TX))
			return some;
		some = true;
	}
}

/* Send what there is to send. */
void net_tx(struct net *n)
{
	struct lkl_virtq *q = &n->virtqs[TX];
	bool more;

	do {
		bool raise, taken = false;
		int irq;

		if (!guard_take(&n->guards[TX]))
			return;
		__atomic_store_n(&n->room, 0, __ATOMIC_SEQ_CST);
		do {
			int head = n->blocked;
			enum tx_end end;

			if (head < 0)
				head = lkl_virtq_pop(q);
			for (; head >= 0; head = lkl_virtq_pop(q)) {
				end = tx_frame(n, head);
				if (end == BLOCKED)
					break;
				if (end == SENT)
					lkl_virtq_push(q, head, 0);
			}
			n->blocked = head;
			if (lends(n))
				taken = tx_take(n);
			else if (n->nd->ops->push)
				n->nd->ops->push(n->nd, TX);
		} while (n->blocked < 0 ? lkl_virtq_enable_kick(q) : taken);
		raise = lkl_virtq_mark(q);
		irq = n->vdev.dev.irq;
		more = n->blocked < 0;
		guard_let_go(&n->guards[TX]);

		if (raise)
			lkl_trigger_irq(irq);
		/* What came while others were turned away by the guard. */
		more = (more && lkl_virtq_ready(q)) ||
		       ((!more || lends(n)) &&
			__atomic_load_n(&n->room, __ATOMIC_SEQ_CST));
	} while (more);
}
