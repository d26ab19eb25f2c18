/* SPDX-License-Identifier: GPL-2.0-only */
/* The list of requests, and how they end; request.c tells more. */
#ifndef _LKL_REQUEST_H
#define _LKL_REQUEST_H

#include <asm/call.h>

/* The thread of @call sleeps; if not @held, it may have gone on, and return. */
static inline void lkl_wake_call(struct lkl_call *call, bool held)
{
	if (held)
		lkl_ops->wake_held(&call->signals);
	else
		lkl_ops->wake(&call->state, 1);
}

void lkl_push(struct lkl_vcpu *cpu, u32 boot, struct lkl_call *call);
void lkl_refuse(struct lkl_call *call, long ret);
bool lkl_refuse_calls(struct lkl_vcpu *cpu, u32 boot);

static inline bool lkl_done(struct lkl_call *call)
{
	return __atomic_load_n(&call->state, __ATOMIC_ACQUIRE) == LKL_CALL_DONE;
}

#endif /* _LKL_REQUEST_H */
