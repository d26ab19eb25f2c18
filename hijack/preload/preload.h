/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PRELOAD_H
#define PRELOAD_H

/* preload_syscall(): the program is to make the call itself.  No such error. */
#define PRELOAD_IN_PLACE -4095

#ifndef __ASSEMBLER__

/* entry.S */
void preload_entry(void);

/*
 * host_wait_syscall(): where it looks for signals, where it sleeps, and where
 * it is over.
 */
extern const char preload_wait_check[], preload_wait_insn[];
extern const char preload_wait_done[];

long preload_syscall(long nr, const long *a);

/* signal.c */
extern __thread char preload_pending
	__attribute__((tls_model("initial-exec"), visibility("hidden")));
long preload_signals_call(long nr, const long *a);
void preload_signals_end(void);
long preload_sigaction(long nr, const long *a);

#endif /* __ASSEMBLER__ */

#endif /* PRELOAD_H */
