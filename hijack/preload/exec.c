// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs that this one executes get this library, whatever their environment
 * was to be.  Those that the linker cannot take there, as they are static, say,
 * are executed by lkl-run; what neither can take is refused.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "preload.h"

#define LIBRARY "liblkl-hijack.so"

/* LD_PRELOAD as this program got it. */
static char *own_preload;

/* lkl-run, in the folder beside ours, or NULL. */
static char *lkl_run;

bool preload_exec_init(void)
{
	const char *preload = getenv("LD_PRELOAD");
	Dl_info info;
	char *folder;

	if (!preload || asprintf(&own_preload, "LD_PRELOAD=%s", preload) < 0 ||
	    !dladdr(preload_exec_init, &info) ||
	    asprintf(&lkl_run, "%s", info.dli_fname) < 0)
		return false;
	folder = strrchr(lkl_run, '/');
	if (folder)
		*folder = 0;
	if (!folder || asprintf(&lkl_run, "%s/../bin/lkl-run", lkl_run) < 0 ||
	    access(lkl_run, X_OK))
		lkl_run = NULL;
	return true;
}

/* LD_PRELOAD without us; NULL if nothing is left of it. */
static char *without_us(char *entry, char *buf)
{
	const char *value = entry + strlen("LD_PRELOAD="), *end;
	char *to = buf + strlen("LD_PRELOAD=");
	size_t len;

	memcpy(buf, entry, value - entry);
	for (; *value; value = end) {
		value += strspn(value, ": ");
		end = value + strcspn(value, ": ");
		len = end - value;
		if (!len ||
		    (len >= strlen(LIBRARY) &&
		     !memcmp(end - strlen(LIBRARY), LIBRARY, strlen(LIBRARY))))
			continue;
		if (to[-1] != '=')
			*to++ = ':';
		memcpy(to, value, len);
		to += len;
	}
	*to = 0;
	return to[-1] == '=' ? NULL : buf;
}

long preload_exec(struct way_thread *t, struct way_regs *r)
{
	static const char name[] = "LD_PRELOAD=";
	int at = r->nr == SYS_execveat;
	char **args = (char **)r->arg[1 + at];
	char *const *wanted = (char **)r->arg[2 + at];
	enum way_program way = WAY_UNKNOWN;
	unsigned long size = hijack_exec_size(wanted), i, n, argc = 0;
	long nr = r->nr, a[6], ret;
	char shared[HIJACK_EXEC_TEXT], path[4096];
	const char *why = "needs lkl-run, which is not there";

	if (!way_path(path, nr, r->arg))
		way = way_look(path, &why);
	if (way == WAY_REFUSED || (way == WAY_LOADED && !lkl_run)) {
		hijack_refuse(path, why);
		return -EACCES;
	}
	while (args && args[argc])
		argc++;

	/* On the stack: this may be the child of a vfork(). */
	char *env[size + 1], *argv[argc + 6];

	n = hijack_exec_begin(wanted, env, shared);
	for (i = 0; i < n && strncmp(env[i], name, sizeof(name) - 1); i++)
		;
	if (i == n) {
		env[n++] = own_preload;
		env[n] = NULL;
	}

	char text[strlen(env[i]) + strlen(own_preload) + 2];

	memcpy(a, r->arg, sizeof(a));
	if (way == WAY_LOADED) {
		env[i] = without_us(env[i], text);
		if (!env[i])
			env[i] = env[--n];
		env[n] = NULL;
		argv[0] = lkl_run;
		argv[1] = "--argv0";
		argv[2] = argc ? args[0] : "";
		argv[3] = "--";
		argv[4] = path;
		for (i = 1; i < argc; i++)
			argv[4 + i] = args[i];
		argv[4 + (argc ? argc : 1)] = NULL;
		nr = SYS_execve;
		a[0] = (long)lkl_run;
		a[1] = (long)argv;
		at = 0;
	} else if (!strstr(env[i], LIBRARY)) {
		strcpy(text, own_preload);
		strcat(text, ":");
		strcat(text, env[i] + sizeof(name) - 1);
		env[i] = text;
	}
	a[2 + at] = (long)env;
	/* Made when our stack is left, where nothing overwrites all this. */
	if (hijack_in_vfork()) {
		memcpy(r->arg, a, sizeof(a));
		r->nr = nr;
		return preload_in_child(t, r);
	}
	ret = hijack_syscall(nr, a);
	hijack_exec_end();
	return ret;
}
