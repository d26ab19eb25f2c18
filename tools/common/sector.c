// SPDX-License-Identifier: GPL-2.0-only
/*
 * An image does not tell the size of the sectors that its partition table
 * counts in.  A disk with another size than its back end offers is a layer over
 * that.
 */
#include <stdlib.h>

#include "sector.h"
#include "tool.h"

struct sectors {
	struct lkl_disk below;
	struct lkl_dev_blk_ops *ops;
	unsigned int size;
};

static int sector_capacity(struct lkl_disk disk, unsigned long long *size)
{
	struct sectors *s = disk.handle;

	return s->ops->get_capacity(s->below, size);
}

static int sector_request(struct lkl_disk disk, struct lkl_blk_req *req)
{
	struct sectors *s = disk.handle;

	return s->ops->request(s->below, req);
}

static int sector_limits(struct lkl_disk disk, struct lkl_blk_limits *limits)
{
	struct sectors *s = disk.handle;
	int err = 0;

	if (s->ops->get_limits)
		err = s->ops->get_limits(s->below, limits);
	if (limits->block_size < s->size)
		limits->block_size = s->size;
	if (limits->physical_size < limits->block_size)
		limits->physical_size = limits->block_size;
	if (limits->discard_size < limits->block_size)
		limits->discard_size = limits->block_size;
	return err;
}

static struct lkl_dev_blk_ops sector_ops = {
	.get_capacity = sector_capacity,
	.request = sector_request,
	.get_limits = sector_limits,
};

struct sectors *sector_new(struct lkl_disk *disk, unsigned int size)
{
	struct sectors *s = tool_alloc(NULL, sizeof(*s));

	*s = (struct sectors){
		.below = *disk,
		.ops = disk->ops ? disk->ops : &lkl_dev_blk_ops,
		.size = size,
	};
	*disk = (struct lkl_disk){ .handle = s, .ops = &sector_ops };
	return s;
}

void sector_free(struct sectors *s)
{
	free(s);
}
