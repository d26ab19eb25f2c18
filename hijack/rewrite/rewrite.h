/* SPDX-License-Identifier: GPL-2.0-only */
/* Turning system call instructions into jumps; see rewrite.c. */
#ifndef REWRITE_H
#define REWRITE_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct rewrite_site - a system call instruction, and its trampoline
 *
 * Lies in front of the trampoline, in memory that cannot be written.
 *
 * @address: of the instruction
 * @resume: where the program goes on after the call
 * @code: in the trampoline, where the call is made: what is moved there from
 *	before the instruction has been executed
 * @end: of that; there the call is made by the host, and the program goes on
 * @kind: how the program gets there
 */
struct rewrite_site {
	unsigned long address;
	unsigned long resume;
	unsigned long code;
	unsigned long end;
	enum rewrite_kind {
		REWRITE_NONE, /* by a signal, each time */
		REWRITE_BEFORE, /* the instruction before it is a jump now */
		REWRITE_SHORT, /* it jumps to a jump in padding */
	} kind;
};

/**
 * rewrite_init - say where trampolines lead to
 * @entry: jumped to with struct rewrite_site in R11 and everything else as it
 *	was before the system call instruction
 */
void rewrite_init(void (*entry)(void));
unsigned long rewrite_entry(void);

/**
 * rewrite_text - code that stays as it is has been mapped
 *
 * Private, readable, executable, not writable, of a file.
 */
void rewrite_text(unsigned long start, unsigned long end);

/* Is all of the range such code? */
bool rewrite_is_text(unsigned long start, unsigned long end);

/* The range is about to be mapped anew, unmapped or writable. */
void rewrite_forget(unsigned long start, unsigned long end);

/**
 * rewrite_trap - a system call instruction has trapped
 * @address: of the instruction
 * @patch: change it, so that it does not again
 *
 * May be called in a signal handler on any thread, but not while another call
 * of this file's functions is interrupted on the same.
 *
 * Return: the site, or NULL when there is no memory
 */
const struct rewrite_site *rewrite_trap(unsigned long address, bool patch);

/**
 * rewrite_begin - code is to be changed of which nothing is executed yet
 * @start: of the code
 * @end: of it
 *
 * Between this and rewrite_end() no other code is.
 *
 * Return: is there memory for that?
 */
bool rewrite_begin(unsigned long start, unsigned long end);

/**
 * rewrite_found - there is what looks like a system call instruction
 * @address: of it
 *
 * It is changed, if it is certain that it is one.
 *
 * Return: whether it has been, or is certainly none
 */
bool rewrite_found(unsigned long address);

/* Let all changes take effect; returns whether they have. */
bool rewrite_end(void);

/* The site in whose trampoline @ip is, or NULL. */
const struct rewrite_site *rewrite_find(unsigned long ip);

/* Call @fn for each site. */
void rewrite_each(void (*fn)(const struct rewrite_site *site));

/* Nobody else may use this file's functions until rewrite_unlock(). */
void rewrite_lock(void);
void rewrite_unlock(void);

#endif /* REWRITE_H */
