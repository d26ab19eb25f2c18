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
 * there are, then one interrupt.  If nobody runs the kernel, raising it makes
 * this very thread run the handler, the protocols and the task that waits for
 * the data, so that an answer leaves without any other thread being woken.
 *
 * Better still if the application's thread that waits for the data receives it
 * (host/posix/listen.c).  The polling thread is then woken only when no such
 * thread waits.  As these are often busy only for a moment, it then stays away
 * for a moment, too, unless there was much: that is shared.
 *
 * If the wire is full the frame stays, the ring is not looked at any more, and
 * the polling thread goes on when there is room.
 *
 * Who looks at a ring holds its guard.  It is never waited for: who finds it
 * taken leaves the work to its holder, who looks again after letting go.
 * Interrupts are raised without it, because that may mean to run the kernel,
 * which may want to reset the device, for which the guards are closed.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <lkl.h>
#include <lkl/linux/virtio_ids.h>
#include "../host/posix/posix.h"
#include "net.h"
#include "virtio.h"

enum { RX, TX, QUEUES };

#define QUEUE_SIZE 256
/* Without mergeable buffers each receive buffer may hold 64 KiB. */
#define BIG_QUEUE_SIZE 64
#define VNET_HDR sizeof(struct lkl_virtio_net_hdr_v1)
#define ETH_HDR 14
#define TX_IOV 64
#define RX_IOV 512
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

/* A receive buffer that was taken off the ring. */
struct rx_buf {
	uint16_t head;
	uint16_t iovs;
	uint32_t len;
};

/*
 * @bufs, @iov: buffers to receive into next, from @first to @end
 * @bytes: what they hold
 * @spill: behind them, as a frame must not be cut short
 */
struct rx {
	struct rx_buf bufs[QUEUE_SIZE];
	struct iovec iov[RX_IOV + 1];
	unsigned int first, end;
	unsigned int iov_first, iov_end;
	size_t bytes;
	char spill[FRAME_MAX];
};

/*
 * @guards: of the rings
 * @skip: how much of a frame the wire does not carry
 * @blocked: head of the frame that the wire had no room for, or -1
 * @room: there may be room again
 * @again: somebody has found the receive ring's guard taken
 * @listener: threads of the application that receive
 * @listens: they may
 * @paused: they leave it to the polling thread
 * @listened: counts the bytes that they have received
 * @work: counts the kicks; the threads wait on it
 * @ended: the polling thread has ended, or there is none
 * @owed: poll() was told to hang up, and has not yet
 */
struct net {
	struct lkl_vdev vdev;
	struct lkl_netdev *nd;
	struct lkl_virtio_net_config config;
	struct lkl_virtq virtqs[QUEUES];
	int guards[QUEUES];
	unsigned int skip;
	struct rx rx;
	int blocked;
	int room;
	int again;
	struct listen_source listener;
	bool listens;
	int paused;
	unsigned long listened;
	int work[QUEUES];
	int gone;
	int stop;
	int ended;
	int owed;
	lkl_thread_t threads[QUEUES];
};

static struct net *to_net(struct lkl_vdev *vdev)
{
	return (struct net *)((char *)vdev - offsetof(struct net, vdev));
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
		unsigned int i;
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
		buf->len = 0;
		for (i = 0; i < chain.in; i++)
			buf->len += chain.iov[i].iov_len;
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
 * @DRAINED: there was no more, or somebody else receives
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
		ret = rx_frame(n);
		if (ret <= 0)
			break;
		bytes += ret;
	} while (++frames < RX_BATCH && bytes < RX_BATCH_BYTES);
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
	/* It would be readable for ever. */
	if (end != MORE) {
		listen_pause(source);
		__atomic_store_n(&n->paused, 1, __ATOMIC_SEQ_CST);
	}
	n->nd->ops->poll_rx(n->nd);
}

