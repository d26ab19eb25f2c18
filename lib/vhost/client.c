// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device whose other side is another process, or the host's kernel: the
 * frames of an interface go there through memory.
 *
 * The other side maps all of RAM, and an area of ours with the rings.  These
 * are not the rings of the kernel's driver: what that makes available is
 * entered into ours (give), and what the other side is done with is handed on
 * (take). So the kernel's rings are out of reach, a side that goes and comes
 * again finds what it has not done, and a frame need not lie in RAM: pieces
 * that are the application's own memory (MSG_ZEROCOPY) are copied into the
 * area.  Short frames are, too, since that costs less than to hear when they
 * are done with.
 *
 * This is what the device calls in the middle of the kernel; client-poll.c has
 * the thread that sees to the rest, client-user.c and net.c how the other side
 * is told where all is, which is struct client_peer.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <lkl/asm/virtio_host.h>
#include <lkl/linux/virtio_config.h>
#include "../../host/iov.h"
#include "client.h"

/* Frames up to so many bytes are copied. */
#define SHORT 1024
/* If fewer descriptors are free, it matters when others are. */
#define LOW (VHOST_DRIVER_NUM / 4)

/* Of what a chain for sending is called by: its buffers are others'. */
#define LENT 1

/* Can the other side reach a piece of a frame? */
static bool in_ram(const struct linux_ram *ram, const struct iovec *iov)
{
	unsigned long offset = (unsigned long)iov->iov_base - ram->addr;

	return offset < ram->size && iov->iov_len <= ram->size - offset;
}

static char *slot(struct client_pair *p, unsigned int i)
{
	return p->area + 2 * RING_SPACE + i * (size_t)SLOT;
}

/* Copy what may not be there; returns whether it is.  The host copies. */
static bool copy_foreign(char *to, const struct iovec *iov, int cnt,
			 size_t size)
{
	struct iovec room = { to, size };
	long self = raw_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0);

	return raw_syscall(SYS_process_vm_readv, self, (long)&room, 1,
			   (long)iov, cnt, 0) == (long)size;
}

/* 1 when the frame was copied, 0 when its buffers are lent, -EAGAIN */
static int send_frame(struct client_pair *p, struct iovec *iov, int cnt,
		      unsigned int id)
{
	struct vhost_driver *d = &p->rings[TX];
	size_t size = iov_length(iov, cnt);
	struct linux_ram ram = linux_ram;
	bool foreign = false;
	char *to, *at;
	int i, head = -1;

	if (size > SLOT || d->lost)
		return 1;
	if (d->n_free < cnt) {
		p->starved = true;
		return -EAGAIN;
	}
	for (i = 0; i < cnt; i++)
		foreign |= !in_ram(&ram, &iov[i]);
	if (!foreign && size > SHORT) {
		for (i = 0; i < cnt; i++)
			head = vhost_driver_add(
				d, head, client_physical(iov[i].iov_base),
				iov[i].iov_len, 0);
		vhost_driver_give(d, head, id * 2 | LENT);
		p->lent++;
		return 0;
	}
	to = slot(p, d->free);
	if (foreign) {
		if (!copy_foreign(to, iov, cnt, size))
			return 1;
	} else {
		for (at = to, i = 0; i < cnt; at += iov[i++].iov_len)
			memcpy(at, iov[i].iov_base, iov[i].iov_len);
	}
	head = vhost_driver_add(d, -1, client_physical(to), size, 0);
	vhost_driver_give(d, head, 0);
	return 1;
}

static int lend_buffer(struct client_pair *p, struct iovec *iov, int cnt,
		       unsigned int id)
{
	struct vhost_driver *d = &p->rings[RX];
	struct linux_ram ram = linux_ram;
	int i, head = -1;

	if (d->n_free < cnt)
		return -EAGAIN;
	for (i = 0; i < cnt; i++)
		if (!in_ram(&ram, &iov[i]))
			return 1;
	for (i = 0; i < cnt; i++)
		head = vhost_driver_add(d, head,
					client_physical(iov[i].iov_base),
					iov[i].iov_len, LKL_VRING_DESC_F_WRITE);
	vhost_driver_give(d, head, id);
	return 0;
}

