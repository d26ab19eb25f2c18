// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device's side of the rings of virtio devices.
 *
 * A ring (split layout) is two arrays of indices into a table of descriptors:
 * the driver appends the heads of its requests to "avail", the device appends
 * those it is done with to "used".  A descriptor's address is a host pointer in
 * disguise, so a request becomes an iovec without copying.
 *
 *	lkl_virtq_pop()		take the next request off "avail"
 *	lkl_virtq_chain()	what buffers it has
 *	lkl_virtq_push()	append it to "used", not visible yet
 *	lkl_virtq_notify()	make visible what was pushed, and interrupt the
 *				driver if it wants that
 *
 * Neither side tells the other more than it wants to know.  With the event
 * index each publishes the index at which it wants to be told next; the side
 * that moves an index over that value tells the other.  That is a store of the
 * own index followed by a load of the other's wish, against a store of the wish
 * followed by a load of the index: both sides need a full barrier in between, or
 * both miss the other and sleep.
 *
 * The ring is not trusted to be well-formed.  A device that finds nonsense in
 * it says so once, asks to be reset, and takes no more requests.  A ring may
 * also be another process's (lib/vhost), which then finds out itself that it is
 * broken.
 *
 * Interrupts: a device sets the bit of the queue in dev.pending and raises its
 * line only if the word was empty, since otherwise the handler has yet to look.
 */
#include <lkl/linux/virtio_config.h>
#include "virtio.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "rings are little-endian and used in place");

/*
 * The two indices of the event index feature, which have no name in the
 * structures of the rings.
 */
static uint16_t *used_event(struct lkl_virtq *q)
{
	return (uint16_t *)&q->avail->ring[q->num];
}

static uint16_t *avail_event(struct lkl_virtq *q)
{
	return (uint16_t *)&q->used->ring[q->num];
}

/**
 * lkl_vdev_mark - note why the device wants to interrupt
 * @vdev: the device
 * @pending: 1 << queue, or LKL_VIRTIO_CONFIG
 *
 * From any thread.
 *
 * Return: whether the caller must call lkl_trigger_irq(vdev->dev.irq)
 */
bool lkl_vdev_mark(struct lkl_vdev *vdev, unsigned long long pending)
{
	return !__atomic_fetch_or(&vdev->dev.pending, pending,
				  __ATOMIC_SEQ_CST);
}

static void interrupt(struct lkl_vdev *vdev, unsigned long long pending)
{
	if (lkl_vdev_mark(vdev, pending))
		lkl_trigger_irq(vdev->dev.irq);
}

static char *append(char *to, const char *end, const char *from)
{
	while (*from && to < end)
		*to++ = *from++;
	return to;
}

/**
 * lkl_virtq_broken - the driver has put nonsense into the ring
 * @q: the ring
 * @why: what is wrong
 */
void lkl_virtq_broken(struct lkl_virtq *q, const char *why)
{
	struct lkl_vdev *vdev = q->vdev;
	char line[120], *end = line + sizeof(line) - 1, *to = line;

	if (!vdev) {
		q->broken = why;
		return;
	}
	if (__atomic_fetch_or(&vdev->dev.status,
			      LKL_VIRTIO_CONFIG_S_NEEDS_RESET,
			      __ATOMIC_SEQ_CST) &
	    LKL_VIRTIO_CONFIG_S_NEEDS_RESET)
		return;

	/* Maybe in kernel context, where there is no stdio. */
	if (lkl_vdev_host->print) {
		to = append(to, end, vdev->name);
		to = append(to, end, ": device stopped: ");
		to = append(to, end, why);
		*to++ = '\n';
		lkl_vdev_host->print(line, to - line);
	}
	interrupt(vdev, LKL_VIRTIO_CONFIG);
}

static bool is_broken(struct lkl_virtq *q)
{
	return q->vdev ? q->vdev->dev.status & LKL_VIRTIO_CONFIG_S_NEEDS_RESET
		       : q->broken != NULL;
}

/**
 * lkl_virtq_pop - take the next request
 * @q: the ring
 *
 * Return: its head descriptor, or -1 when there is none
 */
int lkl_virtq_pop(struct lkl_virtq *q)
{
	uint16_t idx, head;

	if (!q->desc)
		return -1;
	idx = __atomic_load_n(&q->avail->idx, __ATOMIC_ACQUIRE);
	if (idx == q->next_avail || is_broken(q))
		return -1;
	if ((uint16_t)(idx - q->next_avail) > q->num) {
		lkl_virtq_broken(q, "more requests than the ring has room for");
		return -1;
	}
	head = __atomic_load_n(&q->avail->ring[q->next_avail & (q->num - 1)],
			       __ATOMIC_RELAXED);
	if (head >= q->num) {
		lkl_virtq_broken(q, "request outside of the descriptor table");
		return -1;
	}
	q->next_avail++;
	return head;
}

static void *at(struct lkl_virtq *q, uint64_t addr, uint64_t len)
{
	return q->map ? q->map(q, addr, len) : (void *)(addr ^ LKL_VIRTIO_XOR);
}

static const char *walk(struct lkl_virtq *q, unsigned int i,
			struct lkl_chain *chain)
{
	const struct lkl_vring_desc *table = q->desc;
	unsigned int num = q->num;
	bool indirect = false;
	unsigned int seen = 0;

