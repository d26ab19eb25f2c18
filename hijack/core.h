/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The core of the interception: what becomes of a program's system calls.
 *
 * A way in (preload.c, run/) brings the program's system calls here; the core
 * decides for each whether it is the library's or the host's, and makes it.
 * What a way in does:
 *
 *	hijack_start()		before the program's first instruction: reads the
 *				configuration, boots, configures; all or nothing
 *	hijack_syscall()	for each system call of the program, but those for
 *				which hijack_in_place() is true
 *	hijack_thread_start()	on each thread of the program, if it has called
 *				hijack_use_gs(); the core sees to the end of a
 *				thread and of the process itself (exit,
 *				exit_group)
 *
 * hijack_syscall() and what it calls use no libc, no thread-local storage, no
 * errno, no malloc and no lock that the program could hold.  They can be called
 * from a signal handler, and on threads whose FS register belongs to somebody
 * else.  All host calls of the core are made by the one instruction in
 * host_syscall(), between hijack_host_text and hijack_host_text_end.
 */
#ifndef HIJACK_CORE_H
#define HIJACK_CORE_H

#include <stdbool.h>
#include <sys/syscall.h>

/**
 * hijack_start - make everything ready for the program
 * @name: what messages begin with, as "lkl-run"
 *
 * Uses libc, on the thread that will run the program.  Creates the library's
 * threads.  On failure one line is on stderr, and the program must not start.
 *
 * Return: 0 or a negative error number
 */
int hijack_start(const char *name);

/**
 * hijack_syscall - make one system call of the program
 * @nr: number, as in the program's RAX
 * @arg: RDI, RSI, RDX, R10, R8, R9
 *
 * Return: what belongs into RAX: a value or a negative error number
 */
long hijack_syscall(long nr, const long arg[6]);

/**
 * hijack_in_place - must the way in make this call itself?
 * @nr: number of the call
 *
 * These return on another stack, twice on one, or not at all, so they have to
 * be made with the program's own registers by the way in: clone, clone3, vfork
 * and rt_sigreturn.  The core need not hear of them: a process that was forked
 * finds out by itself.
 */
static inline bool hijack_in_place(long nr)
{
	return nr == SYS_clone || nr == SYS_vfork || nr == SYS_clone3 ||
	       nr == SYS_rt_sigreturn;
}

/**
 * host_syscall - make a system call of the host
 *
 * As syscall(), but returns negative error numbers, and clobbers nothing but
 * what a system call does.
 */
long host_syscall(long nr, long a, long b, long c, long d, long e, long f);

extern const char hijack_host_text[], hijack_host_text_end[];

/**
 * hijack_use_gs - keep the state of threads where the GS register points
 *
 * For a way in whose program owns the FS register.  Comes after hijack_start();
 * from here on every thread that calls hijack_syscall() must have called
 * hijack_thread_start() first, also the one that calls this.
 */
void hijack_use_gs(void);

/**
 * hijack_thread_start - give a new thread its state
 *
 * A new thread inherits its creator's GS register, so this must be the first
 * thing it does.  Uses neither libc nor the FS register.
 *
 * Return: 0 or a negative error number
 */
int hijack_thread_start(void);

#endif /* HIJACK_CORE_H */
