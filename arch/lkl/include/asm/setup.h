/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_SETUP_H
#define _ASM_LKL_SETUP_H

#include <uapi/asm/setup.h>

/* kernel/boot.c */
extern char lkl_cmdline[COMMAND_LINE_SIZE];
extern unsigned long lkl_mem_size;

/* kernel/console.c */
void lkl_console_early(void);

#endif /* _ASM_LKL_SETUP_H */
