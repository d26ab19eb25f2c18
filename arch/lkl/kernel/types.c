// SPDX-License-Identifier: GPL-2.0-only
/*
 * The types of the kernel, for debuggers.
 *
 * The kernel is compiled with line numbers only, as the types in the DWARF of
 * each of its files would make it ten times as large.  This file has no code; it
 * is compiled such that all types and variables that the headers declare are
 * described, once.
 */
#include <linux/backing-dev.h>
#include <linux/blkdev.h>
#include <linux/cgroup.h>
#include <linux/eventpoll.h>
#include <linux/fdtable.h>
#include <linux/fs_context.h>
#include <linux/fs_struct.h>
#include <linux/init_task.h>
#include <linux/interrupt.h>
#include <linux/io_uring_types.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/jbd2.h>
#include <linux/memcontrol.h>
#include <linux/netdevice.h>
#include <linux/nsproxy.h>
#include <linux/pagemap.h>
#include <linux/pipe_fs_i.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <linux/virtio.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <net/af_unix.h>
#include <asm/call.h>
#include <asm/fiber.h>
#include "../../../fs/mount.h"
#include "../../../kernel/printk/printk_ringbuffer.h"
