// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose a system call is, by calls.tbl.
 */
#include "internal.h"

#define CALL(nr, whose, handler) [nr] = WHOSE_##whose,
static const unsigned char whose_calls[] = {
#include "calls.h"
};
#undef CALL

enum call_whose hijack_whose(long nr)
{
	return (unsigned long)nr < array_size(whose_calls) ? whose_calls[nr]
							   : WHOSE_refused;
}
