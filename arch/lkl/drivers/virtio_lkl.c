// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtio without a bus: the transport to the devices of the host library.
 *
 * A device is a struct lkl_virtio_dev that both worlds share.  Its status,
 * features and configuration are read in place, its queues are kicked by a
 * function call, and it has one interrupt line, whose reasons it leaves as bits
 * in a word.  Devices present at boot are found by asking the host for them,
 * others come and go through lkl_virtio_add() and lkl_virtio_remove().
 */
#define pr_fmt(fmt) "virtio-lkl: " fmt

#include <linux/device.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <asm/call.h>
#include <asm/host_ops.h>
#include <uapi/asm/virtio_host.h>

struct lkl_virtio_queue {
	struct virtqueue *vq;
	/* Keeps calls to the device for this queue apart. */
	spinlock_t lock;
};

struct lkl_virtio {
	struct virtio_device vdev;
	struct lkl_virtio_dev *dev;
	struct lkl_virtio_queue queues[];
};

#define to_lkl_virtio(v)	container_of(v, struct lkl_virtio, vdev)

static const char lkl_virtio_name[] = "virtio-lkl";

/* All devices are its children: /sys/devices/virtio-lkl/virtioN */
static struct device *lkl_virtio_root;

static void lkl_virtio_get(struct virtio_device *vdev, unsigned int offset,
			   void *buf, unsigned int len)
{
	struct lkl_virtio_dev *dev = to_lkl_virtio(vdev)->dev;

	if (WARN_ON(size_add(offset, len) > dev->config_len)) {
		memset(buf, 0, len);
		return;
	}
	memcpy(buf, dev->config + offset, len);
}

static u8 lkl_virtio_get_status(struct virtio_device *vdev)
{
	return READ_ONCE(to_lkl_virtio(vdev)->dev->status);
}

static void lkl_virtio_set_status(struct virtio_device *vdev, u8 status)
{
	struct lkl_virtio_dev *dev = to_lkl_virtio(vdev)->dev;

	dev->ops->set_status(dev, status);
}

static void lkl_virtio_reset(struct virtio_device *vdev)
{
	lkl_virtio_set_status(vdev, 0);
}

static u64 lkl_virtio_get_features(struct virtio_device *vdev)
{
	return to_lkl_virtio(vdev)->dev->offered;
}

static int lkl_virtio_finalize_features(struct virtio_device *vdev)
{
	vring_transport_features(vdev);
	to_lkl_virtio(vdev)->dev->accepted = vdev->features;
	return 0;
}

static const char *lkl_virtio_bus_name(struct virtio_device *vdev)
{
	return lkl_virtio_name;
}

static bool lkl_virtio_notify(struct virtqueue *vq)
{
	struct lkl_virtio *lv = to_lkl_virtio(vq->vdev);
	struct lkl_virtio_queue *queue = &lv->queues[vq->index];
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	lv->dev->ops->kick(lv->dev, vq->index);
	spin_unlock_irqrestore(&queue->lock, flags);
	return true;
}

static irqreturn_t lkl_virtio_irq(int irq, void *data)
{
	struct lkl_virtio *lv = data;
	struct lkl_virtio_dev *dev = lv->dev;
	unsigned long pending;
	unsigned int i;

	pending = __atomic_exchange_n(&dev->pending, 0, __ATOMIC_SEQ_CST);
	if (!pending)
		return IRQ_NONE;

	if (pending & LKL_VIRTIO_CONFIG) {
		/* Requests of a device that gave up end with an error. */
		if (dev->status & VIRTIO_CONFIG_S_NEEDS_RESET)
			virtio_break_device(&lv->vdev);
		virtio_config_changed(&lv->vdev);
	}

	for_each_set_bit(i, &pending, dev->queues) {
		struct lkl_virtio_queue *queue = &lv->queues[i];

		if (!queue->vq)
			continue;
		spin_lock(&queue->lock);
		dev->ops->irq(dev, i);
		spin_unlock(&queue->lock);
		vring_interrupt(irq, queue->vq);
	}
	return IRQ_HANDLED;
}

static void lkl_virtio_synchronize_cbs(struct virtio_device *vdev)
{
	synchronize_irq(to_lkl_virtio(vdev)->dev->irq);
}

static void lkl_virtio_del_vqs(struct virtio_device *vdev)
{
	struct lkl_virtio *lv = to_lkl_virtio(vdev);
	struct lkl_virtio_dev *dev = lv->dev;
	unsigned int i;

	if (!dev->irq)
		return;
	free_irq(dev->irq, lv);
	lkl_put_irq(dev->irq, lkl_virtio_name);
	dev->irq = 0;

	for (i = 0; i < dev->queues; i++) {
		struct virtqueue *vq = lv->queues[i].vq;

		if (!vq)
			continue;
		dev->ops->set_queue(dev, i, NULL);
		lv->queues[i].vq = NULL;
		vring_del_virtqueue(vq);
	}
}

