/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */

#include <asm/signal.h>

/* The signal mask io_pgetevents() takes. */
struct __aio_sigset {
	const sigset_t	*sigmask;
	__kernel_size_t	sigsetsize;
};
