// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a thread of the program looks like outside of our code.
 */
#include <errno.h>
#include <linux/audit.h>

#include "preload.h"

#define SYS_USER_DISPATCH 2

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

/*
 * A system call that was not rewritten.  What has been executed is known to be
 * one, so the next time it may be.
 */
bool way_trapped(struct way_thread *t, siginfo_t *info, ucontext_t *uc)
{
	greg_t *regs = uc->uc_mcontext.gregs;
	unsigned long ip = regs[REG_RIP];

	if (info->si_signo != SIGSYS || info->si_code != SYS_USER_DISPATCH)
		return false;
	if (info->si_arch != AUDIT_ARCH_X86_64) {
		regs[REG_RAX] = -ENOSYS;
		return true;
	}
	rewrite_trap(ip - 2, !hijack_filtered);
	t->trapped = (struct rewrite_site){
		.address = ip - 2,
		.resume = ip,
		.code = ip - 2,
		.end = ip - 2,
		.kind = REWRITE_NONE,
	};
	regs[REG_R11] = (long)&t->trapped;
	regs[REG_RIP] = rewrite_entry();
	return true;
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
	/* Another trap may come before it is made again. */
	if (ip - rewrite_entry() < ENTRY_SIZE &&
	    regs[REG_R11] == (long)&way_self()->trapped) {
		regs[REG_RIP] = way_self()->trapped.address;
		return;
	}
	if (preload_place_resume(ip)) {
		regs[REG_RIP] = preload_place_resume(ip);
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
