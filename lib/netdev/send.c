// SPDX-License-Identifier: GPL-2.0-only
/*
 * A network interface sends: what the wire has no room for stays in the ring.
 */
#include "../../host/iov.h"
#include "parts.h"

/*
 * What can be done with a frame: it was lent, it was sent, or the wire has no
 * room.
 */
enum tx_end { LENT, SENT, BLOCKED };

static enum tx_end tx_frame(struct pair *p, int head)
{
	struct lkl_virtq *q = &p->virtqs[TX];
	struct net *n = p->net;
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
	if (captures(n) && p->blocked != head)
		net_capture(n, iov + used, chain.out - used,
			    iov_length(iov + used, chain.out - used));
	if (lends(n)) {
		int ret = p->nd->ops->give(p->nd, TX, iov + used,
					   chain.out - used, head);

		return ret < 0 ? BLOCKED : ret ? SENT : LENT;
	}
	return p->nd->ops->tx(p->nd, iov + used, chain.out - used) < 0 ? BLOCKED
								       : SENT;
}

/* Show the wire what was lent, and return what it is done with; whether it may
 * have room that it had not before. */
static bool tx_take(struct pair *p)
{
	unsigned int head, len;
	bool some = false;

	for (;;) {
		while (p->nd->ops->take(p->nd, TX, &head, &len)) {
			lkl_virtq_push(&p->virtqs[TX], head, 0);
			some = true;
		}
		if (!p->nd->ops->push(p->nd, TX))
			return some;
		some = true;
	}
}

/* Send what there is to send. */
void net_tx(struct pair *p)
{
	struct lkl_virtq *q = &p->virtqs[TX];
	struct net *n = p->net;
	bool more;

	do {
		bool raise, taken = false;
		int irq;

		if (!guard_take(&p->guards[TX]))
			return;
		__atomic_store_n(&p->room, 0, __ATOMIC_SEQ_CST);
		do {
			int head = p->blocked;
			enum tx_end end;

			if (head < 0)
				head = lkl_virtq_pop(q);
			for (; head >= 0; head = lkl_virtq_pop(q)) {
				end = tx_frame(p, head);
				if (end == BLOCKED)
					break;
				if (end == SENT)
					lkl_virtq_push(q, head, 0);
			}
			p->blocked = head;
			if (lends(n))
				taken = tx_take(p);
			else if (p->nd->ops->push)
				p->nd->ops->push(p->nd, TX);
		} while (p->blocked < 0 ? lkl_virtq_enable_kick(q) : taken);
		raise = lkl_virtq_mark(q);
		irq = n->vdev.dev.irq;
		more = p->blocked < 0;
		guard_let_go(&p->guards[TX]);

		if (raise)
			lkl_trigger_irq(irq);
		/* What came while others were turned away by the guard. */
		more = (more && lkl_virtq_ready(q)) ||
		       ((!more || lends(n)) &&
			__atomic_load_n(&p->room, __ATOMIC_SEQ_CST));
	} while (more);
}
