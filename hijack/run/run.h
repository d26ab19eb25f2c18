/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of lkl-run share; entry.S, too. */
#ifndef RUN_H
#define RUN_H

/* Offsets in struct run_thread. */
#define RUN_SELF 0
#define RUN_SELECTOR 8
#define RUN_PENDING 9
#define RUN_STACK 16
#define RUN_USER_SP 24
#define RUN_RESUME 32
#define RUN_OUT 40
#define RUN_HOST_FS 48
#define RUN_USER_FS 56
#define RUN_BACK 64

/* Offset in struct rewrite_site. */
#define SITE_RESUME 8

/* What a call returns to be made again: the kernel's ERESTARTSYS. */
#define RUN_RESTART 512

#ifndef __ASSEMBLER__

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "../../host/posix/posix.h"
#include "../core.h"
#include "../rewrite/rewrite.h"
#include "../user.h"

/*
 * The program's registers in a system call, as entry.S pushes them, which has
 * offsets of it in DWARF.
 */
struct run_regs {
	long arg[6]; /* RDI, RSI, RDX, R10, R8, R9 */
	long rbx, rbp, r12, r13, r14, r15;
	const struct rewrite_site *site;
	long nr;
	long flags;
	long rcx;
	unsigned long sp;
};

struct run_action;

/* Size of the table of them. */
#define RUN_ACTIONS (65 * 4 * sizeof(long))

/* Where a program starts. */
struct run_image {
	unsigned long entry;
	unsigned long sp;
};

/**
 * struct run_thread - a thread of the program; the GS register points to it
 *
 * @self: its own address
 * @selector: what the host does with a system call of this thread's: 0 makes
 *	it, 1 traps it.  0 means that the thread is in our code
 * @pending: a signal waits for the thread to leave our code, with all other
 *	signals blocked
 * @stack: ours, where a system call of the program begins: 8 bytes from what
 *	calls need
 * @user_sp: the program's stack pointer
 * @resume: where the program goes on
 * @out: last step on the way there: run_out_now, or run_out_trap when a
 *	signal is pending
 * @host_fs: FS register of our libc's thread
 * @user_fs: that of the program
 * @back: stack pointer of run_go(), for run_back()
 * @clear_tid: where the program wants to see a 0 when the thread ends
 * @rseq: the program's area for rseq(), which the host must not write to when
 *	the thread has ended for the program
 * @mask: the program's signal mask while one is pending
 * @blocked: signals the program believes to have blocked that never are
 * @signal: which one is pending
 * @deliver: which one is about to be delivered, whatever @mask
 * @interrupted: a call of the library's was, by a signal
 * @alt: the program's signal stack
 * @actions: the program's signal handlers, if not those of all threads
 * @vforked: a child that shares memory with its parent, for now
 */
struct run_thread {
	struct run_thread *self;
	unsigned char selector;
	unsigned char pending;
	unsigned long stack;
	unsigned long user_sp;
	unsigned long resume;
	void (*out)(void);
	unsigned long host_fs;
	unsigned long user_fs;
	unsigned long back;
	int *clear_tid;
	long rseq[4];
	unsigned long mask;
	unsigned long blocked;
	int signal;
	int deliver;
	bool interrupted;
	stack_t alt;
	struct run_action *actions;
	bool vforked;
};

/**
 * struct run_options - the command line
 *
 * @trace: print calls
 * @stats: print a summary at the end
 * @rewrite: change system call instructions
 * @seccomp: the host traps system calls with a filter, by where they are made
 * @host: all calls are the host's: a helper that its parent's filter traps
 * @self: path of lkl-run
 * @program: path of the program
 */
struct run_options {
	bool trace;
	bool stats;
	bool rewrite;
	bool seccomp;
	bool host;
	const char *self;
	char program[4096];
};

extern struct run_options run_options;

static inline struct run_thread *run_self(void)
{
	struct run_thread *t;

	asm volatile("movq %%gs:0, %0" : "=r"(t));
	return t;
}

