// SPDX-License-Identifier: GPL-2.0-only
/* Alternate signal stacks. */
#include <signal.h>

#include "calls.h"
#include "host.h"
#include "x86/registers.h"

int calls_alt_stack(const stack_t *new, stack_t *old)
{
	return sigaltstack(new, old);
}

static long set_alt_stack(void *new)
{
	return sigaltstack(new, NULL);
}

/*
 * The system changes no stack that is in use, for which it looks at the stack
 * pointer: so from another stack, on which is one thread at a time.
 */
void calls_change_alt_stack(const stack_t *new, stack_t *old)
{
	static char elsewhere[16384];
	static int lock;
	unsigned long mask = posix_lock(&lock);
	stack_t copy = *new;

	sigaltstack(NULL, old);
	registers_call_below((unsigned long)elsewhere + sizeof(elsewhere),
			     set_alt_stack, &copy);
	posix_unlock(&lock, mask);
}
