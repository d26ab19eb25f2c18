// SPDX-License-Identifier: GPL-2.0-only
/* Registers as Linux hands them to a handler: as the library's kernel wants
 * them. */
#include <lkl/asm/sigcontext.h>
#include <lkl/asm/signal.h>
#include <lkl/asm/ucontext.h>

#include "registers.h"

/* In the processor's error code. */
#define FAULT_WRITE 2

struct registers registers_of(void *ucontext)
{
	const struct lkl_ucontext *uc = ucontext;

	return (struct registers){
		.linux_context = ucontext,
		.sp = uc->uc_mcontext.rsp,
		.write = uc->uc_mcontext.err & FAULT_WRITE,
	};
}
