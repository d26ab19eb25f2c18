// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs that this one executes get this library, whatever their environment
 * was to be.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "preload.h"

#define LIBRARY "liblkl-hijack.so"

/* LD_PRELOAD as this program got it. */
static char *own_preload;

bool preload_exec_init(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return preload && asprintf(&own_preload, "LD_PRELOAD=%s", preload) > 0;
}

long preload_exec(struct way_thread *t, struct way_regs *r)
{
	static const char name[] = "LD_PRELOAD=";
	int at = r->nr == SYS_execveat ? 3 : 2;
	char *const *wanted = (char **)r->arg[at];
	unsigned long size = hijack_exec_size(wanted), i, n;
	long a[6] = { r->arg[0], r->arg[1], r->arg[2], r->arg[3], r->arg[4] };
	char shared[HIJACK_EXEC_TEXT];
	/* On the stack: this may be the child of a vfork(). */
	char *env[size + 1];
	long ret;

	n = hijack_exec_begin(wanted, env, shared);
	for (i = 0; i < n && strncmp(env[i], name, sizeof(name) - 1); i++)
		;
	if (i == n) {
		env[n++] = own_preload;
		env[n] = NULL;
	}

	char text[strlen(env[i]) + strlen(own_preload) + 2];

	if (!strstr(env[i], LIBRARY)) {
		strcpy(text, own_preload);
		strcat(text, ":");
		strcat(text, env[i] + sizeof(name) - 1);
		env[i] = text;
	}
	/* Made when our stack is left, where nothing overwrites all this. */
	if (hijack_in_vfork()) {
		r->arg[at] = (long)env;
		return preload_in_child(t, r);
	}
	a[at] = (long)env;
	ret = hijack_syscall(r->nr, a);
	hijack_exec_end();
	return ret;
}
