// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading a program into this process, as the kernel's execve() would: its
 * segments, its interpreter, its stack.
 *
 * The heap the program extends with brk() is emulated, because the process's
 * belongs to our C library.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run.h"

#define PAGE 4096UL
#define DOWN(x) ((x) & -PAGE)
#define UP(x) DOWN((x) + PAGE - 1)

/* Scripts may be interpreted by scripts, so deep. */
#define MAX_SCRIPTS 4

static unsigned long brk_start, brk_now;

struct program {
	Elf64_Ehdr head;
	Elf64_Phdr phdr[64];
	unsigned long bias, start, end;
	char interp[4096];
};

/*
 * Where to have the program map @size bytes, if anywhere: one place after the
 * other, again from the beginning at the end.  The host looks elsewhere if
 * there is something.
 */
unsigned long run_place(unsigned long size)
{
	static unsigned long next = RUN_MAPPINGS;
	unsigned long at;

	if (!run_options.seccomp || size > (RUN_END - RUN_MAPPINGS) / 2)
		return 0;
	at = __atomic_fetch_add(&next, UP(size) + PAGE, __ATOMIC_RELAXED);
	if (at + size < RUN_END)
		return at;
	__atomic_store_n(&next, RUN_MAPPINGS, __ATOMIC_RELAXED);
	return RUN_MAPPINGS;
}

static int complain(const char *path, const char *why)
{
	fprintf(stderr, "lkl-run: %s: %s\n", path, why);
	return -1;
}

static int prot_of(const Elf64_Phdr *p)
{
	return (p->p_flags & PF_R ? PROT_READ : 0) |
	       (p->p_flags & PF_W ? PROT_WRITE : 0) |
	       (p->p_flags & PF_X ? PROT_EXEC : 0);
}

/* Read what says how the file is to be mapped. */
static int read_headers(struct program *p, int fd, const char *path)
{
	ssize_t n = pread(fd, &p->head, sizeof(p->head), 0);
	unsigned long size = p->head.e_phnum * sizeof(*p->phdr);

	if (n != sizeof(p->head) || memcmp(p->head.e_ident, ELFMAG, SELFMAG))
		return complain(path, "not a program");
	if (p->head.e_ident[EI_CLASS] != ELFCLASS64 ||
	    p->head.e_machine != EM_X86_64 ||
	    (p->head.e_type != ET_EXEC && p->head.e_type != ET_DYN))
		return complain(path, "not a program for x86-64");
	if (p->head.e_phentsize != sizeof(*p->phdr) || size > sizeof(p->phdr) ||
	    pread(fd, p->phdr, size, p->head.e_phoff) != (ssize_t)size)
		return complain(path, "damaged program headers");
	p->start = -1UL;
	for (int i = 0; i < p->head.e_phnum; i++) {
		Elf64_Phdr *h = &p->phdr[i];

		if (h->p_type == PT_INTERP) {
			if (h->p_filesz > sizeof(p->interp) ||
			    pread(fd, p->interp, h->p_filesz, h->p_offset) !=
				    (ssize_t)h->p_filesz)
				return complain(path, "damaged interpreter");
			p->interp[sizeof(p->interp) - 1] = 0;
		}
		if (h->p_type != PT_LOAD || !h->p_memsz)
			continue;
		if (h->p_vaddr + h->p_memsz < h->p_vaddr ||
		    h->p_vaddr + h->p_memsz >= 1UL << 47)
			return complain(path, "segment out of range");
		if (DOWN(h->p_vaddr) < p->start)
			p->start = DOWN(h->p_vaddr);
		if (UP(h->p_vaddr + h->p_memsz) > p->end)
			p->end = UP(h->p_vaddr + h->p_memsz);
	}
	return p->end ? 0 : complain(path, "nothing to load");
}

