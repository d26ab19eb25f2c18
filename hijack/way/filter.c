// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of calls that the program's filters do not let through.
 */
#include <errno.h>
#include <linux/audit.h>
#include <string.h>

#include "way.h"

#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1
#endif

/* Is the handler of SIGSYS to be called?  Else it ends the process. */
static bool can_be_handled(struct way_thread *t)
{
	struct way_action a = way_action(t, SIGSYS);
	unsigned long mask = t->mask;

	if (!t->pending)
		way_host4(SYS_rt_sigprocmask, SIG_BLOCK, 0, &mask,
			  WAY_MASK_SIZE);
	return way_is_handler(&a) && !((mask | t->blocked) & BIT(SIGSYS));
}

/* As the host: the handler finds the number in RAX, and what it leaves there.
 */
static long raise_sigsys(struct way_thread *t, struct way_regs *r,
			 unsigned long ip, int data)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	info.si_signo = SIGSYS;
	info.si_code = SYS_SECCOMP;
	info.si_errno = data;
	info.si_call_addr = (void *)ip;
	info.si_syscall = r->nr;
	info.si_arch = AUDIT_ARCH_X86_64;
	way_raise_sigsys(t, &info);
	return r->nr;
}

/*
 * A filter from before the program was executed knows nothing of where we are,
 * but may know the call.
 */
static void __attribute__((noreturn))
end(long (*how)(long, long, long, long, long, long, long), struct way_regs *r)
{
	const long *a = r->arg;

	how(r->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	for (;;)
		way_host3(SYS_tgkill, way_host0(SYS_getpid),
			  way_host0(SYS_gettid), SIGKILL);
}

/**
 * way_judge - have the thread's filters judge a call
 * @t: the calling thread
 * @r: its registers
 * @ret: where to store what the call returns, if it is not made
 *
 * Return: whether it is to be made
 */
bool way_judge(struct way_thread *t, struct way_regs *r, long *ret)
{
	unsigned long ip = r->site ? r->site->resume : (unsigned long)r->rcx;
	struct hijack_judgement j = hijack_judge(r->nr, r->arg, ip);
	const long *a = r->arg;

	switch (j.verdict) {
	case HIJACK_PASS:
		return true;
	case HIJACK_RETURN:
		*ret = j.value;
		return false;
	case HIJACK_ASK:
		*ret = way_ask(r->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
		return false;
	case HIJACK_TRAP:
		if (!can_be_handled(t))
			end(way_kill_process, r);
		*ret = raise_sigsys(t, r, ip, j.value);
		return false;
	case HIJACK_KILL_STRICT:
		way_host3(SYS_tgkill, way_host0(SYS_getpid),
			  way_host0(SYS_gettid), SIGKILL);
		break;
	case HIJACK_KILL_THREAD:
		if (!hijack_in_vfork())
			hijack_thread_exit();
		end(way_kill_thread, r);
	case HIJACK_KILL_PROCESS:
		break;
	}
	end(way_kill_process, r);
}
