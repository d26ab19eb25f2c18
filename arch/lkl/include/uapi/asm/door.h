/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * How functions and numbers pass the door between the kernel and a host whose
 * conventions are others: calls are those of System V, and an integer as wide as
 * a pointer is not long everywhere.
 */
#ifndef _UAPI_ASM_LKL_DOOR_H
#define _UAPI_ASM_LKL_DOOR_H

#define LKL_DOOR	__attribute__((sysv_abi))

typedef __INTPTR_TYPE__ lkl_long_t;
typedef __UINTPTR_TYPE__ lkl_ulong_t;

#endif /* _UAPI_ASM_LKL_DOOR_H */