static int map_segment(struct program *p, const Elf64_Phdr *h, int fd)
{
	unsigned long at = p->bias + h->p_vaddr, page = DOWN(at);
	unsigned long file_end = at + h->p_filesz, end = at + h->p_memsz;
	int prot = prot_of(h);

	if (h->p_filesz &&
	    mmap((void *)page, file_end - page, prot, MAP_PRIVATE | MAP_FIXED,
		 fd, h->p_offset - (at - page)) == MAP_FAILED)
		return -1;
	if (h->p_filesz && prot & PROT_WRITE && end > file_end)
		memset((void *)file_end, 0, UP(file_end) - file_end);
	if (!h->p_filesz)
		file_end = page;
	if (UP(end) > UP(file_end) &&
	    mmap((void *)UP(file_end), UP(end) - UP(file_end), prot,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		return -1;
	if ((prot & (PROT_READ | PROT_WRITE | PROT_EXEC)) ==
	    (PROT_READ | PROT_EXEC))
		rewrite_text(page, UP(file_end));
	return 0;
}

/* Map what read_headers() has found; @hint is where, if anywhere. */
static int map_program(struct program *p, int fd, const char *path,
		       unsigned long hint)
{
	unsigned long size = p->end - p->start;
	int fixed = p->head.e_type == ET_EXEC ? MAP_FIXED_NOREPLACE : 0;
	char *area = mmap((void *)(fixed ? p->start : hint), size, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | fixed,
			  -1, 0);

	if (area == MAP_FAILED)
		return complain(path, fixed ? "its addresses are taken"
					    : strerror(errno));
	p->bias = (unsigned long)area - p->start;
	for (int i = 0; i < p->head.e_phnum; i++)
		if (p->phdr[i].p_type == PT_LOAD && p->phdr[i].p_memsz &&
		    map_segment(p, &p->phdr[i], fd))
			return complain(path, strerror(errno));
	return 0;
}

static unsigned long phdr_address(const struct program *p)
{
	for (int i = 0; i < p->head.e_phnum; i++) {
		const Elf64_Phdr *h = &p->phdr[i];

		if (h->p_type == PT_PHDR)
			return p->bias + h->p_vaddr;
		if (h->p_type == PT_LOAD && p->head.e_phoff >= h->p_offset &&
		    p->head.e_phoff < h->p_offset + h->p_filesz)
			return p->bias + h->p_vaddr + p->head.e_phoff -
			       h->p_offset;
	}
	return 0;
}

static int open_program(const char *path)
{
	struct stat st;
	int fd;

	/* Opening a fifo would wait. */
	if (stat(path, &st))
		return complain(path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return complain(path, S_ISDIR(st.st_mode)
					      ? "is a directory"
					      : "not a regular file");
	if (access(path, X_OK))
		return complain(path, strerror(errno));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? complain(path, strerror(errno)) : fd;
}

/*
 * Put the interpreter of a script, its one argument, and the script before the
 * arguments.  Returns 1 when the file is one.
 */
static int read_script(int fd, const char **path, char ***argv)
{
	char line[257], *name, *end, *arg;
	ssize_t n = pread(fd, line, sizeof(line) - 1, 0);
	char **new;
	int argc = 0, i = 0;

	if (n < 2 || memcmp(line, "#!", 2))
		return 0;
	line[n] = 0;
	line[strcspn(line, "\n")] = 0;
	name = line + 2 + strspn(line + 2, " \t");
	end = name + strcspn(name, " \t");
	arg = end + strspn(end, " \t");
	*end = 0;
	for (n = strlen(arg); n && strchr(" \t", arg[n - 1]); n--)
		arg[n - 1] = 0;
	if (!*name)
		return complain(*path, "script names no interpreter");
	while ((*argv)[argc])
		argc++;
	new = calloc(argc + 4, sizeof(*new));
	if (!new)
		return complain(*path, strerror(ENOMEM));
	new[i++] = strdup(name);
	if (*arg)
		new[i++] = strdup(arg);
	new[i++] = strdup(*path);
	if (argc)
		memcpy(new + i, *argv + 1, (argc - 1) * sizeof(*new));
	*argv = new;
	*path = new[0];
	return 1;
}

/* The auxiliary vector: what differs from our own. */
static unsigned long aux_value(unsigned long type, const struct program *p,
			       unsigned long base, unsigned long random,
			       unsigned long execfn, unsigned long value)
{
	switch (type) {
	case AT_PHDR:
		return phdr_address(p);
	case AT_PHENT:
		return sizeof(*p->phdr);
	case AT_PHNUM:
		return p->head.e_phnum;
	case AT_BASE:
		return base;
	case AT_ENTRY:
		return p->bias + p->head.e_entry;
	case AT_RANDOM:
		return random;
	case AT_EXECFN:
		return execfn;
	case AT_EXECFD:
		return -1;
	default:
		return value;
	}
}

static char *push(char *sp, const char *string)
{
	size_t len = strlen(string) + 1;

	return memcpy(sp - len, string, len);
}

/*
 * Tell the host where the program and its arguments are, for core files,
 * debuggers and ps; @table is the program's stack.  If the host does not want
 * to know, they see lkl-run.
 */
static void describe(const struct program *p, const unsigned long *table,
		     int argc, int envc, int auxc)
{
	struct prctl_mm_map map = { .exe_fd = -1 };
	const unsigned long *argv = table + 1, *envp = argv + argc + 1;
	char stat[1024], *at = NULL;
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC), field;
	ssize_t n = read(fd, stat, sizeof(stat) - 1);

	close(fd);
	if (n > 0) {
		stat[n] = 0;
		at = strrchr(stat, ')');
	}
	/* Our heap stays where it is: proc(5) says in which field. */
	for (field = 2; at && field < 47; field++)
		at = strchr(at + 1, ' ');
	if (!at || !argc || !envc)
		return;
	map.start_brk = strtoul(at, NULL, 10);
	map.brk = (unsigned long)sbrk(0);
	map.start_code = map.start_data = p->bias + p->start;
	map.end_code = map.end_data = p->bias + p->end;
	map.start_stack = (unsigned long)table;
	map.arg_start = argv[0];
	map.arg_end = map.env_start = envp[0];
	map.env_end = envp[envc - 1] + strlen((char *)envp[envc - 1]) + 1;
	map.auxv = (void *)(envp + envc + 1);
	map.auxv_size = 2 * (auxc + 1) * sizeof(*table);
	prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0);
}

/*
 * Build what the program finds on its stack below @sp, which belongs to it from
 * now on.  Returns the new stack pointer.
 */
static unsigned long build_stack(char *sp, const struct program *p,
				 unsigned long base, const char *path,
				 char **argv, char **envp)
{
	unsigned long *aux = (unsigned long *)envp, *out, random, execfn;
	int argc = 0, envc = 0, auxc = 0, i;
	unsigned long *table;
	char *at;

	while (*aux)
		aux++;
	aux++;
	while (argv[argc])
		argc++;
	while (envp[envc])
		envc++;
	while (aux[2 * auxc])
		auxc++;

	sp = push(sp, path);
	execfn = (unsigned long)sp;
	sp -= 16;
	if (getrandom(sp, 16, 0) != 16)
		memcpy(sp, (void *)getauxval(AT_RANDOM), 16);
	random = (unsigned long)sp;
	/* In ascending order, without gaps: programs write titles there. */
	for (i = envc; i--;)
		sp = push(sp, envp[i]);
	for (i = argc; i--;)
		sp = push(sp, argv[i]);
	at = sp;
	table = (unsigned long *)((unsigned long)sp & -16UL);
	table -= (1 + argc + 1 + envc + 1 + 2 * (auxc + 1) + 1) & ~1;
	out = table;
	*out++ = argc;
	for (i = 0; i < argc; i++, at += strlen(at) + 1)
		*out++ = (unsigned long)at;
	*out++ = 0;
	for (i = 0; i < envc; i++, at += strlen(at) + 1)
		*out++ = (unsigned long)at;
	*out++ = 0;
	for (i = 0; i < auxc; i++) {
		*out++ = aux[2 * i];
		*out++ = aux_value(aux[2 * i], p, base, random, execfn,
				   aux[2 * i + 1]);
	}
	*out++ = 0;
	*out++ = 0;
	describe(p, table, argc, envc, auxc);
	return (unsigned long)table;
}

unsigned long run_stack_size(char **argv, char **envp)
{
	unsigned long size = 4 * PAGE + 2 * sizeof(run_options.program);

	for (; *argv; argv++)
		size += strlen(*argv) + 1 + sizeof(*argv);
	for (; *envp; envp++)
		size += strlen(*envp) + 1 + sizeof(*envp);
	return size;
}

static void random_bias(unsigned long *base)
{
	unsigned int r = 0;

	if (getrandom(&r, sizeof(r), 0) == sizeof(r))
		*base += (unsigned long)(r & 0xfffffff) * PAGE;
}

int run_load(struct run_image *image, const char *path, char **argv,
	     char **envp, char *stack)
{
	static struct program p, interp;
	unsigned long base = RUN_PROGRAM;
	const char *name = path;
	int fd, ret, scripts = 0;

	for (;;) {
		fd = open_program(path);
		if (fd < 0)
			return -1;
		ret = read_script(fd, &path, &argv);
		if (!ret)
			break;
		close(fd);
		if (ret < 0)
			return -1;
		if (++scripts > MAX_SCRIPTS)
			return complain(name, "too many interpreters");
	}
	/* A file without a name has that of its descriptor. */
	if (!realpath(path, run_options.program))
		snprintf(run_options.program, sizeof(run_options.program), "%s",
			 path);
	random_bias(&base);
	if (read_headers(&p, fd, path) || map_program(&p, fd, path, base))
		return -1;
	close(fd);
	brk_start = brk_now = p.bias + p.end;
	image->entry = p.bias + p.head.e_entry;
	if (*p.interp) {
		fd = open_program(p.interp);
		if (fd < 0 || read_headers(&interp, fd, p.interp) ||
		    map_program(&interp, fd, p.interp,
				run_place(interp.end - interp.start)))
			return -1;
		close(fd);
		image->entry = interp.bias + interp.head.e_entry;
	}
	image->sp = build_stack(stack, &p, interp.bias, path, argv, envp);
	return 0;
}

long run_brk(struct run_thread *t, struct way_regs *r)
{
	unsigned long new = r->arg[0], have, want;

	(void)t;
	/* A lock that no thread holds in the child of a fork. */
	rewrite_lock();
	have = UP(brk_now);
	want = UP(new);
	if (new >= brk_start) {
		if (want < have)
			munmap((void *)want, have - want);
		if (want <= have ||
		    mmap((void *)have, want - have, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
			 0) == (void *)have)
			brk_now = new;
	}
	new = brk_now;
	rewrite_unlock();
	return new;
}
