// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls by which the program's filters act: the host knows them by where they
 * are made.
 */
#include "way.h"

static int one(struct hijack_code *c, const char *done, int kind)
{
	*c = (struct hijack_code){ (unsigned long)done, (unsigned long)done + 1,
				   kind };
	return 1;
}

int way_codes(struct hijack_code *code)
{
	int n = 0;

	n += one(&code[n], way_asked, HIJACK_CODE_ASK);
	n += one(&code[n], way_kill_thread_done, HIJACK_CODE_KILL_THREAD);
	n += one(&code[n], way_kill_process_done, HIJACK_CODE_KILL_PROCESS);
	return n;
}
