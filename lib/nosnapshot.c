// SPDX-License-Identifier: GPL-2.0-only
/* In place of snapshot.c on a host that has none: each kernel boots. */
#include <lkl/asm/host_ops.h>

#include "snapshot.h"

int lkl_snapshot_boot(struct lkl_host_operations *ops, const char *cmdline)
{
	return lkl_kernel_boot(ops, cmdline);
}

int lkl_snapshot_prepare(struct lkl_host_operations *ops, const char *cmdline)
{
	(void)ops;
	(void)cmdline;
	return 0;
}