/* System calls of ours, which no signal of the program ends. */
#define run_host0(nr) raw_syscall(nr, 0, 0, 0, 0, 0, 0)
#define run_host1(nr, a) raw_syscall(nr, (long)(a), 0, 0, 0, 0, 0)
#define run_host2(nr, a, b) raw_syscall(nr, (long)(a), (long)(b), 0, 0, 0, 0)
#define run_host3(nr, a, b, c)                                                 \
	raw_syscall(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define run_host4(nr, a, b, c, d)                                              \
	raw_syscall(nr, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

/* A call of the program's that is not lkl-run's own affair. */
static inline long run_core(long nr, const long *a)
{
	if (__builtin_expect(run_options.host, 0))
		return host_syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	return hijack_syscall(nr, a);
}

/* entry.S */
extern const char run_text[], run_text_end[];
extern const char run_out_jump[], run_out_trapped[];
extern const char run_host_check[], run_host_insn[], run_host_done[];
void run_enter(void);
void run_out_now(void);
void run_out_trap(void);
void run_on_signal(void);
void run_on_sigsys(void);
void run_on_fault(void);
void run_set_fs(unsigned long fs);
extern char run_has_fsgsbase;

/* Run the program from @regs until run_back(), on this stack. */
void run_go(struct run_thread *t, struct run_regs *regs);
void __attribute__((noreturn)) run_back(void);

/* clone(): the child calls @fn(@arg) on @stack, which never returns. */
long run_clone(unsigned long flags, void *stack, void *ptid, void *ctid,
	       unsigned long tls, void (*fn)(void *arg), void *arg);

/* Return from a signal handler of the program's. */
void __attribute__((noreturn)) run_sigreturn(unsigned long sp);

/* A system call of ours in the name of the program, with the selector at 1. */
long run_exempt(long nr, long a, long b, long c, long d);

/* Copy what may not be there; returns how many bytes are missing. */
static inline size_t run_peek(void *to, const void *from, size_t len)
{
	return user_copy(to, from, len);
}

/* call.c */
long run_call(struct run_regs *r);
long run_syscall(struct run_thread *t, struct run_regs *r);
void run_calls_init(void);
void run_stats(void);
unsigned long run_traps(void);

/* signal.c */
int run_trap_init(void);
int run_signals_early(void);
int run_signals_init(void);
int run_dispatch(struct run_thread *t);
bool run_may_block(long nr);
bool run_wants_restart(struct run_thread *t, long nr);
long run_sigaction(struct run_thread *t, struct run_regs *r);
long run_sigprocmask(struct run_thread *t, struct run_regs *r);
long run_sigaltstack(struct run_thread *t, struct run_regs *r);
long run_rt_sigreturn(struct run_thread *t, struct run_regs *r);
void run_actions_copy(struct run_thread *t, void *to);
void run_signals_forked(struct run_thread *t);
bool run_on_alt(struct run_thread *t);
unsigned long run_strip(unsigned long mask);

/* thread.c */
void run_threads_early(void);
void run_first_thread(struct run_image *image);
long run_thread_clone(struct run_thread *t, struct run_regs *r);
long run_thread_clone3(struct run_thread *t, struct run_regs *r);
long run_thread_vfork(struct run_thread *t, struct run_regs *r);
long run_thread_exit(struct run_thread *t, struct run_regs *r);
long run_rseq(struct run_thread *t, struct run_regs *r);
bool run_forked(void);

/* exec.c */
long run_exec(struct run_thread *t, struct run_regs *r);

/*
 * Where the host's filter, if there is one, traps system calls: what the
 * program maps goes here.  Programs that can be anywhere are at the beginning,
 * far from our own mappings and the library's, with room for a heap.
 */
#define RUN_PROGRAM 0x2a0000000000UL
#define RUN_MAPPINGS 0x2c0000000000UL
#define RUN_END 0x3a0000000000UL

/* load.c */
unsigned long run_place(unsigned long size);
unsigned long run_stack_size(char **argv, char **envp);
int run_load(struct run_image *image, const char *path, char **argv,
	     char **envp, char *stack);
long run_brk(struct run_thread *t, struct run_regs *r);

#endif /* __ASSEMBLER__ */

#endif /* RUN_H */
