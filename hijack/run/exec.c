// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs that the program executes.
 *
 * What a program executes is loaded by lkl-run again, and so is in the same
 * network, or in one of the same configuration.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run.h"

/* Is it lkl-run itself?  That is not loaded, but begins anew. */
static bool is_self(const char *path)
{
	struct stat st, self;

	return !stat(path, &st) && !stat(run_options.self, &self) &&
	       st.st_dev == self.st_dev && st.st_ino == self.st_ino;
}

/* A file that has no name any more has its descriptor's, if that is kept. */
static void keep_nameless(char *path, const long *a)
{
	static const char gone[] = " (deleted)";
	size_t len = strlen(path);
	int fd;

	if (!(a[4] & AT_EMPTY_PATH) || !access(path, F_OK) ||
	    len < sizeof(gone) || strcmp(path + len - sizeof(gone) + 1, gone))
		return;
	fd = fcntl(a[0], F_DUPFD, 3);
	if (fd >= 0)
		snprintf(path, 64, "/proc/self/fd/%d", fd);
}

long run_exec(struct run_thread *t, struct way_regs *r)
{
	static const char proc_exe[] = "/proc/self/exe";
	bool at = r->nr == SYS_execveat;
	char path[4096] = "";
	long argv = r->arg[1 + at], env = r->arg[2 + at];
	char shared[HIJACK_EXEC_TEXT];
	enum way_program way = WAY_UNKNOWN;
	long args[6], n, given, i = 0;
	const char *why;
	char **new, **to, *name = "";
	size_t size;

	memcpy(args, r->arg, sizeof(args));
	/* A bad pointer is the host's to find. */
	if (!way_path(path, r->nr, args)) {
		if (!at && !strcmp(path, proc_exe)) {
			args[0] = (long)run_options.program;
			strcpy(path, run_options.program);
		}
		if (at)
			keep_nameless(path, args);
		way = way_look(path, &why);
	}
	if (way == WAY_REFUSED) {
		hijack_refuse(path, why);
		return -EACCES;
	}
	if (way == WAY_UNKNOWN || is_self(path))
		return t->way.vforked
			       ? host_syscall(r->nr, args[0], args[1], args[2],
					      args[3], args[4], 0)
			       : hijack_syscall(r->nr, args);
	n = user_count(argv);
	given = user_count(env);
	if (n < 0 || given < 0)
		return n < 0 ? n : given;
	size = (n + 12 + hijack_exec_size(given)) * sizeof(*new);
	new = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (new == MAP_FAILED)
		return -ENOMEM;
	to = new + n + 12;
	i = n && !user_get(&name, argv, sizeof(name))
		    ? -EFAULT
		    : hijack_exec_begin(true, argv, env, given, to, shared);
	if (i < 0) {
		munmap(new, size);
		return i;
	}
	i = 0;
	new[i++] = (char *)run_options.self;
	if (run_options.trace)
		new[i++] = "--trace";
	if (run_options.stats)
		new[i++] = "--stats";
	if (!run_options.rewrite)
		new[i++] = "--no-rewrite";
	if (run_options.seccomp)
		new[i++] = "--seccomp";
	new[i++] = "--argv0";
	new[i++] = name;
	new[i++] = "--";
	new[i++] = path;
	args[0] = (long)run_options.self;
	args[1] = (long)new;
	args[2] = (long)to;
	if (n > 1 &&
	    !user_get(new + i, argv + sizeof(*new), (n - 1) * sizeof(*new)))
		i = -EFAULT;
	else
		i = hijack_syscall(SYS_execve, args);
	munmap(new, size);
	hijack_exec_end();
	return i;
}
