/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
#include <../arch/x86/include/uapi/asm/ptrace.h>
