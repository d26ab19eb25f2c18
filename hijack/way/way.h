/* SPDX-License-Identifier: GPL-2.0-only */
/* What both ways into the core share; their x86/entry.S, too. */
#ifndef WAY_H
#define WAY_H

/* Offsets in struct way_thread. */
#define WAY_SELECTOR 8
#define WAY_PENDING 9
#define WAY_STACK 16
#define WAY_USER_SP 24
#define WAY_RESUME 32
#define WAY_OUT 40
#define WAY_HOST_FS 48
#define WAY_USER_FS 56
#define WAY_BACK 64
#define WAY_AFTER 72

/* Offset in struct rewrite_site. */
#define SITE_RESUME 8

/* What a call returns to be made again: the kernel's ERESTARTSYS. */
#define WAY_RESTART 512

/* Size of the stack on which the core runs. */
#define WAY_STACK_SIZE (256 * 1024)

/* The kernel's size of a set of signals. */
#define WAY_MASK_SIZE 8

#ifndef __ASSEMBLER__

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "../../host/linux/linux.h"
#include "../core.h"
#include "../rewrite/rewrite.h"
#include "../user.h"

/*
 * The program's registers in a system call, as x86/entry.S pushes them, which has
 * offsets of it in DWARF.
 */
struct way_regs {
	long arg[6]; /* RDI, RSI, RDX, R10, R8, R9 */
	long rbx, rbp, r12, r13, r14, r15;
	const struct rewrite_site *site;
	long nr;
	long flags;
	long rcx;
	unsigned long sp;
};

/* As the kernel knows it. */
struct way_action {
	unsigned long handler;
	unsigned long flags;
	unsigned long restorer;
	unsigned long mask;
};

#define WAY_SIGNALS 65

/*
 * What is to be called for a signal: the program's handler, or 0, with what is to
 * be blocked then; WAY_MASKED if the host has seen to that.  It is not before our
 * stack has been left: a signal may come at once.
 */
struct way_entry {
	unsigned long handler, mask;
};

#define WAY_MASKED ~0UL

/*
 * Signals that are kept until the way out: those that are ours first and never
 * blocked, and SIGSYS of a filter of the program's.
 */
enum { WAY_SEGV, WAY_BUS, WAY_TRAP, WAY_FILTER, WAY_KEPT };

/**
 * struct way_thread - a thread of the program
 *
 * @self: its own address
 * @selector: is the thread in the program's code?  0 means that it is in ours.
 *	Under lkl-run the host looks at it, too: it traps system calls if it is
 *1
 * @pending: a signal waits for the thread to leave our code, with all other
 *	signals blocked
 * @stack: ours, where a system call of the program begins: 8 bytes from what
 *	calls need
 * @user_sp: the program's stack pointer
 * @resume: where the program goes on
 * @out: last step on the way there: way_out_now, or way_out_trap when a
 *	signal is pending
 * @host_fs: of lkl-run, FS register of our libc's thread
 * @user_fs: and that of the program
 * @back: and stack pointer of run_go(), for run_back()
 * @after: of the preloaded library, where preload_last() goes on
 * @mask: the program's signal mask while one is pending
 * @nested: what its handler has blocked, if others are to interrupt that at
 *	once; else WAY_MASKED
 * @blocked: signals the program believes to have blocked that never are
 * @kept: of those, which were sent and wait
 * @info: with what
 * @signal: which one is pending
 * @deliver: which one is about to be delivered, whatever @mask
 * @interrupted: a call of the library's was, by a signal
 * @alt: the program's signal stack
 * @trapped: of the preloaded library, the instruction that the host has trapped
 * @actions: the program's signal handlers, if not those of all threads
 * @vforked: a child that shares memory with its parent, for now
 * @exec: of the preloaded library, what the last exec was given, or NULL
 * @exec_size: its bytes
 */
struct way_thread {
	struct way_thread *self;
	unsigned char selector;
	unsigned char pending;
	unsigned long stack;
	unsigned long user_sp;
	unsigned long resume;
	void (*out)(void);
	unsigned long host_fs;
	unsigned long user_fs;
	unsigned long back;
	unsigned long after;
	unsigned long mask;
	unsigned long nested;
	unsigned long blocked;
	unsigned int kept;
	siginfo_t info[WAY_KEPT];
	int signal;
	int deliver;
	bool interrupted;
	stack_t alt;
	struct rewrite_site trapped;
	struct way_action *actions;
	bool vforked;
	void *exec;
	size_t exec_size;
};

#define WAY_IS(offset, member)                                                 \
	_Static_assert(offset == offsetof(struct way_thread, member),          \
		       "for the assembly")
WAY_IS(WAY_SELECTOR, selector);
WAY_IS(WAY_PENDING, pending);
WAY_IS(WAY_STACK, stack);
WAY_IS(WAY_USER_SP, user_sp);
WAY_IS(WAY_RESUME, resume);
WAY_IS(WAY_OUT, out);
WAY_IS(WAY_HOST_FS, host_fs);
WAY_IS(WAY_USER_FS, user_fs);
WAY_IS(WAY_BACK, back);
WAY_IS(WAY_AFTER, after);
_Static_assert(SITE_RESUME == offsetof(struct rewrite_site, resume),
	       "for the assembly");
#undef WAY_IS