int client_give(struct lkl_netdev *nd, int out, struct iovec *iov, int cnt,
		unsigned int id)
{
	struct client_pair *p = to_pair(nd);
	int ret;

	lock_take(&p->locks[out]);
	ret = out ? send_frame(p, iov, cnt, id) : lend_buffer(p, iov, cnt, id);
	lock_give(&p->locks[out]);
	return ret;
}

int client_take(struct lkl_netdev *nd, int out, unsigned int *id,
		unsigned int *len)
{
	struct client_pair *p = to_pair(nd);
	struct vhost_driver *d = &p->rings[out];
	bool found, was_broken, tell;

	lock_take(&p->locks[out]);
	was_broken = d->broken;
	do
		found = vhost_driver_take(d, id, len);
	while (found && out && !(*id & LENT));
	if (!found && !out && vhost_driver_want(d, false))
		found = vhost_driver_take(d, id, len);
	if (found && out) {
		*id /= 2;
		p->lent--;
	}
	tell = d->broken && !was_broken;
	lock_give(&p->locks[out]);
	if (tell)
		ring_bell(p->c->pairs->wakeup, WAKEUP_BROKEN);
	return found;
}

/* Returns whether there is something to take. */
int client_push(struct lkl_netdev *nd, int out)
{
	struct client_pair *p = to_pair(nd);
	struct vhost_driver *d = &p->rings[out];
	bool tell, more = false;

	lock_take(&p->locks[out]);
	tell = vhost_driver_publish(d);
	if (out && (p->lent || d->n_free < LOW))
		more = vhost_driver_want(d, true);
	else if (out)
		vhost_driver_want_nothing(d);
	/* Short frames are taken back without a word. */
	if (out && p->starved && d->n_free >= LOW) {
		p->starved = false;
		more = true;
	}
	lock_give(&p->locks[out]);
	if (!__atomic_exchange_n(&p->c->wanted, true, __ATOMIC_SEQ_CST))
		ring_bell(p->c->pairs->wakeup, WAKEUP_START);
	else if (tell)
		ring_bell(p->kick[out], 1);
	return more;
}

int client_look(struct lkl_netdev *nd, int again)
{
	struct client_pair *p = to_pair(nd);
	struct vhost_driver *d = &p->rings[RX];
	bool found;

	lock_take(&p->locks[RX]);
	if (again)
		vhost_driver_want_nothing(d);
	found = again ? vhost_driver_some(d) : vhost_driver_want(d, false);
	lock_give(&p->locks[RX]);
	return found;
}

void client_begin_ring(struct client_pair *p, unsigned int q)
{
	lock_take(&p->locks[q]);
	p->rings[q].event_idx = p->c->features & VIRTIO(RING_F_EVENT_IDX);
	p->rings[q].lost = false;
	vhost_driver_begin(&p->rings[q]);
	if (q == RX)
		vhost_driver_want(&p->rings[q], false);
	lock_give(&p->locks[q]);
}

/* The other side hears of it from the polling thread. */
void client_pairs(struct lkl_netdev *nd, unsigned int n)
{
	struct client *c = to_pair(nd)->c;

	__atomic_store_n(&c->active, n, __ATOMIC_SEQ_CST);
	ring_bell(c->pairs->wakeup, WAKEUP_START);
}

void client_recall(struct lkl_netdev *nd)
{
	struct client *c = to_pair(nd)->c;
	struct client_pair *p;
	unsigned int q;

	lock_take(&c->talk);
	/* If it does not end, there is no other way, and the poll will see it.
	 */
	if (c->started && c->peer->end(c))
		raw_syscall(SYS_shutdown, c->sock, SHUT_RDWR, 0, 0, 0, 0);
	c->started = false;
	c->active = c->enabled = 1;
	__atomic_store_n(&c->wanted, false, __ATOMIC_SEQ_CST);
	for_each_client_pair(p, c) {
		for (q = RX; q <= TX; q++) {
			lock_take(&p->locks[q]);
			vhost_driver_forget(&p->rings[q]);
			lock_give(&p->locks[q]);
		}
		p->lent = 0;
	}
	lock_give(&c->talk);
}
