/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LIB_SNAPSHOT_H
#define LIB_SNAPSHOT_H

#include <stdbool.h>

struct lkl_host_operations;

/* Nobody sees what the operation print of the host gets of a boot that goes
 * well. */
extern bool lkl_snapshot_silent;

/**
 * lkl_snapshot_boot - have the kernel run, from a snapshot if that is wanted
 * @ops: the host
 * @cmdline: kernel command line
 *
 * Devices are locked, and ready for a kernel.
 *
 * Return: 0 or a negative error number
 */
int lkl_snapshot_boot(struct lkl_host_operations *ops, const char *cmdline);

/**
 * lkl_snapshot_prepare - open the snapshot that lkl_snapshot_boot() will want
 * @ops: the host
 * @cmdline: kernel command line of that
 *
 * It is made if it is not there, by a process that is forked for it.
 *
 * Return: 0 or a negative error number
 */
int lkl_snapshot_prepare(struct lkl_host_operations *ops, const char *cmdline);

#endif /* LIB_SNAPSHOT_H */
