// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls that each architecture defines for itself.
 */
#include <linux/mman.h>
#include <linux/syscalls.h>
#include <asm/host_ops.h>
#include <asm/syscall.h>

SYSCALL_DEFINE6(mmap, unsigned long, addr, unsigned long, len, unsigned long,
		prot, unsigned long, flags, unsigned long, fd, unsigned long,
		off)
{
	if (off & ~PAGE_MASK)
		return -EINVAL;
	return ksys_mmap_pgoff(addr, len, prot, flags, fd, off >> PAGE_SHIFT);
}

/*
 * The kernel shields process 1 from SIGKILL and SIGSTOP.  Here it is the host's
 * process, which both can reach.
 */
asmlinkage long lkl_kill(long pid, long sig, long c, long d, long e, long f)
{
	if (pid != 1 || (sig != SIGKILL && sig != SIGSTOP))
		return sys_kill(pid, sig);
	lkl_ops->signal(0, sig, NULL);
	return 0;
}
