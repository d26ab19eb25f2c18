/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of lkl-run share; the assembly, too. */
#ifndef RUN_H
#define RUN_H

#include "../way/way.h"

#ifndef __ASSEMBLER__

#include "x86/self.h"

/* Where a program starts. */
struct run_image {
	unsigned long entry;
	unsigned long sp;
};

/**
 * struct run_thread - a thread of the program; the GS register points to it
 *
 * @way: what both ways in have
 * @clear_tid: where the program wants to see a 0 when the thread ends
 * @rseq: the program's area for rseq(), which the host must not write to when
 *	the thread has ended for the program
 */
struct run_thread {
	struct way_thread way;
	int *clear_tid;
	long rseq[4];
};

static inline struct run_thread *to_run(struct way_thread *t)
{
	return (struct run_thread *)t;
}

/**
 * struct run_options - the command line
 *
 * @trace: print calls
 * @stats: print a summary at the end
 * @rewrite: change system call instructions
 * @seccomp: the host traps system calls with a filter, by where they are made
 * @argv0: the program's first argument, or NULL
 * @preload: path of the library that a dynamic linker is to load, or NULL
 * @limited: the stack has got a limit, by lkl-run itself
 * @self: path of lkl-run
 * @program: path of the program
 */
struct run_options {
	bool trace;
	bool stats;
	bool rewrite;
	bool seccomp;
	const char *argv0;
	const char *preload;
	bool limited;
	const char *self;
	char program[4096];
};

extern struct run_options run_options;

/* options.c */
int run_parse(int argc, char **argv);

/* x86/entry.S */
void run_enter(void);

/* The section with all calls of ours: the linker defines these. */
extern const char __start_run_text[], __stop_run_text[];
extern const char run_out_jump[];

/* x86/leave.S */
/* Run the program from @regs until run_back(), on this stack. */
void run_go(struct run_thread *t, struct way_regs *regs);
void __attribute__((noreturn)) run_back(void);

/* x86/host.S */
void run_set_fs(unsigned long fs);
extern char run_has_fsgsbase;

/* clone(): the child calls @fn(@arg) on @stack, which never returns. */
long run_clone(unsigned long flags, void *stack, void *ptid, void *ctid,
	       unsigned long tls, void (*fn)(void *arg), void *arg);

/* Return from a signal handler of the program's. */

/* call.c */
long run_call(struct way_regs *r);
void run_calls_init(void);
void run_stats(void);

/* trap.c */
int run_trap_init(void);
int run_dispatch(struct run_thread *t);
unsigned long run_traps(void);

/* thread.c */
void run_threads_early(void);
void run_first_thread(struct run_image *image);
long run_thread_clone(struct run_thread *t, struct way_regs *r);
long run_thread_clone3(struct run_thread *t, struct way_regs *r);
long run_thread_vfork(struct run_thread *t, struct way_regs *r);
long run_thread_exit(struct run_thread *t, struct way_regs *r);
long run_rseq(struct run_thread *t, struct way_regs *r);
bool run_forked(void);

/* exec.c */
long run_exec(struct run_thread *t, struct way_regs *r);

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
long run_brk(struct run_thread *t, struct way_regs *r);

#endif /* __ASSEMBLER__ */

#endif /* RUN_H */
