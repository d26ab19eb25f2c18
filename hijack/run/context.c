// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registers of a thread: which it is, and what it looks like outside of our
 * code.
 */
#include <asm/prctl.h>

#include "run.h"

struct way_thread *way_self(void)
{
	return &run_self()->way;
}

unsigned long way_fs_begin(struct way_thread *t)
{
	unsigned long fs;

	way_host2(SYS_arch_prctl, ARCH_GET_FS, &fs);
	run_set_fs(t->host_fs);
	return fs;
}

void way_fs_end(unsigned long fs)
{
	run_set_fs(fs);
}

void way_fix_context(ucontext_t *uc)
{
	greg_t *regs = uc->uc_mcontext.gregs;
	unsigned long ip = regs[REG_RIP];
	const struct rewrite_site *site;

	if (ip == rewrite_entry()) {
		site = (void *)regs[REG_R11];
		regs[REG_RIP] = site ? site->address
				     : (unsigned long)regs[REG_RCX] - 2;
	} else if (ip == (unsigned long)run_out_jump ||
		   ip == (unsigned long)way_out_now) {
		regs[REG_RIP] = regs[REG_RCX];
	} else {
		site = rewrite_find(ip);
		if (site && ip >= site->code)
			regs[REG_RIP] = site->address;
	}
}
