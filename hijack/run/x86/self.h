/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a thread finds what is its own: the program has the FS register. */
#ifndef RUN_X86_SELF_H
#define RUN_X86_SELF_H

struct run_thread;

static inline struct run_thread *run_self(void)
{
	struct run_thread *t;

	asm volatile("movq %%gs:0, %0" : "=r"(t));
	return t;
}

#endif /* RUN_X86_SELF_H */
