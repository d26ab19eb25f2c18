// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network interfaces: a virtio network device in front of a wire (struct
 * lkl_dev_net_ops).
 *
 * Frames are not copied: the wire reads into the driver's receive buffers and
 * writes from its transmit buffers.
 *
 * A frame to send is usually written in the middle of the kernel, when the
 * driver kicks, which costs one host call and no other thread's attention.
 * Wires that cannot have that (no LKL_NETDEV_INLINE) get a thread that sends.
 *
 * Another thread sleeps in the wire's poll() and receives: as many frames as
 * there are, then one interrupt.  If no thread runs the kernel, raising it
 * makes this very thread run the handler, the protocols and the task that waits
 * for the data, so that an answer leaves without any other thread being woken.
 *
 * Better still if the application's thread that waits for the data receives it
 * (host/posix/listen.c).  The polling thread is then woken only when no such
 * thread waits.  As these are often busy only for a moment, it then stays away
 * for a moment, too, unless there was much: that is shared.
 *
 * If the wire is full the frame stays, the ring is not looked at any more, and
 * the polling thread goes on when there is room.
 *
 * A thread that looks at a ring holds its guard.  No thread waits for a guard:
 * one that finds it taken leaves the work to its holder, which looks again
 * after it has released the guard. Interrupts are raised without it, because
 * that may mean to run the kernel, which may want to reset the device, for
 * which the guards are closed.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include <lkl/asm/errno.h>
#include "iov.h"
#include "netdev.h"

/* Pieces of a receive buffer, at most. */
#define MAX_BUFFER_IOV 20
#define VNET_HDR sizeof(struct lkl_virtio_net_hdr_v1)
#define ETH_HDR 14
/* How long halt waits for poll() to report that it was told to hang up, in ns.
 */
#define HUP_WAIT 1000000000ULL
/* How long the polling thread stays away, in ns, and after how few bytes. */
#define AWAY 200000
#define MUCH 16384
/* Batches that a listener receives at a time. */
#define LISTEN_BATCHES 4
/* Frames and bytes to receive between two interrupts. */
#define RX_BATCH 64
#define RX_BATCH_BYTES (256 << 10)

enum { FREE, TAKEN, CLOSED };

void net_init(struct net *n, struct lkl_netdev *nd)
{
	n->nd = nd;
	n->pcap.fd = -1;
	n->ended = 1;
	n->guards[RX] = CLOSED;
	n->guards[TX] = CLOSED;
	n->skip = nd->has_vnet_hdr ? 0 : VNET_HDR;
	if (nd->flags & LKL_NETDEV_NOARP)
		n->skip += ETH_HDR;
}

