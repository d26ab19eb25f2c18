// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the host traps the program's system calls: with syscall user dispatch, or
 * with a filter.  Either way a call comes by SIGSYS, which goes on to
 * run_enter.
 */
#include <asm/prctl.h>
#include <errno.h>
#include <link.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "run.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif
#define SYS_SECCOMP 1
#define SYS_USER_DISPATCH 2

/* By which we know what our filter has trapped. */
#define FILTER_MAGIC 0x6c6b

const int way_trap_signal = SIGSYS;

/* How many system calls came by a signal. */
static unsigned long traps;

unsigned long run_traps(void)
{
	return traps;
}

/* Memory becomes code only where the program's own filters let it. */
static bool may_rewrite(void)
{
	const long arg[6] = { 0, 4096, PROT_READ | PROT_EXEC };

	return !hijack_filtered ||
	       hijack_judge(SYS_mprotect, arg, 0).verdict == HIJACK_PASS;
}

/* A system call of the program's has trapped. */
bool way_trapped(struct way_thread *t, siginfo_t *info, ucontext_t *uc)
{
	greg_t *regs = uc->uc_mcontext.gregs;
	unsigned long ip = regs[REG_RIP], fs;
	const struct rewrite_site *site;

	if (info->si_code != SYS_USER_DISPATCH &&
	    !(info->si_code == SYS_SECCOMP && info->si_errno == FILTER_MAGIC))
		return false;
	if (info->si_arch != AUDIT_ARCH_X86_64) {
		regs[REG_RAX] = -ENOSYS;
		return true;
	}
	__atomic_fetch_add(&traps, 1, __ATOMIC_RELAXED);
	/* The decoder is in a library that may not have been bound yet. */
	fs = way_fs_begin(t);
	site = rewrite_trap(ip - 2, run_options.rewrite && may_rewrite());
	way_fs_end(fs);
	regs[REG_R11] = (long)site;
	regs[REG_RCX] = ip;
	regs[REG_RIP] = rewrite_entry();
	return true;
}

static int dispatch(long mode, const char *text, size_t size,
		    unsigned char *selector)
{
	return raw_syscall(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, mode,
			   (long)text, size, (long)selector, 0);
}

/* For hosts without it: trap what is made where only the program is. */
static int add_filter(void)
{
	unsigned long out = (unsigned long)way_out_trapped;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, instruction_pointer) +
				 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 6, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, RUN_END >> 32, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, RUN_PROGRAM >> 32, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, out >> 32, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, instruction_pointer)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, out & 0xffffffff, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP | FILTER_MAGIC),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(*code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
		return -errno;
	return 0;
}

/* All that our linker has loaded, the C library too, is ours and not the
 * program's.
 */
static int add_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size, (void)arg;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		unsigned long start = info->dlpi_addr + p->p_vaddr;

		if (p->p_type == PT_LOAD && p->p_flags & PF_X)
			way_add_code(start, start + p->p_memsz,
				     HIJACK_CODE_OURS);
	}
	return 0;
}

/**
 * run_trap_init - find out how the host traps system calls
 *
 * Return: 0 or a negative error number: it cannot
 */
int run_trap_init(void)
{
	unsigned long out = (unsigned long)way_out_trapped;
	static unsigned char none;

	if (!run_options.seccomp && !dispatch(1, NULL, 0, &none)) {
		dl_iterate_phdr(add_object, NULL);
		return dispatch(0, NULL, 0, NULL);
	}
	run_options.seccomp = true;
	/* What our own filter traps comes again. */
	way_add_code(RUN_PROGRAM, RUN_END, HIJACK_CODE_ALL);
	way_add_code(out, out + 1, HIJACK_CODE_ALL);
	dl_iterate_phdr(add_object, NULL);
	/* With no filter given: EFAULT if it could be one. */
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) &&
			       errno == EFAULT
		       ? 0
		       : -ENOSYS;
}

/**
 * run_dispatch - have the calls of the calling thread trapped
 *
 * A filter is there for all threads, and for the children, that the first has.
 */
int run_dispatch(struct run_thread *t)
{
	static bool filtered;
	int err = 0;

	if (!run_options.seccomp)
		return dispatch(1, __start_run_text,
				__stop_run_text - __start_run_text,
				&t->way.selector);
	if (!filtered)
		err = add_filter();
	filtered = !err;
	return err;
}
