// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs that this one executes get this library, whatever their environment
 * was to be.  Those that the linker cannot take there, as they are static, say,
 * are executed by lkl-run; what neither can take is refused.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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

/* The host takes no string of more bytes. */
#define MAX_STRING (32 * 4096)

static const char name[] = "LD_PRELOAD=";

/* LD_PRELOAD without us, in place; false if nothing is left of it. */
static bool remove_us(char *entry)
{
	char *to = entry + sizeof(name) - 1, *value, *end;
	size_t len;

	for (value = to; *value; value = end) {
		value += strspn(value, ": ");
		end = value + strcspn(value, ": ");
		len = end - value;
		if (!len ||
		    (len >= strlen(LIBRARY) &&
		     !memcmp(end - strlen(LIBRARY), LIBRARY, strlen(LIBRARY))))
			continue;
		if (to[-1] != '=')
			*to++ = ':';
		memmove(to, value, len);
		to += len;
	}
	*to = 0;
	return to[-1] != '=';
}

/*
 * Have LD_PRELOAD be with us, or without, in an environment of @n strings:
 * there is room for one more, and in @text for all of it.  Returns how many
 * strings there are then.
 */
static long set_preload(char **env, long n, char *text, bool with)
{
	size_t own = strlen(own_preload);
	long i, len;

	for (i = 0; i < n && !user_begins(env[i], name, sizeof(name) - 1); i++)
		;
	if (i == n) {
		if (with)
			env[n++] = own_preload;
		env[n] = NULL;
		return n;
	}
	/* Ours in front, and a copy of the program's value behind it. */
	memcpy(text, own_preload, own);
	text[own] = ':';
	len = user_string(text + own + 1, (long)env[i] + sizeof(name) - 1,
			  MAX_STRING);
	if (len < 0)
		return len == -ENAMETOOLONG ? -E2BIG : len;
	env[i] = text;
	if (!with || strstr(text + own + 1, LIBRARY))
		memmove(text + sizeof(name) - 1, text + own + 1, len + 1);
	if (!with && !remove_us(text)) {
		env[i] = env[--n];
		env[n] = NULL;
	}
	return n;
}

/**
 * preload_exec_forget - give back what the last exec has used
 * @t: the calling thread
 */
void preload_exec_forget(struct way_thread *t)
{
	if (t->exec)
		way_host2(SYS_munmap, t->exec, t->exec_size);
	t->exec = NULL;
}

/*
 * Room for what the new program is given.  It may be too much for our stack,
 * and is used until the host has executed the program: what the child of a
 * vfork() leaves is given back later.
 */
static void *exec_room(struct way_thread *t, size_t size)
{
	void *room;

	preload_exec_forget(t);
	room = (void *)raw_syscall(SYS_mmap, 0, size, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
				   -1, 0);
	if ((unsigned long)room >= -4095UL)
		return NULL;
	t->exec = room;
	t->exec_size = size;
	return room;
}

/* What is executed: the arguments of the call, in memory of its own. */
struct exec {
	char shared[HIJACK_EXEC_TEXT];
	char path[4096];
	char *strings[];
};

/* The arguments of lkl-run, which takes the program along. */
static long loaded_args(struct exec *x, const char *path, long args, long argc)
{
	char *first = "";

	if (argc && !user_get(&first, args, sizeof(first)))
		return -EFAULT;
	x->strings[0] = lkl_run;
	x->strings[1] = "--argv0";
	x->strings[2] = first;
	x->strings[3] = "--";
	x->strings[4] = strcpy(x->path, path);
	if (argc > 1 && !user_get(x->strings + 5, args + sizeof(char *),
				  (argc - 1) * sizeof(char *)))
		return -EFAULT;
	return 0;
}

/**
 * preload_in_child - have the child of a vfork() make its last call
 * @r: with the arguments
 *
 * Return: what the call handler is to return
 */
long preload_in_child(struct way_thread *t, struct way_regs *r)
{
	t->after = t->resume;
	t->resume = (unsigned long)preload_last;
	return r->nr;
}

long preload_exec(struct way_thread *t, struct way_regs *r)
{
	int at = r->nr == SYS_execveat;
	long args = r->arg[1 + at], wanted = r->arg[2 + at];
	long nr = r->nr, a[6], argc, given, n, ret;
	const char *why = "needs lkl-run, which is not there";
	enum way_program way = WAY_UNKNOWN;
	char path[4096], **env;
	size_t pointers;
	struct exec *x;

	if (!way_path(path, nr, r->arg))
		way = way_look(path, &why);
	if (way == WAY_REFUSED || (way == WAY_LOADED && !lkl_run)) {
		hijack_refuse(path, why);
		return -EACCES;
	}
	argc = user_count(args);
	given = user_count(wanted);
	if (argc < 0 || given < 0)
		return argc < 0 ? argc : given;
	pointers = argc + 6 + hijack_exec_size(given) + 1;
	x = exec_room(t, sizeof(*x) + pointers * sizeof(*env) +
				 strlen(own_preload) + 1 + MAX_STRING);
	if (!x)
		return -ENOMEM;
	env = x->strings + argc + 6;
	memcpy(a, r->arg, sizeof(a));
	if (way == WAY_LOADED) {
		ret = loaded_args(x, path, args, argc);
		if (ret)
			return ret;
		nr = SYS_execve;
		a[0] = (long)lkl_run;
		a[1] = (long)x->strings;
		at = 0;
	}
	n = hijack_exec_begin(way != WAY_UNKNOWN, args, wanted, given, env,
			      x->shared);
	if (n < 0)
		return n;
	ret = set_preload(env, n, (char *)(x->strings + pointers),
			  way != WAY_LOADED);
	if (ret < 0) {
		hijack_exec_end();
		return ret;
	}
	a[2 + at] = (long)env;
	/* Made when our stack is left. */
	if (hijack_in_vfork()) {
		memcpy(r->arg, a, sizeof(a));
		r->nr = nr;
		return preload_in_child(t, r);
	}
	ret = hijack_syscall(nr, a);
	hijack_exec_end();
	preload_exec_forget(t);
	return ret;
}
