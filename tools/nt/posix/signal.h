/* SPDX-License-Identifier: GPL-2.0-only */
#include_next <signal.h>

#ifndef NT_SIGNAL_H
#define NT_SIGNAL_H

/* There is none to ignore: signal() refuses the number. */
#define SIGPIPE 13

#endif /* NT_SIGNAL_H */
