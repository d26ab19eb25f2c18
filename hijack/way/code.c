// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which code calls come from: where an instruction is tells the host what to do
 * about it.
 */
#include <string.h>

#include "way.h"

/* Calls by which the program's filters act, and what a way in adds. */
static struct hijack_code codes[HIJACK_CODES];
static int n_codes;

/**
 * way_add_code - the way in's own code
 *
 * As in struct hijack_code; the first that is added counts.  At the start.
 */
void way_add_code(unsigned long start, unsigned long end, int kind)
{
	if (n_codes < HIJACK_CODES)
		codes[n_codes++] = (struct hijack_code){ start, end, kind };
}

static void add_call(const char *done, int kind)
{
	way_add_code((unsigned long)done, (unsigned long)done + 1, kind);
}

/* Before others are added. */
void way_codes_init(void)
{
	add_call(way_asked, HIJACK_CODE_ASK);
	add_call(way_kill_thread_done, HIJACK_CODE_KILL_THREAD);
	add_call(way_kill_process_done, HIJACK_CODE_KILL_PROCESS);
}

int hijack_codes(struct hijack_code *code)
{
	memcpy(code, codes, n_codes * sizeof(*code));
	return n_codes;
}
