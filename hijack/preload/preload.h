/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the preloaded library share; the assembly, too. */
#ifndef PRELOAD_H
#define PRELOAD_H

#include "../way/way.h"

/* How many instructions of a program make threads and processes, at most. */
#define PLACES 64

/* Where preload_entry is executed outside of our code, at most. */
#define ENTRY_SIZE 64

#ifndef __ASSEMBLER__

/* x86/entry.S */
void preload_entry(void);

/* x86/leave.S */
void preload_exit(void);
void preload_last(void);
void preload_restorer(void);
extern const char preload_out_jump[];

extern __thread struct way_thread preload_thread
	__attribute__((tls_model("initial-exec"), visibility("hidden")));

/* x86/places.S, place.c: where the place is of who goes on at @resume, or 0; and
 * back */
extern const char preload_places[];
extern unsigned long preload_resumes[PLACES];
unsigned long preload_place(unsigned long resume);
unsigned long preload_place_resume(unsigned long ip);

/* dispatch.c */
extern bool preload_dispatches;
extern unsigned long preload_text, preload_text_size;
long preload_dispatch_thread(void);
void preload_dispatch(const char *why);

/* code.c */
int preload_code_init(void);
long preload_code(long nr, const long *a);

/* call.c */
long preload_call(struct way_regs *r);

/* exec.c */
long preload_exec(struct way_thread *t, struct way_regs *r);
long preload_in_child(struct way_thread *t, struct way_regs *r);
void preload_exec_forget(struct way_thread *t);
bool preload_exec_init(void);

#endif /* __ASSEMBLER__ */

#endif /* PRELOAD_H */
