// SPDX-License-Identifier: GPL-2.0-only
/*
 * A network interface receives, on whatever thread finds that there is
 * something (net.c).
 */
#include <string.h>

#include <lkl/asm/errno.h>

#include "../../host/iov.h"
#include "parts.h"

/* Batches that a listener receives at a time. */
#define LISTEN_BATCHES 4
/* Frames and bytes to receive between two interrupts. */
#define RX_BATCH 64
#define RX_BATCH_BYTES (256 << 10)

/* Take receive buffers off the ring, enough for any frame. */
static bool rx_collect(struct pair *p)
{
	struct lkl_virtq *q = &p->virtqs[RX];
	struct net *n = p->net;
	bool merge = has_feature(n, LKL_VIRTIO_NET_F_MRG_RXBUF);
	struct rx *rx = &p->rx;

	while (rx->bytes < FRAME_MAX && (merge || rx->first == rx->end)) {
		struct rx_buf *buf;
		struct lkl_chain chain;
		int head;

		if (rx->end == QUEUE_SIZE || rx->iov_end > RX_IOV - TX_IOV) {
			if (!rx->first)
				break;
			rx->end -= rx->first;
			rx->iov_end -= rx->iov_first;
			memmove(rx->bufs, &rx->bufs[rx->first],
				rx->end * sizeof(*rx->bufs));
			memmove(rx->iov, &rx->iov[rx->iov_first],
				rx->iov_end * sizeof(*rx->iov));
			rx->first = 0;
			rx->iov_first = 0;
		}
		head = lkl_virtq_pop(q);
		if (head < 0)
			break;
		chain.iov = &rx->iov[rx->iov_end];
		chain.max = TX_IOV;
		if (lkl_virtq_chain(q, head, &chain))
			break;
		/* Headers of ours go into the first piece. */
		if (chain.out || chain.iov[0].iov_len < VNET_HDR ||
		    chain.iov[0].iov_len < n->skip) {
			lkl_virtq_broken(q, "bad receive buffer");
			break;
		}
		buf = &rx->bufs[rx->end++];
		buf->head = head;
		buf->iovs = chain.in;
		buf->len = iov_length(chain.iov, chain.in);
		rx->iov_end += chain.in;
		rx->bytes += buf->len;
	}
	return rx->first != rx->end;
}

/* The headers that the wire does not carry. */
static void rx_headers(struct net *n, char *frame)
{
	unsigned char *eth = (unsigned char *)frame + VNET_HDR;

	memset(frame, 0, VNET_HDR);
	if (n->skip == VNET_HDR)
		return;
	memcpy(eth, n->config.mac, 6);
	memcpy(eth + 6, n->config.mac, 6);
	eth[6 + 5] ^= 1;
	eth[12] = eth[ETH_HDR] >> 4 == 6 ? 0x86 : 0x08;
	eth[13] = eth[ETH_HDR] >> 4 == 6 ? 0xdd : 0x00;
}

/* Give the wire all buffers of the driver's to receive into. */
static void lend_buffers(struct pair *p)
{
	struct lkl_virtq *q = &p->virtqs[RX];
	struct iovec iov[TX_IOV];

	do {
		int head = p->unlent >= 0 ? p->unlent : lkl_virtq_pop(q);

		p->unlent = -1;
		for (; head >= 0; head = lkl_virtq_pop(q)) {
			struct lkl_chain chain = { .iov = iov, .max = TX_IOV };
			int ret;

			if (lkl_virtq_chain(q, head, &chain))
				break;
			if (chain.out || iov->iov_len < VNET_HDR) {
				lkl_virtq_broken(q, "bad receive buffer");
				break;
			}
			ret = p->nd->ops->give(p->nd, RX, iov, chain.in, head);
			if (ret > 0)
				lkl_virtq_push(q, head, 0);
			if (ret < 0) {
				p->unlent = head;
				break;
			}
		}
	} while (p->unlent < 0 && lkl_virtq_enable_kick(q));
	p->nd->ops->push(p->nd, RX);
}

/* The driver has more of them. */
void net_lend(struct pair *p)
{
	__atomic_store_n(&p->again, 1, __ATOMIC_SEQ_CST);
	/* A thread that has the guard lends them. */
	if (!guard_take(&p->guards[RX]))
		return;
	__atomic_store_n(&p->again, 0, __ATOMIC_SEQ_CST);
	lend_buffers(p);
	guard_let_go(&p->guards[RX]);
	/* And one that has found it taken has not received. */
	if (__atomic_load_n(&p->again, __ATOMIC_SEQ_CST))
		net_rx_now(p);
}

/* A frame in buffers that were lent, or a part of one. */
static long rx_lent(struct pair *p)
{
	unsigned int head, len;

	if (!p->nd->ops->take(p->nd, RX, &head, &len))
		return 0;
	if (captures(p->net))
		net_capture_lent(p, head, len);
	lkl_virtq_push(&p->virtqs[RX], head, len);
	return len ? len : 1;
}

/*
 * Receive a frame by the wire of this pair, or of one that the driver does not
 * use: each of those is some used one's.
 */
