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
 * (host/linux/listen.c).  The polling thread is then woken only when no such
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
 *
 * A wire may have several pairs of queues, each with its rings, its guards and
 * its threads (struct pair).  How many of them the driver uses it says by the
 * control queue (netdev/control.c); what comes by the wire of another one is
 * received by one that is used.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include <lkl/asm/errno.h>
#include "netdev/parts.h"
#include "settle.h"

/* How long halt waits for poll() to report that it was told to hang up, in ns.
 */
#define HUP_WAIT 1000000000ULL
/* How long the polling thread stays away, in ns, and after how few bytes. */
#define AWAY 200000
#define MUCH 16384

struct net *net_new(struct lkl_netdev *nd)
{
	struct lkl_netdev *each;
	unsigned int pairs = 0;
	struct net *n;

	for (each = nd; each; each = each->next)
		pairs++;
	if (pairs > MAX_PAIRS) {
		errno = EINVAL;
		return NULL;
	}
	n = calloc(1, sizeof(*n) + pairs * sizeof(*n->pairs));
	if (n)
		n->virtqs = calloc(pairs * QUEUES + 1, sizeof(*n->virtqs));
	if (!n || !n->virtqs) {
		free(n);
		return NULL;
	}
	n->nd = nd;
	n->pcap.fd = -1;
	n->skip = nd->has_vnet_hdr ? 0 : VNET_HDR;
	if (nd->flags & LKL_NETDEV_NOARP)
		n->skip += ETH_HDR;
	n->active = 1;
	for (n->n = 0; n->n < pairs; n->n++, nd = nd->next) {
		struct pair *p = &n->pairs[n->n];

		p->net = n;
		p->index = n->n;
		p->nd = nd;
		p->virtqs = &n->virtqs[n->n * QUEUES];
		p->ended = 1;
		p->guards[RX] = CLOSED;
		p->guards[TX] = CLOSED;
	}
	return n;
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

static void LKL_DOOR tx_thread(void *arg)
{
	struct pair *p = arg;
	struct net *n = p->net;

	while (!__atomic_load_n(&n->stop, __ATOMIC_SEQ_CST)) {
		int work = __atomic_load_n(&p->work[TX], __ATOMIC_SEQ_CST);

		net_tx(p);
		if (!__atomic_load_n(&n->stop, __ATOMIC_SEQ_CST))
			lkl_vdev_host->wait(&p->work[TX], work, 0);
	}
}

static bool look(struct listen_source *source, bool again)
{
	struct pair *p = (struct pair *)((char *)source -
					 offsetof(struct pair, listener));

	return p->nd->ops->look(p->nd, again);
}

static void start_listening(struct pair *p)
{
	if (!p->nd->ops->fd)
		return;
	p->listener.fd = p->nd->ops->fd(p->nd);
	p->listener.edge = p->nd->flags & LKL_NETDEV_EDGE;
	p->listener.look = p->nd->ops->look ? look : NULL;
	p->listener.receive = net_listen;
	p->listens = p->listener.fd >= 0 && listen_add(&p->listener);
}

static void stop_listening(struct pair *p)
{
	if (p->listens)
		listen_remove(&p->listener);
	p->listens = false;
}

/* The first wire tells of the link of all. */
static bool link_changes(struct pair *p, int events)
{
	struct net *n = p->net;

	if (!(events & LKL_DEV_NET_POLL_LINK))
		return false;
	if (!p->index && n->nd->ops->link)
		set_link(n, n->nd->ops->link(n->nd));
	return true;
}

static void receive(struct pair *p)
{
	struct lkl_dev_net_ops *ops = p->nd->ops;
	unsigned long listened = 0, received;
	struct net *n = p->net;
	bool gone = false;

	/* Of what there is, poll() may have told the last boot. */
	net_rx(receiver(p));
	for (;;) {
		int events = ops->poll(p->nd);
		bool hup = events < 0 || events & LKL_DEV_NET_POLL_HUP;

		/* The poll_hup() on its way is not for the next boot. */
		if (__atomic_load_n(&n->stop, __ATOMIC_SEQ_CST)) {
			if (hup)
				return;
			continue;
		}
		if (hup && __atomic_exchange_n(&p->owed, 0, __ATOMIC_SEQ_CST))
			continue;
		if (hup) {
			/* What is sent from here on is lost. */
			gone = true;
			__atomic_store_n(&n->gone, 1, __ATOMIC_SEQ_CST);
			set_link(n, false);
			events = LKL_DEV_NET_POLL_TX;
		}
		if (link_changes(p, events)) {
			/* The descriptor to receive from may be another one. */
			stop_listening(p);
			start_listening(p);
		}
		if (events & LKL_DEV_NET_POLL_TX) {
			__atomic_store_n(&p->room, 1, __ATOMIC_SEQ_CST);
			net_tx(p);
		}
		if (gone) {
			stop_listening(p);
			return;
		}
		if (!(events & LKL_DEV_NET_POLL_RX))
			continue;
		received = net_rx(receiver(p));
		if (__atomic_exchange_n(&p->paused, 0, __ATOMIC_SEQ_CST)) {
			listen_resume(&p->listener);
		} else if (received < MUCH && p->listened != listened) {
			listened = p->listened;
			lkl_vdev_host->wait(&p->work[RX], p->work[RX],
					    lkl_vdev_host->time() + AWAY);
		}
	}
}

static void LKL_DOOR poll_thread(void *arg)
{
	struct pair *p = arg;

	receive(p);
	__atomic_store_n(&p->ended, 1, __ATOMIC_SEQ_CST);
	lkl_vdev_host->wake(&p->ended, 1);
}

static void kick_pair(struct pair *p, unsigned int queue)
{
	struct net *n = p->net;
	bool first = p->guards[queue] == CLOSED;

	if (first)
		guard_let_go(&p->guards[queue]);
	if (queue == RX && lends(n))
		net_lend(p);
	if (queue == TX && n->nd->flags & LKL_NETDEV_INLINE)
		net_tx(p);
	else if (queue == TX || first || !lends(n))
		call_thread(p, queue);
}

void net_kick(struct lkl_vdev *vdev, unsigned int index)
{
	struct net *n = to_net(vdev);

	if (index < n->n * QUEUES)
		kick_pair(&n->pairs[index / QUEUES], index % QUEUES);
	else
		net_control(n);
}

void net_drain(struct lkl_vdev *vdev)
{
	struct net *n = to_net(vdev);
	struct pair *p;

	for_each_pair(p, n) {
		guard_close(&p->guards[RX]);
		guard_close(&p->guards[TX]);
		p->rx.first = 0;
		p->rx.end = 0;
		p->rx.iov_first = 0;
		p->rx.iov_end = 0;
		p->rx.bytes = 0;
		p->blocked = -1;
		p->unlent = -1;
		p->parts = 0;
	}
	__atomic_store_n(&n->active, 1, __ATOMIC_SEQ_CST);
	if (n->nd->ops->recall)
		n->nd->ops->recall(n->nd);
}

/* Have the polling thread end; false if that is more than poll() can do in
 * time. */
static bool hang_up(struct pair *p, unsigned long long timeout)
{
	unsigned long long end = lkl_vdev_host->time() + timeout;

	if (!__atomic_load_n(&p->ended, __ATOMIC_SEQ_CST)) {
		__atomic_store_n(&p->owed, 1, __ATOMIC_SEQ_CST);
		p->nd->ops->poll_hup(p->nd);
	}
	while (!__atomic_load_n(&p->ended, __ATOMIC_SEQ_CST)) {
		/* It may wait for buffers, of whichever pair. */
		struct pair *q;

		for_each_pair(q, p->net)
			call_thread(q, RX);
		if (timeout && lkl_vdev_host->time() >= end)
			return false;
		lkl_vdev_host->wait(&p->ended, 0, timeout ? end : 0);
	}
	if (p->threads[RX])
		lkl_vdev_host->thread_join(p->threads[RX]);
	p->threads[RX] = 0;
	p->owed = 0;
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
	struct pair *p;

	__atomic_store_n(&n->stop, 1, __ATOMIC_SEQ_CST);
	for_each_pair(p, n) {
		hang_up(p, HUP_WAIT);
		call_thread(p, TX);
		if (p->threads[TX])
			lkl_vdev_host->thread_join(p->threads[TX]);
		p->threads[TX] = 0;
		stop_listening(p);
	}
	net_drain(vdev);
}

/* The threads that there are to be; false if one cannot be had. */
static bool start_threads(struct pair *p)
{
	bool sends = !(p->nd->flags & LKL_NETDEV_INLINE);

	if (p->ended) {
		p->ended = 0;
		p->threads[RX] = lkl_vdev_host->thread_create(poll_thread, p);
		p->ended = !p->threads[RX];
	}
	if (p->threads[RX] && sends)
		p->threads[TX] = lkl_vdev_host->thread_create(tx_thread, p);
	return p->threads[RX] && (!sends || p->threads[TX]);
}

/* Another process has what lends its buffers mapped, and a part of it is
 * this process's. */
bool net_moves(struct lkl_vdev *vdev)
{
	struct net *n = to_net(vdev);

	return !lends(n) && !(n->nd->flags & LKL_NETDEV_STAYS);
}

int net_moved(struct lkl_vdev *vdev)
{
	struct net *n = to_net(vdev);
	struct pair *p;

	/* What hangs up has ended its thread for good. */
	if (n->gone)
		return 0;
	for_each_pair(p, n) {
		p->ended = 1;
		if (!start_threads(p))
			return -LKL_EAGAIN;
	}
	return 0;
}

int net_start(struct lkl_vdev *vdev)
{
	struct net *n = to_net(vdev);
	int err = lends(n) ? lkl_ram_settle() : 0;
	struct pair *p;

	if (err)
		return err;
	n->gone = 0;
	net_drain(vdev);
	__atomic_store_n(&n->stop, 0, __ATOMIC_SEQ_CST);
	n->config.status = LKL_VIRTIO_NET_S_LINK_UP;
	if (n->nd->ops->link && !n->nd->ops->link(n->nd))
		n->config.status = 0;
	for_each_pair(p, n) {
		p->paused = 0;
		start_listening(p);
		if (start_threads(p))
			continue;
		net_stop(vdev);
		return -LKL_EAGAIN;
	}
	return 0;
}

void net_forked(struct lkl_vdev *vdev)
{
	struct net *n = to_net(vdev);

	if (n->nd->ops->forked)
		n->nd->ops->forked(n->nd);
	if (captures(n))
		raw_syscall(SYS_close, n->pcap.fd, 0, 0, 0, 0, 0);
}

void net_free(struct lkl_vdev *vdev)
{
	struct net *n = to_net(vdev);
	struct pair *p;

	for_each_pair(p, n)
		if (!p->ended)
			hang_up(p, 0);
	if (captures(n))
		raw_syscall(SYS_close, n->pcap.fd, 0, 0, 0, 0, 0);
	free(n->virtqs);
	free(n);
}
