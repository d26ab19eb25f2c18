/* SPDX-License-Identifier: GPL-2.0-only */
#include <../arch/x86/include/asm/frame.h>
