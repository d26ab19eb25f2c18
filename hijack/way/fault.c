// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults: of the copies of what the program points to, and the library's.
 */
#include <lkl/asm/areas.h>

#include "way.h"

/* The library's handlers of SIGSEGV and SIGBUS. */
struct sigaction way_library_segv, way_library_bus;
static __thread int not_the_librarys __attribute__((tls_model("initial-exec")));

/* A bad pointer of the program's, which user_copy() has met? */
bool way_fix_copy(const siginfo_t *info, ucontext_t *uc)
{
	greg_t *ip = &uc->uc_mcontext.gregs[REG_RIP];

	if (info->si_code <= 0 ||
	    (unsigned long)*ip - (unsigned long)user_copy_start >=
		    (unsigned long)(user_copy_end - user_copy_start))
		return false;
	*ip = (greg_t)user_copy_end;
	return true;
}

/*
 * What the library calls for faults that are none of its.  While it starts,
 * way_fault() does not come first.
 */
void way_not_ours(int sig, siginfo_t *info, void *uc)
{
	(void)sig;
	if (!way_fix_copy(info, uc))
		not_the_librarys = 1;
}

bool way_library_handles(struct way_thread *t, int sig, siginfo_t *info,
			 ucontext_t *uc)
{
	unsigned long addr = (unsigned long)info->si_addr, fs = 0;
	bool outside = t->selector, handled;
	struct sigaction *sa = sig == SIGSEGV ? &way_library_segv
					      : &way_library_bus;

	if (!sa->sa_sigaction || info->si_code <= 0 ||
	    (outside && (addr < LKL_AREA_START || addr >= LKL_AREA_END)))
		return false;
	if (outside) {
		t->selector = 0;
		fs = way_fs_begin(t);
	}
	not_the_librarys = 0;
	sa->sa_sigaction(sig, info, uc);
	handled = !not_the_librarys;
	if (outside) {
		way_fs_end(fs);
		t->selector = 1;
		/* If one is, it comes when this handler returns. */
		t->pending = 0;
		t->out = way_out_now;
	}
	return handled;
}