	for (;;) {
		/* A copy: the driver could change it under our hands. */
		struct lkl_vring_desc d;
		struct iovec *iov;

		if (i >= num)
			return "descriptor outside of its table";
		if (seen++ >= num)
			return "descriptors form a loop";
		d = *(const volatile struct lkl_vring_desc *)&table[i];

		if (d.flags & LKL_VRING_DESC_F_INDIRECT) {
			if (indirect || d.flags & LKL_VRING_DESC_F_NEXT)
				return "misplaced indirect table";
			if (!d.len || d.len % sizeof(d))
				return "indirect table of odd size";
			indirect = true;
			table = at(q, d.addr, d.len);
			if (!table || d.addr % 16)
				return "indirect table at a bad address";
			num = d.len / sizeof(d);
			i = 0;
			seen = 0;
			continue;
		}
		if (chain->out + chain->in == chain->max)
			return "too many buffers in a request";
		iov = &chain->iov[chain->out + chain->in];
		iov->iov_base = at(q, d.addr, d.len);
		if (!iov->iov_base)
			return "buffer outside of memory";
		iov->iov_len = d.len;
		if (d.flags & LKL_VRING_DESC_F_WRITE)
			chain->in++;
		else if (chain->in)
			return "buffer to read behind one to write";
		else
			chain->out++;
		if (!(d.flags & LKL_VRING_DESC_F_NEXT))
			return NULL;
		i = d.next;
	}
}

/**
 * lkl_virtq_chain - collect the buffers of a request
 * @q: the ring
 * @head: from lkl_virtq_pop()
 * @chain: @iov and @max are given
 *
 * Does not change the ring, so it may run beside its other users.
 *
 * Return: 0, or -1 when the request is nonsense and the device broken now
 */
int lkl_virtq_chain(struct lkl_virtq *q, unsigned int head,
		    struct lkl_chain *chain)
{
	const char *why;

	chain->out = 0;
	chain->in = 0;
	why = walk(q, head, chain);
	if (!why)
		return 0;
	lkl_virtq_broken(q, why);
	return -1;
}

/**
 * lkl_virtq_push - append a request to those done
 * @q: the ring
 * @head: from lkl_virtq_pop()
 * @len: bytes written into its buffers
 */
void lkl_virtq_push(struct lkl_virtq *q, unsigned int head, uint32_t len)
{
	struct lkl_vring_used_elem *elem;

	elem = &q->used->ring[q->next_used++ & (q->num - 1)];
	elem->id = head;
	elem->len = len;
}

/**
 * lkl_virtq_publish - show the driver what was pushed
 * @q: the ring
 *
 * For when the driver is going to look anyway.
 */
void lkl_virtq_publish(struct lkl_virtq *q)
{
	__atomic_store_n(&q->used->idx, q->next_used, __ATOMIC_RELEASE);
	q->told_used = q->next_used;
}

/**
 * lkl_virtq_mark - show the driver what was pushed, and note if it wants to be
 *	told
 * @q: the ring
 *
 * For a thread that must release something before it interrupts.
 *
 * Return: whether the caller must call lkl_trigger_irq(vdev->dev.irq), or tell
 * the other process
 */
bool lkl_virtq_mark(struct lkl_virtq *q)
{
	uint16_t told = q->told_used, now = q->next_used;
	bool wanted;

	if (told == now)
		return false;
	lkl_virtq_publish(q);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (q->event_idx) {
		uint16_t event =
			__atomic_load_n(used_event(q), __ATOMIC_RELAXED);

		wanted = (uint16_t)(now - event - 1) < (uint16_t)(now - told);
	} else {
		wanted = !(__atomic_load_n(&q->avail->flags, __ATOMIC_RELAXED) &
			   LKL_VRING_AVAIL_F_NO_INTERRUPT);
	}
	return wanted && (!q->vdev || lkl_vdev_mark(q->vdev, 1ULL << q->index));
}

/**
 * lkl_virtq_notify - show the driver what was pushed and tell it if it wants
 * @q: the ring
 */
void lkl_virtq_notify(struct lkl_virtq *q)
{
	if (lkl_virtq_mark(q))
		lkl_trigger_irq(q->vdev->dev.irq);
}

/**
 * lkl_virtq_enable_kick - ask for a kick with the next request
 * @q: the ring
 *
 * Return: true when there is one already, which there may be no kick for
 */
bool lkl_virtq_enable_kick(struct lkl_virtq *q)
{
	if (!q->desc)
		return false;
	if (q->event_idx)
		__atomic_store_n(avail_event(q), q->next_avail,
				 __ATOMIC_RELAXED);
	else
		__atomic_store_n(&q->used->flags, 0, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return lkl_virtq_ready(q);
}

/**
 * lkl_virtq_disable_kick - ask for no kick
 * @q: the ring, which is set up
 *
 * There may be one all the same.
 */
void lkl_virtq_disable_kick(struct lkl_virtq *q)
{
	if (q->event_idx)
		__atomic_store_n(avail_event(q), q->next_avail - 1,
				 __ATOMIC_RELAXED);
	else
		__atomic_store_n(&q->used->flags, LKL_VRING_USED_F_NO_NOTIFY,
				 __ATOMIC_RELAXED);
}

/**
 * lkl_virtq_ready - is there a request?
 * @q: the ring
 */
bool lkl_virtq_ready(struct lkl_virtq *q)
{
	return q->desc &&
	       __atomic_load_n(&q->avail->idx, __ATOMIC_RELAXED) !=
		       q->next_avail &&
	       !is_broken(q);
}
