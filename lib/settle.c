// SPDX-License-Identifier: GPL-2.0-only
/* A kernel that has started from a snapshot gets memory that is its own alone.
 */
#include <lkl/asm/errno.h>
#include <lkl/asm/host_ops.h>

#include "../host/linux/borrow.h"
#include "settle.h"

int lkl_ram_settle(void)
{
	int err;

	if (!linux_borrows)
		return 0;
	err = lkl_kernel_hold(lkl_kernel_boots(), 0);
	/* None runs any more. */
	if (err == -LKL_ENOSYS)
		return 0;
	if (!err) {
		err = linux_borrowed_settle();
		lkl_kernel_let_go();
	}
	return err;
}
