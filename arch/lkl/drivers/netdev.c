// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interfaces of virtio have no watchdog that wakes an idle kernel every five
 * seconds: all it does for them is to print that a queue stands still, which it
 * may do as long as a wire has no room.
 */
#include <linux/device/bus.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/netdevice.h>
#include <linux/notifier.h>
#include <linux/string.h>

/* The longest that the timer's wheel has no trouble with. */
#define LKL_NETDEV_WATCHDOG	(24 * 3600 * HZ)

static int lkl_netdev_event(struct notifier_block *nb, unsigned long event,
			    void *info)
{
	struct net_device *dev = netdev_notifier_info_to_dev(info);
	struct device *parent = dev->dev.parent;

	if (event == NETDEV_REGISTER && parent && parent->bus &&
	    !strcmp(parent->bus->name, "virtio"))
		dev->watchdog_timeo = LKL_NETDEV_WATCHDOG;
	return NOTIFY_DONE;
}

static struct notifier_block lkl_netdev_notifier = {
	.notifier_call = lkl_netdev_event,
};

static int __init lkl_netdev_init(void)
{
	return register_netdevice_notifier(&lkl_netdev_notifier);
}
subsys_initcall(lkl_netdev_init);
