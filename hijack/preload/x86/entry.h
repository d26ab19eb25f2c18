/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For the assembly of the preloaded library.
 */
#include "../../way/x86/entry.h"
#include "../preload.h"

/* RCX: the thread's struct way_thread */
.macro	get_thread
	movq	preload_thread@gottpoff(%rip), %rcx
	addq	%fs:0, %rcx
.endm
