// SPDX-License-Identifier: GPL-2.0-only
/*
 * The system-call table: x86-64's own, so that numbers and structures are what
 * the host's programs use.
 */
#include <linux/linkage.h>
#include <asm/syscall.h>

/* These belong to the processor or to the host's idea of the process. */
#define sys_arch_prctl		sys_ni_syscall
#define sys_ioperm		sys_ni_syscall
#define sys_iopl		sys_ni_syscall
#define sys_modify_ldt		sys_ni_syscall
#define sys_rt_sigreturn	sys_ni_syscall
#define sys_map_shadow_stack	sys_ni_syscall
/* Process 1 is the host's. */
#define sys_kill		lkl_kill
/* A task needs a host thread, and a program the host's address space. */
#define sys_clone		sys_ni_syscall
#define sys_clone3		sys_ni_syscall
#define sys_execve		sys_ni_syscall
#define sys_execveat		sys_ni_syscall
#define sys_exit		sys_ni_syscall
#define sys_exit_group		sys_ni_syscall
#define sys_fork		sys_ni_syscall
#define sys_vfork		sys_ni_syscall

#define __SYSCALL_NORETURN __SYSCALL
#define __SYSCALL(nr, sym) \
	asmlinkage long sym(long, long, long, long, long, long);
#include <asm/syscall_table_64.h>
#undef __SYSCALL

#define __SYSCALL(nr, sym) sym,
const lkl_syscall_fn lkl_syscall_table[] = {
#include <asm/syscall_table_64.h>
};

const unsigned long lkl_nr_syscalls = ARRAY_SIZE(lkl_syscall_table);
