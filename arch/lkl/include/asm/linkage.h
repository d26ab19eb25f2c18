/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LKL_LINKAGE_H
#define _ASM_LKL_LINKAGE_H

#define __ALIGN		.balign 16, 0x90
#define __ALIGN_STR	".balign 16, 0x90"

#ifdef __ASSEMBLY__
/* What arch/x86/lib's assembler files expect of their architecture. */
#define RET	ret
#define SYM_FUNC_ALIAS_MEMFUNC	SYM_FUNC_ALIAS
#define SYM_TYPED_FUNC_START(name)	SYM_FUNC_START(name)
#define ANNOTATE_NOENDBR
#endif

#endif /* _ASM_LKL_LINKAGE_H */
