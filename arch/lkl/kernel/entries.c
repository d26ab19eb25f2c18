// SPDX-License-Identifier: GPL-2.0-only
/* The way into a kernel that is an image of its own: what its header calls the entry. */
#include <asm/host_ops.h>
#include <uapi/asm/virtio_host.h>

#define LKL_ENTRY(name)	name,

void * const lkl_entries[] = {
#include <uapi/asm/entries.h>
};
