// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a thread of the program looks like outside of our code.
 */
#include "preload.h"

const int way_trap_signal = SIGILL;

unsigned long way_fs_begin(struct way_thread *t)
{
	(void)t;
	return 0;
}

void way_fs_end(unsigned long fs)
{
	(void)fs;
}

bool way_trapped(struct way_thread *t, siginfo_t *info, ucontext_t *uc)
{
	(void)t, (void)info, (void)uc;
	return false;
}

void way_fix_context(ucontext_t *uc)
{
	greg_t *regs = uc->uc_mcontext.gregs;
	unsigned long ip = regs[REG_RIP];
	const struct rewrite_site *site;

	if (ip == (unsigned long)preload_out_jump ||
	    ip == (unsigned long)way_out_now) {
		regs[REG_RIP] = regs[REG_R11];
		return;
	}
	/* It is made again there, and can be unwound. */
	site = rewrite_find(ip);
	if (site && ip > site->end) {
		regs[REG_RIP] = site->resume;
	} else if (site && ip >= site->code) {
		regs[REG_RIP] = rewrite_entry();
		regs[REG_R11] = (unsigned long)site;
	}
}
