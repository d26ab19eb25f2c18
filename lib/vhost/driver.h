/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The driver's side of a split ring, whose other side is another process.
 */
#ifndef LIB_VHOST_DRIVER_H
#define LIB_VHOST_DRIVER_H

#include <stdbool.h>
#include <stdint.h>
#include <lkl/linux/virtio_ring.h>

/* Descriptors of a ring. */
#define VHOST_DRIVER_NUM 1024

/**
 * struct vhost_driver - a ring
 *
 * One thread at a time may use it.
 *
 * @desc: descriptor table; like @avail and @used in memory that the other side
 *	may write to
 * @avail: what we make available
 * @used: what the other side is done with
 * @event_idx: the other side has that feature
 * @next_avail: entry of @avail to fill next
 * @told_avail: @next_avail when the other side was last told
 * @next_used: entry of @used to look at next
 * @free: first of the free descriptors
 * @n_free: how many there are
 * @broken: the other side has put nonsense into the ring
 * @lost: there is no other side any more: all is done with
 * @ours: of each descriptor what the other side cannot change: its contents,
 *	and if it is the first of a chain that is with the other side, how many
 *	there are, their bytes, and what the caller calls the chain
 */
struct vhost_driver {
	struct lkl_vring_desc *desc;
	struct lkl_vring_avail *avail;
	struct lkl_vring_used *used;
	bool event_idx;
	uint16_t next_avail;
	uint16_t told_avail;
	uint16_t next_used;
	uint16_t free;
	uint16_t n_free;
	bool broken;
	bool lost;
	struct {
		struct lkl_vring_desc desc;
		uint16_t count;
		uint32_t bytes;
		uint32_t cookie;
	} ours[VHOST_DRIVER_NUM];
};

/* Bytes of memory that a ring needs. */
#define VHOST_DRIVER_SIZE                                                      \
	(VHOST_DRIVER_NUM * (sizeof(struct lkl_vring_desc) + 2 +               \
			     sizeof(struct lkl_vring_used_elem)) +             \
	 16)

/**
 * vhost_driver_init - put a ring into memory
 * @d: the ring
 * @memory: VHOST_DRIVER_SIZE bytes, aligned to 16
 */
void vhost_driver_init(struct vhost_driver *d, void *memory);

/**
 * vhost_driver_begin - there is another side, which has not looked yet
 * @d: the ring, of which all that is given is made available anew
 */
void vhost_driver_begin(struct vhost_driver *d);

/* All that is given is taken back, without a word. */
void vhost_driver_forget(struct vhost_driver *d);

/**
 * vhost_driver_add - append a descriptor to the chain that is being made
 * @d: the ring, in which one is free (@n_free)
 * @head: first of the chain, or -1 if this is it
 * @addr: as the other side knows it
 * @len: bytes
 * @flags: LKL_VRING_DESC_F_WRITE or 0
 *
 * Return: the first of the chain
 */
int vhost_driver_add(struct vhost_driver *d, int head, uint64_t addr,
		     uint32_t len, uint16_t flags);

/* Give a chain, by which name @cookie. */
void vhost_driver_give(struct vhost_driver *d, int head, uint32_t cookie);

/**
 * vhost_driver_publish - let the other side see what was given
 * @d: the ring
 *
 * Return: whether it wants to be told
 */
bool vhost_driver_publish(struct vhost_driver *d);

/**
 * vhost_driver_take - take back what the other side is done with
 * @d: the ring
 * @cookie: where to store its name
 * @len: where to store how many bytes the other side says it has written, no
 *	more than there is room for
 *
 * Return: whether there is something
 */
bool vhost_driver_take(struct vhost_driver *d, uint32_t *cookie, uint32_t *len);

/**
 * vhost_driver_want - ask to be told of what is done with
 * @d: the ring
 * @later: not of the next, but after most of what is out
 *
 * Return: whether there is something already
 */
bool vhost_driver_want(struct vhost_driver *d, bool later);

/* Is there something that it is done with? */
bool vhost_driver_some(const struct vhost_driver *d);

/* Ask not to be told. */
void vhost_driver_want_nothing(struct vhost_driver *d);

#endif /* LIB_VHOST_DRIVER_H */
