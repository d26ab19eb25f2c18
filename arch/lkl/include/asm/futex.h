/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_FUTEX_H
#define _ASM_LKL_FUTEX_H

#include <linux/futex.h>
#include <linux/uaccess.h>
#include <asm/errno.h>

/*
 * A futex word is changed by host threads that do not hold the virtual CPU,
 * so these are locked operations even with one CPU.
 */
static inline int futex_atomic_cmpxchg_inatomic(u32 *uval, u32 __user *uaddr,
						u32 oldval, u32 newval)
{
	if (!access_ok(uaddr, sizeof(u32)))
		return -EFAULT;
	asm_goto_output("1:\tlock; cmpxchgl %[new], %[ptr]\n"
		 LKL_EXTABLE(1b, %l[fault])
		 : [ptr] "+m" (*uaddr), "+a" (oldval)
		 : [new] "r" (newval)
		 : "memory", "cc"
		 : fault);
	*uval = oldval;
	return 0;
fault:
	return -EFAULT;
}

static inline int arch_futex_atomic_op_inuser(int op, int oparg, int *oval,
					      u32 __user *uaddr)
{
	u32 old, new, seen;
	int ret;

	if (!access_ok(uaddr, sizeof(u32)))
		return -EFAULT;
	unsafe_get_user(old, uaddr, fault);
	for (;;) {
		switch (op) {
		case FUTEX_OP_SET:
			new = oparg;
			break;
		case FUTEX_OP_ADD:
			new = old + oparg;
			break;
		case FUTEX_OP_OR:
			new = old | oparg;
			break;
		case FUTEX_OP_ANDN:
			new = old & ~oparg;
			break;
		case FUTEX_OP_XOR:
			new = old ^ oparg;
			break;
		default:
			return -ENOSYS;
		}
		ret = futex_atomic_cmpxchg_inatomic(&seen, uaddr, old, new);
		if (ret)
			return ret;
		if (seen == old)
			break;
		old = seen;
	}
	*oval = old;
	return 0;
fault:
	return -EFAULT;
}

#endif /* _ASM_LKL_FUTEX_H */