/* System calls of ours, which no signal of the program ends. */
#define way_host0(nr) raw_syscall(nr, 0, 0, 0, 0, 0, 0)
#define way_host1(nr, a) raw_syscall(nr, (long)(a), 0, 0, 0, 0, 0)
#define way_host2(nr, a, b) raw_syscall(nr, (long)(a), (long)(b), 0, 0, 0, 0)
#define way_host3(nr, a, b, c)                                                 \
	raw_syscall(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define way_host4(nr, a, b, c, d)                                              \
	raw_syscall(nr, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

/*
 * What each way in has of its own
 */

/* The signal by which a thread traps on its way out. */
extern const int way_trap_signal;

/* The calling thread's. */
struct way_thread *way_self(void);

/* A system call of ours while the selector is 1. */
long way_exempt(long nr, long a, long b, long c, long d);

/* Have the context look as if we did not exist. */
void way_fix_context(ucontext_t *uc);

/* Use the C library's thread-local storage in a signal handler, and no more. */
unsigned long way_fs_begin(struct way_thread *t);
void way_fs_end(unsigned long fs);

/* A trap that is not that of the way out; returns whether it was ours. */
bool way_trapped(struct way_thread *t, siginfo_t *info, ucontext_t *uc);

extern const char way_out_trapped[];
void way_out_now(void);
void way_out_trap(void);

/*
 * x86/host.S
 */
extern const char way_host_check[], way_host_insn[], way_host_done[];
void way_on_signal(void);
void way_on_fault(void);
void way_on_trap(void);
/* The host's rt_sigreturn(), with the selector at 1. */
void way_sigreturn(void);

/*
 * signal.c
 */
/* Where handlers of the program return to; NULL for where that says. */
extern void (*way_restorer)(void);

#define BIT(sig) (1UL << ((sig)-1))

/* The C library does not tell. */
#ifndef SA_RESTORER
#define SA_RESTORER 0x04000000
#endif

/*
 * mask.c
 */
unsigned long way_reserved(void);
unsigned long way_strip(unsigned long mask);
int way_kept_signal(int index);
unsigned long way_kept(struct way_thread *t);
void way_raise_sigsys(struct way_thread *t, const siginfo_t *info);
void way_signals_admit(struct way_thread *t);
void way_signals_now(struct way_thread *t);
unsigned long way_signals_block(void);
void way_signals_unblock(unsigned long mask);

/*
 * action.c
 */
struct way_action way_action(struct way_thread *t, int sig);
long way_set_action(struct way_thread *t, int sig, const struct way_action *new,
		    const struct way_action *ours);
void way_note_action(int sig, const struct way_action *a);
struct way_action way_noted(int sig);
void way_reset_action(struct way_thread *t, int sig);
void way_actions_copy(struct way_thread *t, struct way_action *to);
void way_signals_forked(struct way_thread *t);

/*
 * install.c
 */
int way_signals_early(void);
int way_signals_init(void);
void way_keep_own_signal(void);
void way_signals_adopt(void);
long way_change_action(struct way_thread *t, int sig,
		       const struct way_action *new);

/*
 * fault.c
 */
extern struct sigaction way_library_segv, way_library_bus;
bool way_fix_copy(const siginfo_t *info, ucontext_t *uc);
void way_not_ours(int sig, siginfo_t *info, void *uc);
bool way_library_handles(struct way_thread *t, int sig, siginfo_t *info,
			 ucontext_t *uc);

/*
 * block.c, wait.c: which calls of the host's wait
 */
bool way_may_block(long nr);

/*
 * call.c: the program's calls that concern signals, and what comes after a call
 */
long way_sigaction(struct way_thread *t, const long *a);
long way_sigprocmask(struct way_thread *t, const long *a);
long way_sigpending(struct way_thread *t, const long *a);
long way_sigaltstack(struct way_thread *t, const long *a);
/* Several threads have the same signal stack (alt.c). */
extern bool way_alt_shared;
void way_signals_leave_alt(void);
long way_return(struct way_thread *t);
bool way_wants_restart(struct way_thread *t, long nr);
void way_alt_off(void);
void way_alt_on(struct way_thread *t);

/* Is the thread in a handler on the program's signal stack? */
static inline bool way_on_alt(struct way_thread *t)
{
	return t->user_sp - (unsigned long)t->alt.ss_sp < t->alt.ss_size;
}

static inline bool way_is_handler(const struct way_action *a)
{
	return a->handler != (unsigned long)SIG_DFL &&
	       a->handler != (unsigned long)SIG_IGN;
}

static inline unsigned long *way_mask_of(ucontext_t *uc)
{
	return (unsigned long *)&uc->uc_sigmask;
}

/* vector.c: call @fn with the program's vector registers saved. */
long way_saved(long (*fn)(struct way_thread *t, struct way_regs *r),
	       struct way_thread *t, struct way_regs *r);
void way_vectors_init(void);

/*
 * filter.c: the program's filters for system calls
 */
bool way_judge(struct way_thread *t, struct way_regs *r, long *ret);

/* A call that the host is to ask another process about. */
long way_ask(long nr, long a, long b, long c, long d, long e, long f);
extern const char way_asked[];

/* The host ends the thread, or the process, as for a filter. */
long way_kill_thread(long nr, long a, long b, long c, long d, long e, long f);
long way_kill_process(long nr, long a, long b, long c, long d, long e, long f);
extern const char way_kill_thread_done[], way_kill_process_done[];

/* code.c: hijack_codes() */
void way_codes_init(void);
void way_add_code(unsigned long start, unsigned long end, int kind);

/*
 * program.c: a program is the linker's to take our library into, lkl-run's,
 * neither's, or none at all
 */
enum way_program { WAY_LINKED, WAY_LOADED, WAY_REFUSED, WAY_UNKNOWN };
enum way_program way_look(const char *path, const char **why);
long way_path(char *to, long nr, const long *a);

#endif /* __ASSEMBLER__ */

#endif /* WAY_H */
