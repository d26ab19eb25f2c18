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
 * @end: of the trampoline
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
		REWRITE_AFTER, /* it and what follows are a jump now */
	} kind;
};

/**
 * struct rewrite_plan - what is to be done about an instruction
 *
 * @kind: how
 * @at: where the long jump goes
 * @padding: length of what is there, if it is padding
 * @from: first byte of what moves to the trampoline
 * @len: its length
 */
struct rewrite_plan {
	enum rewrite_kind kind;
	unsigned long at;
	unsigned int padding;
	unsigned long from;
	unsigned int len;
};

/**
 * rewrite_plan - find a safe way
 * @plan: the result
 * @site: a system call instruction that has been executed
 * @start: of the code that may be looked at
 * @end: of it
 */
void rewrite_plan(struct rewrite_plan *plan, unsigned long site,
		  unsigned long start, unsigned long end);

/**
 * rewrite_init - say where trampolines lead to
 * @entry: jumped to with struct rewrite_site in R11 and everything else as it
 *	was before the system call instruction
 */
void rewrite_init(void (*entry)(void));

/**
 * rewrite_text - code that stays as it is has been mapped
 *
 * Private, readable, executable, not writable, of a file.
 */
void rewrite_text(unsigned long start, unsigned long end);

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

/* The site in whose trampoline @ip is, or NULL. */
const struct rewrite_site *rewrite_find(unsigned long ip);

/* Call @fn for each site. */
void rewrite_each(void (*fn)(const struct rewrite_site *site));

/* Nobody else may use this file's functions until rewrite_unlock(). */
void rewrite_lock(void);
void rewrite_unlock(void);

#endif /* REWRITE_H */
