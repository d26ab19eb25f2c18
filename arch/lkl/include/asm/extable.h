/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_EXTABLE_H
#define _ASM_LKL_EXTABLE_H

/**
 * struct exception_table_entry - an instruction that may fault
 * @insn: its address, relative to this field
 * @fixup: where to go on, relative to this field
 */
struct exception_table_entry {
	int insn, fixup;
};

#define ARCH_HAS_RELATIVE_EXTABLE

#endif /* _ASM_LKL_EXTABLE_H */
