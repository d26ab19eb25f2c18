/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/* The x86 header chooses between ABIs; there is only one here. */
#include <../arch/x86/include/uapi/asm/posix_types_64.h>
