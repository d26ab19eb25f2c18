// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs that the program executes.
 *
 * What a program executes is loaded by lkl-run again, and so is in the same
 * network, or in one of the same configuration.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run.h"

/* Would the loader take it, with nothing lost?  It does not load itself. */
static bool can_load(const char *path)
{
	unsigned char head[20] = "";
	struct stat st, self;
	bool ok = false;
	int fd;

	if (access(path, X_OK) || stat(run_options.self, &self))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) &&
	    !(st.st_mode & (S_ISUID | S_ISGID)) &&
	    (st.st_dev != self.st_dev || st.st_ino != self.st_ino) &&
	    read(fd, head, sizeof(head)) > 0)
		ok = !memcmp(head, "#!", 2) ||
		     (!memcmp(head, ELFMAG, SELFMAG) &&
		      head[EI_CLASS] == ELFCLASS64 && head[18] == EM_X86_64);
	close(fd);
	return ok;
}

long run_exec(struct run_thread *t, struct way_regs *r)
{
	static const char proc_exe[] = "/proc/self/exe";
	char path[4096] = "";
	char **argv = (char **)r->arg[1], **new;
	char shared[HIJACK_EXEC_TEXT];
	long args[6], n = 0, m, i = 0;

	memcpy(args, r->arg, sizeof(args));
	if (r->nr == SYS_execve) {
		/* A bad pointer is the host's to find. */
		user_copy(path, (void *)args[0], sizeof(path) - 1);
		if (!strcmp(path, proc_exe)) {
			args[0] = (long)run_options.program;
			strcpy(path, run_options.program);
		}
	}
	if (!argv || !*path || !can_load(path))
		return t->way.vforked
			       ? host_syscall(r->nr, args[0], args[1], args[2],
					      args[3], args[4], 0)
			       : run_core(r->nr, args);
	while (argv[n])
		n++;
	m = hijack_exec_size((char **)args[2]);
	new = mmap(NULL, (n + 12 + m) * sizeof(*new), PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (new == MAP_FAILED)
		return -ENOMEM;
	hijack_exec_begin((char **)args[2], new + n + 12, shared);
	args[2] = (long)(new + n + 12);
	new[i++] = (char *)run_options.self;
	if (run_options.trace)
		new[i++] = "--trace";
	if (run_options.stats)
		new[i++] = "--stats";
	if (!run_options.rewrite)
		new[i++] = "--no-rewrite";
	if (run_options.seccomp)
		new[i++] = "--seccomp";
	if (run_options.host)
		new[i++] = "--host";
	new[i++] = "--argv0";
	new[i++] = n ? argv[0] : "";
	new[i++] = "--";
	new[i++] = path;
	if (n)
		memcpy(new + i, argv + 1, (n - 1) * sizeof(*new));
	args[0] = (long)run_options.self;
	args[1] = (long)new;
	i = run_core(SYS_execve, args);
	munmap(new, (n + 12 + m) * sizeof(*new));
	hijack_exec_end();
	return i;
}
