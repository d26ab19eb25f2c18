/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the preloaded library share; the assembly, too. */
#ifndef PRELOAD_H
#define PRELOAD_H

#include "../way/way.h"

#ifndef __ASSEMBLER__

/* entry.S */
void preload_entry(void);

/* leave.S */
void preload_exit(void);
void preload_last(void);
void preload_restorer(void);
extern const char preload_out_jump[];

extern __thread struct way_thread preload_thread
	__attribute__((tls_model("initial-exec"), visibility("hidden")));

/* call.c */
long preload_call(struct way_regs *r);

/* exec.c */
long preload_exec(struct way_thread *t, struct way_regs *r);
long preload_in_child(struct way_thread *t, struct way_regs *r);
void preload_exec_forget(struct way_thread *t);
bool preload_exec_init(void);

#endif /* __ASSEMBLER__ */

#endif /* PRELOAD_H */
