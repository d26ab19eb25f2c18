/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The functions by which the host enters a kernel that is an image of its own, in
 * the order of the image's table (kernel/entries.c).  A list: who includes it
 * defines LKL_ENTRY(), and LKL_PUBLIC_ENTRY() for what applications call, too.
 */
#ifndef LKL_ENTRY
#define LKL_ENTRY(name)
#endif
#ifndef LKL_PUBLIC_ENTRY
#define LKL_PUBLIC_ENTRY(name)	LKL_ENTRY(name)
#endif

LKL_ENTRY(lkl_kernel_boot)
LKL_ENTRY(lkl_kernel_boots)
LKL_ENTRY(lkl_kernel_dump)
LKL_ENTRY(lkl_kernel_enter)
LKL_ENTRY(lkl_kernel_fault)
LKL_ENTRY(lkl_kernel_freeze)
LKL_ENTRY(lkl_kernel_halt)
LKL_ENTRY(lkl_kernel_hold)
LKL_ENTRY(lkl_kernel_leave)
LKL_ENTRY(lkl_kernel_let_go)
LKL_ENTRY(lkl_kernel_pass_irq)
LKL_ENTRY(lkl_kernel_release)
LKL_ENTRY(lkl_kernel_renew)
LKL_ENTRY(lkl_kernel_reset)
LKL_ENTRY(lkl_kernel_restore)
LKL_ENTRY(lkl_kernel_state)
LKL_ENTRY(lkl_kernel_thaw)
LKL_ENTRY(lkl_page_fault)
LKL_ENTRY(lkl_task_create)
LKL_ENTRY(lkl_task_exit)
LKL_ENTRY(lkl_task_run)
LKL_ENTRY(lkl_task_syscall)
LKL_ENTRY(lkl_virtio_add)
LKL_ENTRY(lkl_virtio_remove)
LKL_PUBLIC_ENTRY(lkl_get_free_irq)
LKL_PUBLIC_ENTRY(lkl_put_irq)
LKL_PUBLIC_ENTRY(lkl_trigger_irq)

#undef LKL_ENTRY
#undef LKL_PUBLIC_ENTRY