/* Returns false when the wire has no room. */
static bool tx_frame(struct net *n, int head)
{
	struct lkl_virtq *q = &n->virtqs[TX];
	struct iovec iov[TX_IOV], *first = iov;
	struct lkl_chain chain = { .iov = iov, .max = TX_IOV };
	size_t skip = n->skip;

	if (lkl_virtq_chain(q, head, &chain))
		return true;
	for (; chain.out; first++, chain.out--) {
		if (skip < first->iov_len) {
			first->iov_base = (char *)first->iov_base + skip;
			first->iov_len -= skip;
			break;
		}
		skip -= first->iov_len;
	}
	if (chain.in || !chain.out) {
		lkl_virtq_broken(q, "frame without header or content");
		return true;
	}
	return n->nd->ops->tx(n->nd, first, chain.out) >= 0;
}

/* Send what there is to send. */
static void net_tx(struct net *n)
{
	struct lkl_virtq *q = &n->virtqs[TX];
	bool more;

	do {
		bool raise;
		int irq;

		if (!guard_take(&n->guards[TX]))
			return;
		__atomic_store_n(&n->room, 0, __ATOMIC_SEQ_CST);
		do {
			int head = n->blocked;

			if (head < 0)
				head = lkl_virtq_pop(q);
			for (; head >= 0; head = lkl_virtq_pop(q)) {
				if (!tx_frame(n, head))
					break;
				lkl_virtq_push(q, head, 0);
			}
			n->blocked = head;
		} while (n->blocked < 0 && lkl_virtq_enable_kick(q));
		raise = lkl_virtq_mark(q);
		irq = n->vdev.dev.irq;
		more = n->blocked < 0;
		guard_let_go(&n->guards[TX]);

		if (raise)
			lkl_trigger_irq(irq);
		/* What came while others were turned away by the guard. */
		more = more ? lkl_virtq_ready(q)
			    : __atomic_load_n(&n->room, __ATOMIC_SEQ_CST);
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
		if (events & LKL_DEV_NET_POLL_LINK && ops->link)
			set_link(n, ops->link(n->nd));
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

static void net_kick(struct lkl_vdev *vdev, unsigned int index)
{
	struct net *n = to_net(vdev);

	if (n->guards[index] == CLOSED)
		guard_let_go(&n->guards[index]);
	if (index == TX && n->nd->flags & LKL_NETDEV_INLINE)
		net_tx(n);
	else
		call_thread(n, index);
}

static void net_drain(struct lkl_vdev *vdev)
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
static void net_stop(struct lkl_vdev *vdev)
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

static int net_start(struct lkl_vdev *vdev)
{
	struct net *n = to_net(vdev);

	n->gone = 0;
	n->paused = 0;
	net_drain(vdev);
	__atomic_store_n(&n->stop, 0, __ATOMIC_SEQ_CST);
	n->config.status = LKL_VIRTIO_NET_S_LINK_UP;
	if (n->nd->ops->link && !n->nd->ops->link(n->nd))
		n->config.status = 0;
	if (n->nd->ops->fd) {
		n->listener.fd = n->nd->ops->fd(n->nd);
		n->listener.receive = net_listen;
		n->listens = listen_add(&n->listener);
	}
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

static void net_free(struct lkl_vdev *vdev)
{
	struct net *n = to_net(vdev);

	if (!n->ended)
		hang_up(n, 0);
	free(n);
}

/* The interface of the virtio device with this index. */
static int interface_name(int index, char name[LKL_IFNAMSIZ])
{
	char path[64];
	int err = lkl_mount_fs("sysfs");

	if (err < 0)
		return err;
	snprintf(path, sizeof(path), "/sysfs/devices/virtio-lkl/virtio%d/net",
		 index);
	return lkl_only_entry(path, name, LKL_IFNAMSIZ);
}

static int add_flags(const char *name, int flags)
{
	long fd = lkl_sys_socket(LKL_AF_INET, LKL_SOCK_DGRAM, 0);
	struct lkl_ifreq ifr = { 0 };
	int err;

	if (fd < 0)
		return fd;
	strcpy(ifr.lkl_ifr_name, name);
	err = lkl_sys_ioctl(fd, LKL_SIOCGIFFLAGS, (long)&ifr);
	ifr.lkl_ifr_flags |= flags;
	if (!err)
		err = lkl_sys_ioctl(fd, LKL_SIOCSIFFLAGS, (long)&ifr);
	lkl_sys_close(fd);
	return err;
}

/* The kernel runs and has the interface. */
static void net_ready(struct lkl_vdev *vdev)
{
	struct lkl_netdev *nd = to_net(vdev)->nd;
	char name[LKL_IFNAMSIZ], ports[16];
	int err = 0;

	if (nd->flags & LKL_NETDEV_NOARP) {
		err = interface_name(vdev->dev.index, name);
		if (!err)
			err = add_flags(name, LKL_IFF_NOARP);
	}
	if (!err && nd->ports[0]) {
		snprintf(ports, sizeof(ports), "%d %d", nd->ports[0],
			 nd->ports[1]);
		err = lkl_sysctl("net.ipv4.ip_local_port_range", ports);
	}
	if (err)
		lkl_net_error(vdev->name, "not as the wire needs it: %s",
			      lkl_strerror(err));
}

static const struct lkl_vdev_ops net_ops = {
	.ready = net_ready,
	.start = net_start,
	.stop = net_stop,
	.free = net_free,
	.drain = net_drain,
	.kick = net_kick,
};

void lkl_net_error(const char *wire, const char *fmt, ...)
{
	char line[300];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	fprintf(stderr, "lkl: %s: %s\n", wire, line);
}

bool lkl_net_check_offload(const char *wire, unsigned int offload)
{
	static const struct {
		unsigned int bits;
		unsigned int need;
		const char *why;
	} rules[] = {
		{ OFFLOAD(HOST_TSO4) | OFFLOAD(HOST_TSO6) | OFFLOAD(HOST_UFO),
		  OFFLOAD(CSUM),
		  "segmentation (bits 11, 12, 14) needs CSUM 0" },
		{ OFFLOAD(HOST_ECN), OFFLOAD(HOST_TSO4) | OFFLOAD(HOST_TSO6),
		  "HOST_ECN 13 needs HOST_TSO4 11 or HOST_TSO6 12" },
		{ OFFLOAD(GUEST_TSO4) | OFFLOAD(GUEST_TSO6) |
			  OFFLOAD(GUEST_UFO),
		  OFFLOAD(GUEST_CSUM),
		  "receiving segments (bits 7, 8, 10) needs GUEST_CSUM 1" },
		{ OFFLOAD(GUEST_ECN), OFFLOAD(GUEST_TSO4) | OFFLOAD(GUEST_TSO6),
		  "GUEST_ECN 9 needs GUEST_TSO4 7 or GUEST_TSO6 8" },
	};
	unsigned int i, known = OFFLOAD(MRG_RXBUF);

	for (i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		known |= rules[i].bits | rules[i].need;
	if (offload & ~known) {
		lkl_net_error(wire, "offload 0x%x: unknown bits 0x%x", offload,
			      offload & ~known);
		return false;
	}
	for (i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		if (offload & rules[i].bits && !(offload & rules[i].need)) {
			lkl_net_error(wire, "offload 0x%x: %s", offload,
				      rules[i].why);
			return false;
		}
	}
	return true;
}

static int set_offload(struct net *n, unsigned int offload)
{
	unsigned int host = OFFLOAD(HOST_TSO4) | OFFLOAD(HOST_TSO6);
	unsigned int guest = OFFLOAD(GUEST_TSO4) | OFFLOAD(GUEST_TSO6);
	struct lkl_netdev *nd = n->nd;
	unsigned long long *offered = &n->vdev.dev.offered;

	offload |= nd->needs;
	if (!lkl_net_check_offload("netdev", offload))
		return -LKL_EINVAL;
	if (offload & ~OFFLOAD(MRG_RXBUF) && !nd->has_vnet_hdr) {
		lkl_net_error("netdev", "offload 0x%x: this wire has none",
			      offload);
		return -LKL_EINVAL;
	}
	if (nd->ops->setup) {
		int ret = nd->ops->setup(nd, n->config.mac, offload);

		if (ret < 0)
			return ret;
	}
	*offered |= offload;
	if (nd->flags & LKL_NETDEV_USO) {
		if ((offload & host) == host)
			*offered |= 1ULL << LKL_VIRTIO_NET_F_HOST_USO;
		if ((offload & guest) == guest)
			*offered |= 1ULL << LKL_VIRTIO_NET_F_GUEST_USO4 |
				    1ULL << LKL_VIRTIO_NET_F_GUEST_USO6;
	}
	n->vdev.dev.queue_size = offload & guest &&
						 !(offload & OFFLOAD(MRG_RXBUF))
					 ? BIG_QUEUE_SIZE
					 : QUEUE_SIZE;
	return 0;
}

/* One asked for, the wire's, or a random one of a local administrator. */
static int set_mac(struct net *n, const unsigned char *mac)
{
	static const unsigned char zero[6];

	if (!mac && memcmp(n->nd->mac, zero, 6))
		mac = n->nd->mac;
	if (mac) {
		memcpy(n->config.mac, mac, 6);
		if (mac[0] & 1 || !memcmp(mac, zero, 6)) {
			lkl_net_error("netdev",
				      "no address of an interface: "
				      "%02x:%02x:%02x:%02x:%02x:%02x",
				      mac[0], mac[1], mac[2], mac[3], mac[4],
				      mac[5]);
			return -LKL_EINVAL;
		}
	} else {
		if (getrandom(n->config.mac, 6, 0) != 6)
			return -LKL_EIO;
		n->config.mac[0] = (n->config.mac[0] & 0xfc) | 2;
	}
	return 0;
}

int lkl_netdev_add(struct lkl_netdev *nd, struct lkl_netdev_args *args)
{
	struct net *n;
	int ret;

	if (!nd || !nd->ops)
		return -LKL_EINVAL;
	n = calloc(1, sizeof(*n));
	if (!n)
		return -LKL_ENOMEM;
	n->nd = nd;
	n->ended = 1;
	n->guards[RX] = CLOSED;
	n->guards[TX] = CLOSED;
	n->skip = nd->has_vnet_hdr ? 0 : VNET_HDR;
	if (nd->flags & LKL_NETDEV_NOARP)
		n->skip += ETH_HDR;

	n->vdev.ops = &net_ops;
	n->vdev.back = nd;
	n->vdev.kind = "lkl-net";
	n->vdev.queues = n->virtqs;
	n->vdev.dev.id = LKL_VIRTIO_ID_NET;
	n->vdev.dev.queues = QUEUES;
	n->vdev.dev.config = &n->config;
	n->vdev.dev.config_len = sizeof(n->config);
	n->vdev.dev.offered = 1ULL << LKL_VIRTIO_NET_F_MAC |
			      1ULL << LKL_VIRTIO_NET_F_STATUS;
	if (nd->mtu) {
		n->vdev.dev.offered |= 1ULL << LKL_VIRTIO_NET_F_MTU;
		n->config.mtu = nd->mtu;
	}
	ret = set_mac(n, args ? args->mac : NULL);
	if (!ret)
		ret = set_offload(n, args ? args->offload : nd->offload);
	if (!ret)
		ret = lkl_vdev_add(&n->vdev);
	if (ret < 0)
		free(n);
	else
		nd->id = ret;
	return ret;
}

void lkl_netdev_remove(int id)
{
	lkl_vdev_remove_unit(LKL_VIRTIO_ID_NET, id);
}

void lkl_netdev_free(struct lkl_netdev *nd)
{
	lkl_vdev_remove_front(nd);
	nd->ops->free(nd);
}

int lkl_netdev_get_ifindex(int id)
{
	int index = lkl_vdev_index(LKL_VIRTIO_ID_NET, id);
	char name[LKL_IFNAMSIZ];
	int err;

	if (index < 0)
		return index;
	err = interface_name(index, name);
	return err ? err : lkl_ifname_to_ifindex(name);
}
