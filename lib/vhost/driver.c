// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver's side of a split ring; see lib/virtio.c for how a ring works.
 *
 * The other side may write into all of the ring.  So what we rely on is kept
 * beside it, and of what the other side writes each index is checked: it may
 * return what it has been given, once.
 */
#include <string.h>

#include "driver.h"

#define NUM VHOST_DRIVER_NUM
#define MASK (NUM - 1)

/* The two indices of the event index feature. */
static uint16_t *used_event(struct vhost_driver *d)
{
	return (uint16_t *)&d->avail->ring[NUM];
}

static uint16_t *avail_event(struct vhost_driver *d)
{
	return (uint16_t *)&d->used->ring[NUM];
}

void vhost_driver_forget(struct vhost_driver *d)
{
	unsigned int i;

	for (i = 0; i < NUM; i++) {
		d->ours[i].count = 0;
		d->ours[i].desc.next = i + 1;
	}
	d->free = 0;
	d->n_free = NUM;
	d->lost = false;
	vhost_driver_begin(d);
}

void vhost_driver_init(struct vhost_driver *d, void *memory)
{
	char *p = memory;

	d->desc = memory;
	p += NUM * sizeof(struct lkl_vring_desc);
	d->avail = (struct lkl_vring_avail *)p;
	p += 8 + 2 * NUM;
	d->used = (struct lkl_vring_used *)p;
	vhost_driver_forget(d);
}

static void make_available(struct vhost_driver *d, unsigned int head)
{
	d->avail->ring[d->next_avail++ & MASK] = head;
}

void vhost_driver_begin(struct vhost_driver *d)
{
	unsigned int i;

	d->next_avail = 0;
	d->told_avail = 0;
	d->next_used = 0;
	d->broken = false;
	d->used->flags = 0;
	d->used->idx = 0;
	*avail_event(d) = 0;
	d->avail->flags = 0;
	vhost_driver_want_nothing(d);
	for (i = 0; i < NUM; i++) {
		d->desc[i] = d->ours[i].desc;
		if (d->ours[i].count)
			make_available(d, i);
	}
	__atomic_store_n(&d->avail->idx, d->next_avail, __ATOMIC_RELEASE);
}

int vhost_driver_add(struct vhost_driver *d, int head, uint64_t addr,
		     uint32_t len, uint16_t flags)
{
	unsigned int i = d->free;
	struct lkl_vring_desc *desc = &d->ours[i].desc;

	d->free = desc->next;
	d->n_free--;
	/* It has a next one until the chain is given. */
	desc->addr = addr;
	desc->len = len;
	desc->flags = flags | LKL_VRING_DESC_F_NEXT;
	if (head < 0) {
		head = i;
		d->ours[head].bytes = 0;
		d->ours[head].count = 0;
	}
	d->ours[head].bytes += len;
	d->ours[head].count++;
	return head;
}

void vhost_driver_give(struct vhost_driver *d, int head, uint32_t cookie)
{
	unsigned int i = head, n;

	for (n = d->ours[head].count; n; n--) {
		if (n == 1)
			d->ours[i].desc.flags &= ~LKL_VRING_DESC_F_NEXT;
		d->desc[i] = d->ours[i].desc;
		i = d->ours[i].desc.next;
	}
	d->ours[head].cookie = cookie;
	make_available(d, head);
}

bool vhost_driver_publish(struct vhost_driver *d)
{
	uint16_t told = d->told_avail, now = d->next_avail;

	if (told == now)
		return false;
	__atomic_store_n(&d->avail->idx, now, __ATOMIC_RELEASE);
	d->told_avail = now;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!d->event_idx)
		return !(__atomic_load_n(&d->used->flags, __ATOMIC_RELAXED) &
			 LKL_VRING_USED_F_NO_NOTIFY);
	return lkl_vring_need_event(
		__atomic_load_n(avail_event(d), __ATOMIC_RELAXED), now, told);
}

static void release(struct vhost_driver *d, unsigned int head)
{
	unsigned int n = d->ours[head].count, last = head, i;

	for (i = 1; i < n; i++)
		last = d->ours[last].desc.next;
	d->ours[last].desc.next = d->free;
	d->free = head;
	d->n_free += n;
	d->ours[head].count = 0;
}

/* Whatever is with the other side that there is not. */
static bool take_lost(struct vhost_driver *d, uint32_t *cookie)
{
	unsigned int i;

	if (d->n_free == NUM)
		return false;
	for (i = 0; !d->ours[i].count; i++)
		;
	*cookie = d->ours[i].cookie;
	release(d, i);
	return true;
}

bool vhost_driver_take(struct vhost_driver *d, uint32_t *cookie, uint32_t *len)
{
	uint16_t idx = __atomic_load_n(&d->used->idx, __ATOMIC_ACQUIRE);
	struct lkl_vring_used_elem elem;

	*len = 0;
	if (d->lost)
		return take_lost(d, cookie);
	if (idx == d->next_used || d->broken)
		return false;
	elem = *(volatile struct lkl_vring_used_elem *)&d->used
			->ring[d->next_used & MASK];
	if ((uint16_t)(idx - d->next_used) > NUM || elem.id >= NUM ||
	    !d->ours[elem.id].count) {
		d->broken = true;
		return false;
	}
	d->next_used++;
	*cookie = d->ours[elem.id].cookie;
	*len = elem.len < d->ours[elem.id].bytes ? elem.len
						 : d->ours[elem.id].bytes;
	release(d, elem.id);
	return true;
}

bool vhost_driver_want(struct vhost_driver *d, bool later)
{
	uint16_t out = d->next_avail - d->next_used;
	uint16_t after = later ? out * 3 / 4 : 0;

	if (d->event_idx)
		__atomic_store_n(used_event(d), d->next_used + after,
				 __ATOMIC_RELAXED);
	else
		__atomic_store_n(&d->avail->flags, 0, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return (uint16_t)(__atomic_load_n(&d->used->idx, __ATOMIC_RELAXED) -
			  d->next_used) > after &&
	       !d->broken;
}

bool vhost_driver_some(const struct vhost_driver *d)
{
	return __atomic_load_n(&d->used->idx, __ATOMIC_RELAXED) !=
		       d->next_used &&
	       !d->broken;
}

void vhost_driver_want_nothing(struct vhost_driver *d)
{
	if (d->event_idx)
		__atomic_store_n(used_event(d), d->next_used - 1,
				 __ATOMIC_RELAXED);
	else
		__atomic_store_n(&d->avail->flags,
				 LKL_VRING_AVAIL_F_NO_INTERRUPT,
				 __ATOMIC_RELAXED);
}
