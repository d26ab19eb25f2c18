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
	n->listener.edge = n->nd->flags & LKL_NETDEV_EDGE;
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

static void LKL_DOOR poll_thread(void *arg)
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
static bool hang_up(struct net *n, unsigned long long timeout)
{
	unsigned long long end = lkl_vdev_host->time() + timeout;

	if (!__atomic_load_n(&n->ended, __ATOMIC_SEQ_CST)) {
		__atomic_store_n(&n->owed, 1, __ATOMIC_SEQ_CST);
		n->nd->ops->poll_hup(n->nd);
	}
	while (!__atomic_load_n(&n->ended, __ATOMIC_SEQ_CST)) {
		call_thread(n, RX);
		if (timeout && lkl_vdev_host->time() >= end)
			return false;
		lkl_vdev_host->wait(&n->ended, 0, timeout ? end : 0);
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

/* The threads that there are to be; false if one cannot be had. */
static bool start_threads(struct net *n)
{
	bool sends = !(n->nd->flags & LKL_NETDEV_INLINE);

	if (n->ended) {
		n->ended = 0;
		n->threads[RX] = lkl_vdev_host->thread_create(poll_thread, n);
		n->ended = !n->threads[RX];
	}
	if (n->threads[RX] && sends)
		n->threads[TX] = lkl_vdev_host->thread_create(tx_thread, n);
	return n->threads[RX] && (!sends || n->threads[TX]);
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

	/* What hangs up has ended its thread for good. */
	if (n->gone)
		return 0;
	n->ended = 1;
	return start_threads(n) ? 0 : -LKL_EAGAIN;
}

int net_start(struct lkl_vdev *vdev)
{
	struct net *n = to_net(vdev);
	int err = lends(n) ? lkl_ram_settle() : 0;

	if (err)
		return err;
	n->gone = 0;
	n->paused = 0;
	net_drain(vdev);
	__atomic_store_n(&n->stop, 0, __ATOMIC_SEQ_CST);
	n->config.status = LKL_VIRTIO_NET_S_LINK_UP;
	if (n->nd->ops->link && !n->nd->ops->link(n->nd))
		n->config.status = 0;
	start_listening(n);
	if (!start_threads(n)) {
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

	if (!n->ended)
		hang_up(n, 0);
	if (captures(n))
		raw_syscall(SYS_close, n->pcap.fd, 0, 0, 0, 0, 0);
	free(n);
}
