/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of a driver in another process, as a device maps it.
 */
#ifndef LIB_VHOST_MEMORY_H
#define LIB_VHOST_MEMORY_H

#include "protocol.h"

/**
 * struct vhost_memory - what is mapped of it
 * @count: number of regions
 * @guest: address of a region in descriptors
 * @user: address in requests
 * @size: bytes
 * @at: where it is here
 * @map: what was mapped for it, from the start of the file
 * @map_size: how much
 */
struct vhost_memory {
	unsigned int count;
	struct {
		uint64_t guest;
		uint64_t user;
		uint64_t size;
		char *at;
		void *map;
		uint64_t map_size;
	} regions[VHOST_MAX_REGIONS];
};

/**
 * vhost_memory_set - map a table of regions in place of what there was
 * @m: the memory
 * @msg: the request with the table
 *
 * Return: NULL, or what is wrong with it, and nothing is mapped
 */
const char *vhost_memory_set(struct vhost_memory *m,
			     const struct vhost_msg *msg);

void vhost_memory_clear(struct vhost_memory *m);

/* What is at an address of a descriptor, or of a request; NULL if not all of it
 * is there. */
void *vhost_memory_guest(const struct vhost_memory *m, uint64_t addr,
			 uint64_t size);
void *vhost_memory_user(const struct vhost_memory *m, uint64_t addr,
			uint64_t size);

#endif /* LIB_VHOST_MEMORY_H */