static int rx_wire(struct pair *p, struct iovec *iov, int cnt)
{
	struct net *n = p->net;
	unsigned int i, wires;
	int ret = -LKL_EAGAIN;

	if (n->active == n->n)
		return p->nd->ops->rx(p->nd, iov, cnt);
	wires = (n->n - p->index + n->active - 1) / n->active;
	for (i = 0; i < wires && ret < 0; i++) {
		unsigned int k = p->index + p->turn++ % wires * n->active;
		struct lkl_netdev *nd = n->pairs[k].nd;

		ret = nd->ops->rx(nd, iov, cnt);
	}
	return ret;
}

/* Returns about the bytes received; 0 when there are none, -1 without buffers.
 */
static long rx_frame(struct pair *p)
{
	struct lkl_virtq *q = &p->virtqs[RX];
	struct net *n = p->net;
	struct rx *rx = &p->rx;
	struct lkl_virtio_net_hdr_v1 *hdr;
	struct iovec *iov;
	size_t left;
	int ret, merged = 0;

	/* Its wire has become another one's. */
	if (p->index >= n->active)
		return 0;
	if (!rx_collect(p))
		return -1;
	iov = &rx->iov[rx->iov_first];
	hdr = iov->iov_base;
	rx->iov[rx->iov_end] = (struct iovec){ rx->spill, FRAME_MAX };
	iov->iov_base = (char *)iov->iov_base + n->skip;
	iov->iov_len -= n->skip;
	ret = rx_wire(p, iov, rx->iov_end - rx->iov_first + 1);
	if (ret > 0 && captures(n))
		net_capture(n, iov, rx->iov_end - rx->iov_first + 1, ret);
	iov->iov_base = hdr;
	iov->iov_len += n->skip;
	if (ret < 0)
		return 0;
	left = ret + n->skip;
	if (!ret || left > rx->bytes)
		return 1; /* the frame is lost */
	if (n->skip)
		rx_headers(n, (char *)hdr);
	while (left) {
		struct rx_buf *buf = &rx->bufs[rx->first++];
		size_t used = left < buf->len ? left : buf->len;

		lkl_virtq_push(q, buf->head, used);
		rx->iov_first += buf->iovs;
		rx->bytes -= buf->len;
		left -= used;
		merged++;
	}
	hdr->num_buffers = merged;
	return ret;
}

/*
 * @DRAINED: there was no more, or another thread receives
 * @MORE: there may be more
 * @STUCK: there are no buffers to receive into, until the driver kicks
 */
enum rx_end { DRAINED, MORE, STUCK };

/* Receive some frames, and add their size to @received. */
static enum rx_end rx_batch(struct pair *p, unsigned long *received)
{
	struct lkl_virtq *q = &p->virtqs[RX];
	struct net *n = p->net;
	unsigned int frames = 0, bytes = 0;
	bool raise, stuck = false;
	long ret;
	int irq;

	__atomic_store_n(&p->again, 1, __ATOMIC_SEQ_CST);
	if (!guard_take(&p->guards[RX]))
		return __atomic_load_n(&p->guards[RX], __ATOMIC_SEQ_CST) ==
				       CLOSED
			       ? STUCK
			       : DRAINED;
	__atomic_store_n(&p->again, 0, __ATOMIC_SEQ_CST);
	do {
		ret = lends(n) ? rx_lent(p) : rx_frame(p);
		if (ret <= 0)
			break;
		bytes += ret;
	} while (++frames < RX_BATCH && bytes < RX_BATCH_BYTES);
	if (lends(n))
		lend_buffers(p);
	if (ret < 0)
		stuck = !lkl_virtq_enable_kick(q);
	raise = lkl_virtq_mark(q);
	irq = n->vdev.dev.irq;
	guard_let_go(&p->guards[RX]);

	*received += bytes;
	if (raise)
		lkl_trigger_irq(irq);
	if (stuck)
		return STUCK;
	return ret || __atomic_load_n(&p->again, __ATOMIC_SEQ_CST) ? MORE
								   : DRAINED;
}

/* Receive until there is nothing; returns how many bytes. */
unsigned long net_rx(struct pair *p)
{
	struct net *n = p->net;
	unsigned long received = 0;

	while (!__atomic_load_n(&n->stop, __ATOMIC_SEQ_CST)) {
		int work = __atomic_load_n(&p->work[RX], __ATOMIC_SEQ_CST);
		enum rx_end end = rx_batch(p, &received);

		if (end == DRAINED)
			break;
		if (end == STUCK)
			lkl_vdev_host->wait(&p->work[RX], work, 0);
	}
	return received;
}

/* The same, but if there are no buffers, the polling thread has to wait for
 * them. */
void net_rx_now(struct pair *p)
{
	unsigned long received = 0;
	enum rx_end end;

	do
		end = rx_batch(p, &received);
	while (end == MORE);
	if (end == STUCK && p->nd->ops->poll_rx)
		p->nd->ops->poll_rx(p->nd);
}

/* The same, for a thread that has something else to do. */
void net_listen(struct listen_source *source)
{
	struct pair *own = (struct pair *)((char *)source -
					   offsetof(struct pair, listener));
	struct pair *p = receiver(own);
	unsigned int batches = 0;
	enum rx_end end;

	do
		end = rx_batch(p, &own->listened);
	while (end == MORE && ++batches < LISTEN_BATCHES);
	if (end == DRAINED && !source->failed)
		return;
	/* Otherwise it would remain readable. */
	if (end != MORE) {
		listen_pause(source);
		__atomic_store_n(&own->paused, 1, __ATOMIC_SEQ_CST);
	}
	own->nd->ops->poll_rx(own->nd);
}