static bool guard_take(int *guard)
{
	int old = FREE;

	return __atomic_compare_exchange_n(guard, &old, TAKEN, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static void guard_let_go(int *guard)
{
	__atomic_store_n(guard, FREE, __ATOMIC_SEQ_CST);
}

static void guard_close(int *guard)
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

static bool has_feature(struct net *n, unsigned int bit)
{
	return n->vdev.dev.accepted & 1ULL << bit;
}

static void call_thread(struct net *n, int queue)
{
	__atomic_fetch_add(&n->work[queue], 1, __ATOMIC_SEQ_CST);
	lkl_vdev_host->wake(&n->work[queue], 1);
}

/* Take receive buffers off the ring, enough for any frame. */
static bool rx_collect(struct net *n)
{
	struct lkl_virtq *q = &n->virtqs[RX];
	bool merge = has_feature(n, LKL_VIRTIO_NET_F_MRG_RXBUF);
	struct rx *rx = &n->rx;

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

static bool lends(struct net *n)
{
	return n->nd->ops->give;
}

/* Give the wire all buffers of the driver's to receive into. */
static void lend_buffers(struct net *n)
{
	struct lkl_virtq *q = &n->virtqs[RX];
	struct iovec iov[TX_IOV];

	do {
		int head = n->unlent >= 0 ? n->unlent : lkl_virtq_pop(q);

		n->unlent = -1;
		for (; head >= 0; head = lkl_virtq_pop(q)) {
			struct lkl_chain chain = { .iov = iov, .max = TX_IOV };
			int ret;

			if (lkl_virtq_chain(q, head, &chain))
				break;
			if (chain.out || iov->iov_len < VNET_HDR) {
				lkl_virtq_broken(q, "bad receive buffer");
				break;
			}
			ret = n->nd->ops->give(n->nd, RX, iov, chain.in, head);
			if (ret > 0)
				lkl_virtq_push(q, head, 0);
			if (ret < 0) {
				n->unlent = head;
				break;
			}
		}
	} while (n->unlent < 0 && lkl_virtq_enable_kick(q));
	n->nd->ops->push(n->nd, RX);
}

/* The driver has more of them. */
static void net_lend(struct net *n)
{
	do {
		__atomic_store_n(&n->again, 1, __ATOMIC_SEQ_CST);
		/* A thread that has the guard lends them. */
		if (!guard_take(&n->guards[RX]))
			return;
		__atomic_store_n(&n->again, 0, __ATOMIC_SEQ_CST);
		lend_buffers(n);
		guard_let_go(&n->guards[RX]);
	} while (__atomic_load_n(&n->again, __ATOMIC_SEQ_CST));
}

/* A frame goes by; its vnet header is none of it. */
static void capture(struct net *n, const struct iovec *iov, unsigned int cnt,
		    unsigned int len)
{
	static const char full[] = "lkl: pcap: not all was written\n";

	if (!pcap_write(&n->pcap, iov, cnt, n->nd->has_vnet_hdr ? VNET_HDR : 0,
			len))
		raw_syscall(SYS_write, 2, (long)full, sizeof(full) - 1, 0, 0,
			    0);
}

static bool captures(struct net *n)
{
	return n->pcap.fd >= 0;
}

/* The same for one in several buffers that were lent. */
static void capture_lent(struct net *n, unsigned int head, unsigned int len)
{
	struct lkl_chain chain = { .iov = n->part + n->parts,
				   .max = TX_IOV - n->parts };

	if (lkl_virtq_chain(&n->virtqs[RX], head, &chain))
		return;
	if (!n->parts) {
		struct lkl_virtio_net_hdr_v1 *hdr = n->part->iov_base;

		n->part_len = 0;
		n->part_left = has_feature(n, LKL_VIRTIO_NET_F_MRG_RXBUF)
				       ? hdr->num_buffers
				       : 1;
	}
	n->parts += chain.in;
	n->part_len += len;
	if (n->part_left-- > 1 && n->parts < TX_IOV - MAX_BUFFER_IOV)
		return;
	capture(n, n->part, n->parts, n->part_len);
	n->parts = 0;
}

/* A frame in buffers that were lent, or a part of one. */
static long rx_lent(struct net *n)
{
	unsigned int head, len;

	if (!n->nd->ops->take(n->nd, RX, &head, &len))
		return 0;
	if (captures(n))
		capture_lent(n, head, len);
	lkl_virtq_push(&n->virtqs[RX], head, len);
	return len ? len : 1;
}

/* Returns about the bytes received; 0 when there are none, -1 without buffers.
 */
static long rx_frame(struct net *n)
{
	struct lkl_virtq *q = &n->virtqs[RX];
	struct rx *rx = &n->rx;
	struct lkl_virtio_net_hdr_v1 *hdr;
	struct iovec *iov;
	size_t left;
	int ret, merged = 0;

	if (!rx_collect(n))
		return -1;
	iov = &rx->iov[rx->iov_first];
	hdr = iov->iov_base;
	rx->iov[rx->iov_end] = (struct iovec){ rx->spill, FRAME_MAX };
	iov->iov_base = (char *)iov->iov_base + n->skip;
	iov->iov_len -= n->skip;
	ret = n->nd->ops->rx(n->nd, iov, rx->iov_end - rx->iov_first + 1);
	if (ret > 0 && captures(n))
		capture(n, iov, rx->iov_end - rx->iov_first + 1, ret);
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
static enum rx_end rx_batch(struct net *n, unsigned long *received)
{
	struct lkl_virtq *q = &n->virtqs[RX];
	unsigned int frames = 0, bytes = 0;
	bool raise, stuck = false;
	long ret;
	int irq;

	__atomic_store_n(&n->again, 1, __ATOMIC_SEQ_CST);
	if (!guard_take(&n->guards[RX]))
		return __atomic_load_n(&n->guards[RX], __ATOMIC_SEQ_CST) ==
				       CLOSED
			       ? STUCK
			       : DRAINED;
	__atomic_store_n(&n->again, 0, __ATOMIC_SEQ_CST);
	do {
		ret = lends(n) ? rx_lent(n) : rx_frame(n);
		if (ret <= 0)
			break;
		bytes += ret;
	} while (++frames < RX_BATCH && bytes < RX_BATCH_BYTES);
	if (lends(n))
		lend_buffers(n);
	if (ret < 0)
		stuck = !lkl_virtq_enable_kick(q);
	raise = lkl_virtq_mark(q);
	irq = n->vdev.dev.irq;
	guard_let_go(&n->guards[RX]);

	*received += bytes;
	if (raise)
		lkl_trigger_irq(irq);
	if (stuck)
		return STUCK;
	return ret || __atomic_load_n(&n->again, __ATOMIC_SEQ_CST) ? MORE
								   : DRAINED;
}

/* Receive until there is nothing; returns how many bytes. */
static unsigned long net_rx(struct net *n)
{
	unsigned long received = 0;

	while (!__atomic_load_n(&n->stop, __ATOMIC_SEQ_CST)) {
		int work = __atomic_load_n(&n->work[RX], __ATOMIC_SEQ_CST);
		enum rx_end end = rx_batch(n, &received);

		if (end == DRAINED)
			break;
		if (end == STUCK)
			lkl_vdev_host->wait(&n->work[RX], work, 0);
	}
	return received;
}

/* The same, for a thread that has something else to do. */
static void net_listen(struct listen_source *source)
{
	struct net *n =
		(struct net *)((char *)source - offsetof(struct net, listener));
	unsigned int batches = 0;
	enum rx_end end;

	do
		end = rx_batch(n, &n->listened);
	while (end == MORE && ++batches < LISTEN_BATCHES);
	if (end == DRAINED && !source->failed)
		return;
	/* Otherwise it would remain readable. */
	if (end != MORE) {
		listen_pause(source);
		__atomic_store_n(&n->paused, 1, __ATOMIC_SEQ_CST);
	}
	n->nd->ops->poll_rx(n->nd);
}

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
		capture(n, iov + used, chain.out - used,
			iov_length(iov + used, chain.out - used));
	if (lends(n)) {
		int ret = n->nd->ops->give(n->nd, TX, iov + used,
					   chain.out - used, head);

		return ret < 0 ? BLOCKED : ret ? SENT : LENT;
	}
	return n->nd->ops->tx(n->nd, iov + used, chain.out - used) < 0 ? BLOCKED
								       : SENT;
}

/* Show the wire what was lent, and return what it is done with; whether there
 * was something. */
static bool tx_take(struct net *n)
{
	unsigned int head, len;
	bool some = false;

	do
		while (n->nd->ops->take(n->nd, TX, &head, &len)) {
			lkl_virtq_push(&n->virtqs[TX], head, 0);
			some = true;
		}
	while (n->nd->ops->push(n->nd, TX));
	return some;
}

/* Send what there is to send. */
static void net_tx(struct net *n)
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

static void set_link(struct net *n, bool up)
{
	unsigned int status = up ? LKL_VIRTIO_NET_S_LINK_UP : 0;

	if (n->config.status == status)
		return;
	n->config.status = status;
	if (lkl_vdev_mark(&n->vdev, LKL_VIRTIO_CONFIG))
		lkl_trigger_irq(n->vdev.dev.irq);
}

static void tx_thread(void *arg)
{
	struct net *n = arg;

	while (!__atomic_load_n(&n->stop, __ATOMIC_SEQ_CST)) {
		int work = __atomic_load_n(&n->work[TX], __ATOMIC_SEQ_CST);

		net_tx(n);
		if (!__atomic_load_n(&n->stop, __ATOMIC_SEQ_CST))
			lkl_vdev_host->wait(&n->work[TX], work, 0);
	}
}

static void start_listening(struct net *n)
{
	if (!n->nd->ops->fd)
		return;
	n->listener.fd = n->nd->ops->fd(n->nd);
	n->listener.receive = net_listen;
	n->listens = n->listener.fd >= 0 && listen_add(&n->listener);
}

static void stop_listening(struct net *n)
{
	if (n->listens)
		listen_remove(&n->listener);
	n->listens = false;
}

static void receive(struct net *n)
{
	struct lkl_dev_net_ops *ops = n->nd->ops;
	unsigned long listened = 0, received;

	/* Of what there is, poll() may have told the last boot. */
	net_rx(n);
	for (;;) {
		int events = ops->poll(n->nd);
		bool hup = events < 0 || events & LKL_DEV_NET_POLL_HUP;

		/* The poll_hup() on its way is not for the next boot. */
		if (__atomic_load_n(&n->stop, __ATOMIC_SEQ_CST)) {
			if (hup)
				return;
			continue;
		}
		if (hup && __atomic_exchange_n(&n->owed, 0, __ATOMIC_SEQ_CST))
			continue;
		if (hup) {
			/* What is sent from here on is lost. */
			__atomic_store_n(&n->gone, 1, __ATOMIC_SEQ_CST);
			set_link(n, false);
			events = LKL_DEV_NET_POLL_TX;
		}
		if (events & LKL_DEV_NET_POLL_LINK && ops->link) {
			set_link(n, ops->link(n->nd));
			/* The descriptor to receive from may be another one. */
			stop_listening(n);
			start_listening(n);
		}
		if (events & LKL_DEV_NET_POLL_TX) {
			__atomic_store_n(&n->room, 1, __ATOMIC_SEQ_CST);
			net_tx(n);
		}
		if (n->gone) {
			stop_listening(n);
			return;
		}
		if (!(events & LKL_DEV_NET_POLL_RX))
			continue;
		received = net_rx(n);
		if (__atomic_exchange_n(&n->paused, 0, __ATOMIC_SEQ_CST)) {
			listen_resume(&n->listener);
		} else if (received < MUCH && n->listened != listened) {
			listened = n->listened;
			lkl_vdev_host->wait(&n->work[RX], n->work[RX],
					    lkl_vdev_host->time() + AWAY);
		}
	}
}

static void poll_thread(void *arg)
{
	struct net *n = arg;

	receive(n);
	__atomic_store_n(&n->ended, 1, __ATOMIC_SEQ_CST);
	lkl_vdev_host->wake(&n->ended, 1);
}

void net_kick(struct lkl_vdev *vdev, unsigned int index)
{
	struct net *n = to_net(vdev);

	bool first = n->guards[index] == CLOSED;

	if (first)
		guard_let_go(&n->guards[index]);
	if (index == RX && lends(n))
		net_lend(n);
	if (index == TX && n->nd->flags & LKL_NETDEV_INLINE)
		net_tx(n);
	else if (index == TX || first || !lends(n))
		call_thread(n, index);
}

void net_drain(struct lkl_vdev *vdev)
{
	struct net *n = to_net(vdev);

	guard_close(&n->guards[RX]);
	guard_close(&n->guards[TX]);
	n->rx.first = 0;
	n->rx.end = 0;
	n->rx.iov_first = 0;
	n->rx.iov_end = 0;
	n->rx.bytes = 0;
	n->blocked = -1;
	n->unlent = -1;
	n->parts = 0;
	if (n->nd->ops->recall)
		n->nd->ops->recall(n->nd);
}

/* Have the polling thread end; false if that is more than poll() can do in
 * time. */
static bool hang_up(struct net *n, unsigned long long patience)
{
	unsigned long long end = lkl_vdev_host->time() + patience;

	if (!__atomic_load_n(&n->ended, __ATOMIC_SEQ_CST)) {
		__atomic_store_n(&n->owed, 1, __ATOMIC_SEQ_CST);
		n->nd->ops->poll_hup(n->nd);
	}
	while (!__atomic_load_n(&n->ended, __ATOMIC_SEQ_CST)) {
		call_thread(n, RX);
		if (patience && lkl_vdev_host->time() >= end)
			return false;
		lkl_vdev_host->wait(&n->ended, 0, patience ? end : 0);
	}
	if (n->threads[RX])
		lkl_vdev_host->thread_join(n->threads[RX]);
	n->threads[RX] = 0;
	n->owed = 0;
	return true;
}

/*
 * A wire of the application's may hang up only when it is removed.  Then its
 * thread stays in poll() until that, or goes on in the next boot; with the
 * guards closed it does nothing meanwhile.
 */
void net_stop(struct lkl_vdev *vdev)
{
	struct net *n = to_net(vdev);

	__atomic_store_n(&n->stop, 1, __ATOMIC_SEQ_CST);
	hang_up(n, HUP_WAIT);
	call_thread(n, TX);
	if (n->threads[TX])
		lkl_vdev_host->thread_join(n->threads[TX]);
	n->threads[TX] = 0;
	stop_listening(n);
	net_drain(vdev);
}

int net_start(struct lkl_vdev *vdev)
{
	struct net *n = to_net(vdev);

	n->gone = 0;
	n->paused = 0;
	net_drain(vdev);
	__atomic_store_n(&n->stop, 0, __ATOMIC_SEQ_CST);
	n->config.status = LKL_VIRTIO_NET_S_LINK_UP;
	if (n->nd->ops->link && !n->nd->ops->link(n->nd))
		n->config.status = 0;
	start_listening(n);
	if (n->ended) {
		n->ended = 0;
		n->threads[RX] = lkl_vdev_host->thread_create(poll_thread, n);
		n->ended = !n->threads[RX];
	}
	if (n->threads[RX] && !(n->nd->flags & LKL_NETDEV_INLINE))
		n->threads[TX] = lkl_vdev_host->thread_create(tx_thread, n);
	if (!n->threads[RX] ||
	    (!(n->nd->flags & LKL_NETDEV_INLINE) && !n->threads[TX])) {
		net_stop(vdev);
		return -LKL_EAGAIN;
	}
	return 0;
}

void net_free(struct lkl_vdev *vdev)
{
	struct net *n = to_net(vdev);

	if (!n->ended)
		hang_up(n, 0);
	if (captures(n))
		raw_syscall(SYS_close, n->pcap.fd, 0, 0, 0, 0, 0);
	free(n);
}
