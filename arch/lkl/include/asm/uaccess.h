/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * User memory is the application's memory: it is read and written in place.
 * A bad pointer makes the host raise SIGSEGV or SIGBUS, whose handler finds
 * the instruction in __ex_table and goes on at the fixup (kernel/fault.c).
 */
#ifndef _ASM_LKL_UACCESS_H
#define _ASM_LKL_UACCESS_H

#include <linux/stringify.h>
#include <linux/types.h>
#include <asm/extable.h>
#include <asm/page.h>
#include <asm/processor.h>

#define LKL_EXTABLE(from, to)						\
	".pushsection __ex_table, \"a\"\n"				\
	".balign 4\n"							\
	".long " #from " - .\n"						\
	".long " #to " - .\n"						\
	".popsection\n"

static inline bool __access_ok(const void __user *ptr, unsigned long size)
{
	return size <= TASK_SIZE && (unsigned long)ptr <= TASK_SIZE - size;
}

#define __access_ok __access_ok
#include <asm-generic/access_ok.h>

/* Return how many bytes could not be copied. */
unsigned long lkl_copy_user(void *to, const void *from, unsigned long n);
unsigned long lkl_clear_user(void __user *to, unsigned long n);

static __always_inline unsigned long
raw_copy_from_user(void *to, const void __user *from, unsigned long n)
{
	return lkl_copy_user(to, (const void __force *)from, n);
}

static __always_inline unsigned long
raw_copy_to_user(void __user *to, const void *from, unsigned long n)
{
	return lkl_copy_user((void __force *)to, from, n);
}

#define INLINE_COPY_FROM_USER
#define INLINE_COPY_TO_USER

static inline unsigned long clear_user(void __user *to, unsigned long n)
{
	return access_ok(to, n) ? lkl_clear_user(to, n) : n;
}

#define __clear_user(to, n)	lkl_clear_user(to, n)

#define lkl_get_asm(type, x, ptr, insn, label)				\
do {									\
	unsigned long __v;						\
	asm_goto_output("1:\t" insn "\n"				\
			LKL_EXTABLE(1b, %l[label])			\
			: [val] "=r" (__v)				\
			: [mem] "m" (*(const type __force *)(ptr))	\
			: : label);					\
	(x) = (__force __typeof__(*(ptr)))__v;				\
} while (0)

#define lkl_put_asm(type, x, ptr, insn, con, label)			\
	asm goto("1:\t" insn "\n"					\
		 LKL_EXTABLE(1b, %l[label])				\
		 : : [val] con ((__force unsigned long)(x)),	\
		     [mem] "m" (*(type __force *)(ptr))			\
		 : "memory" : label)

#define unsafe_get_user(x, ptr, label)					\
do {									\
	switch (sizeof(*(ptr))) {					\
	case 1:								\
		lkl_get_asm(u8, x, ptr, "movzbl %[mem],%k[val]", label);	\
		break;							\
	case 2:								\
		lkl_get_asm(u16, x, ptr, "movzwl %[mem],%k[val]", label); \
		break;							\
	case 4:								\
		lkl_get_asm(u32, x, ptr, "movl %[mem],%k[val]", label);	\
		break;							\
	case 8:								\
		lkl_get_asm(u64, x, ptr, "movq %[mem],%[val]", label);	\
		break;							\
	default:							\
		BUILD_BUG();						\
	}								\
} while (0)

#define unsafe_put_user(x, ptr, label)					\
do {									\
	__typeof__(*(ptr)) __x = (x);					\
									\
	switch (sizeof(*(ptr))) {					\
	case 1:								\
		lkl_put_asm(u8, __x, ptr, "movb %b[val],%[mem]", "iq", label); \
		break;							\
	case 2:								\
		lkl_put_asm(u16, __x, ptr, "movw %w[val],%[mem]", "ir", label); \
		break;							\
	case 4:								\
		lkl_put_asm(u32, __x, ptr, "movl %k[val],%[mem]", "ir", label); \
		break;							\
	case 8:								\
		lkl_put_asm(u64, __x, ptr, "movq %[val],%[mem]", "er", label); \
		break;							\
	default:							\
		BUILD_BUG();						\
	}								\
} while (0)

#define unsafe_copy_from_user(to, from, n, label)			\
do {									\
	if (lkl_copy_user(to, (const void __force *)(from), n))		\
		goto label;						\
} while (0)

#define unsafe_copy_to_user(to, from, n, label)				\
do {									\
	if (lkl_copy_user((void __force *)(to), from, n))		\
		goto label;						\
} while (0)

#define user_access_begin(ptr, len)	access_ok(ptr, len)
#define user_access_end()		do { } while (0)
#define user_access_save()		(0UL)
#define user_access_restore(flags)	((void)(flags))

#define __get_user(x, ptr)						\
({									\
	__label__ __fault, __out;					\
	int __ret = 0;							\
									\
	unsafe_get_user(x, ptr, __fault);				\
	goto __out;							\
__fault:								\
	(x) = (__force __typeof__(*(ptr)))0;				\
	__ret = -EFAULT;						\
__out:									\
	__ret;								\
})

#define __put_user(x, ptr)						\
({									\
	__label__ __fault, __out;					\
	int __ret = 0;							\
									\
	unsafe_put_user(x, ptr, __fault);				\
	goto __out;							\
__fault:								\
	__ret = -EFAULT;						\
__out:									\
	__ret;								\
})

#define get_user(x, ptr)						\
({									\
	__typeof__(ptr) __p = (ptr);					\
	int __ok = -EFAULT;						\
									\
	might_fault();							\
	if (likely(access_ok(__p, sizeof(*__p))))			\
		__ok = __get_user(x, __p);				\
	else								\
		(x) = (__force __typeof__(*__p))0;			\
	__ok;								\
})

#define put_user(x, ptr)						\
({									\
	__typeof__(ptr) __p = (ptr);					\
									\
	might_fault();							\
	access_ok(__p, sizeof(*__p)) ?					\
		__put_user((__typeof__(*__p))(x), __p) : -EFAULT;	\
})

#define __get_kernel_nofault(dst, src, type, label)			\
do {									\
	type __kv;							\
									\
	unsafe_get_user(__kv, (type __user __force *)(src), label);	\
	*(type *)(dst) = __kv;						\
} while (0)

#define __put_kernel_nofault(dst, src, type, label)			\
	unsafe_put_user(*(type *)(src), (type __user __force *)(dst), label)

long strncpy_from_user(char *dst, const char __user *src, long count);
long strnlen_user(const char __user *str, long n);

#endif /* _ASM_LKL_UACCESS_H */