static struct virtqueue *lkl_virtio_new_vq(struct lkl_virtio *lv,
					   unsigned int index,
					   struct virtqueue_info *info)
{
	struct lkl_virtio_dev *dev = lv->dev;
	struct lkl_virtio_ring ring;
	struct virtqueue *vq;

	if (index >= dev->queues)
		return ERR_PTR(-ENOENT);

	vq = vring_create_virtqueue(index, dev->queue_size, PAGE_SIZE,
				    &lv->vdev, true, true, info->ctx,
				    lkl_virtio_notify, info->callback,
				    info->name);
	if (!vq)
		return ERR_PTR(-ENOMEM);
	vq->num_max = dev->queue_size;

	ring = (struct lkl_virtio_ring) {
		.num = virtqueue_get_vring_size(vq),
		.desc = phys_to_virt(virtqueue_get_desc_addr(vq)),
		.avail = phys_to_virt(virtqueue_get_avail_addr(vq)),
		.used = phys_to_virt(virtqueue_get_used_addr(vq)),
	};
	dev->ops->set_queue(dev, index, &ring);
	lv->queues[index].vq = vq;
	return vq;
}

static int lkl_virtio_find_vqs(struct virtio_device *vdev, unsigned int nvqs,
			       struct virtqueue *vqs[],
			       struct virtqueue_info infos[],
			       struct irq_affinity *desc)
{
	struct lkl_virtio *lv = to_lkl_virtio(vdev);
	unsigned int i, index = 0;
	int irq, err;

	irq = lkl_get_free_irq(lkl_virtio_name);
	if (irq < 0)
		return irq;
	lkl_line_start(irq);
	err = request_irq(irq, lkl_virtio_irq, 0, dev_name(&vdev->dev), lv);
	if (err) {
		lkl_put_irq(irq, lkl_virtio_name);
		return err;
	}
	lv->dev->irq = irq;

	for (i = 0; i < nvqs; i++) {
		vqs[i] = NULL;
		if (!infos[i].name)
			continue;
		vqs[i] = lkl_virtio_new_vq(lv, index++, &infos[i]);
		if (IS_ERR(vqs[i])) {
			lkl_virtio_del_vqs(vdev);
			return PTR_ERR(vqs[i]);
		}
	}
	return 0;
}

static const struct virtio_config_ops lkl_virtio_config_ops = {
	.get = lkl_virtio_get,
	.get_status = lkl_virtio_get_status,
	.set_status = lkl_virtio_set_status,
	.reset = lkl_virtio_reset,
	.find_vqs = lkl_virtio_find_vqs,
	.del_vqs = lkl_virtio_del_vqs,
	.synchronize_cbs = lkl_virtio_synchronize_cbs,
	.get_features = lkl_virtio_get_features,
	.finalize_features = lkl_virtio_finalize_features,
	.bus_name = lkl_virtio_bus_name,
};

static void lkl_virtio_release(struct device *dev)
{
	kfree(to_lkl_virtio(dev_to_virtio(dev)));
}

long lkl_virtio_add(void *arg)
{
	struct lkl_virtio_dev *dev = arg;
	struct lkl_virtio *lv;
	unsigned int i;
	int err;

	/* Both may be left over from an earlier boot. */
	dev->driver = NULL;
	dev->irq = 0;

	if (dev->queues > LKL_VIRTIO_MAX_QUEUES)
		return -EINVAL;
	lv = kzalloc(struct_size(lv, queues, dev->queues), GFP_KERNEL);
	if (!lv)
		return -ENOMEM;

	for (i = 0; i < dev->queues; i++)
		spin_lock_init(&lv->queues[i].lock);
	lv->dev = dev;
	lv->vdev.id.device = dev->id;
	lv->vdev.config = &lkl_virtio_config_ops;
	lv->vdev.dev.parent = lkl_virtio_root;
	lv->vdev.dev.release = lkl_virtio_release;

	err = register_virtio_device(&lv->vdev);
	if (err) {
		put_device(&lv->vdev.dev);
		return err;
	}
	dev->index = lv->vdev.index;
	dev->driver = lv;
	return 0;
}

long lkl_virtio_remove(void *arg)
{
	struct lkl_virtio_dev *dev = arg;
	struct lkl_virtio *lv = dev->driver;

	if (!lv)
		return -ENODEV;
	dev->driver = NULL;
	unregister_virtio_device(&lv->vdev);
	return 0;
}

static int __init lkl_virtio_init(void)
{
	struct lkl_virtio_dev *dev = NULL;
	int irq;

	/* Those of a boot before, whose devices were not removed. */
	for (irq = 1; irq < NR_IRQS; irq++)
		lkl_put_irq(irq, lkl_virtio_name);

	lkl_virtio_root = root_device_register(lkl_virtio_name);
	if (IS_ERR(lkl_virtio_root))
		return PTR_ERR(lkl_virtio_root);

	while ((dev = lkl_ops->virtio_next(dev))) {
		long err = lkl_virtio_add(dev);

		if (err)
			pr_err("device of type %u: error %ld\n", dev->id, err);
	}
	return 0;
}
device_initcall(lkl_virtio_init);
