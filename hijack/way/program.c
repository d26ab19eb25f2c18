// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a program's file says about how it can be taken to the library's
 * network.
 *
 * The dynamic linker takes our library only into programs that use it and
 * glibc, and that gain no privileges: those are lkl-run's, which runs them
 * without such. What gains another user's or group's would be of no use like
 * that.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "way.h"

#ifndef ST_NOSUID
#define ST_NOSUID 2
#endif

/* Scripts may be interpreted by scripts, so deep. */
#define MAX_SCRIPTS 4
#define MAX_HEADERS 64
#define MAX_DYNAMIC 512

static const char linker[] = "/lib64/ld-linux-x86-64.so.2";
static const char libc[] = "libc.so.6";

static bool read_at(long fd, void *to, size_t len, unsigned long at)
{
	return way_host4(SYS_pread64, fd, to, len, at) == (long)len;
}

/* Where in the file the address is, or 0. */
static unsigned long to_offset(const Elf64_Phdr *p, int n, unsigned long addr)
{
	for (; n--; p++)
		if (p->p_type == PT_LOAD && addr - p->p_vaddr < p->p_filesz)
			return addr - p->p_vaddr + p->p_offset;
	return 0;
}

static bool needs_libc(long fd, const Elf64_Phdr *p, int n)
{
	unsigned long strings = 0, at = 0, end = 0;
	char name[sizeof(libc)];
	Elf64_Dyn dyn;

	for (int i = 0; i < n; i++)
		if (p[i].p_type == PT_DYNAMIC) {
			at = p[i].p_offset;
			end = at + p[i].p_filesz;
		}
	if (end > at + MAX_DYNAMIC * sizeof(dyn))
		end = at + MAX_DYNAMIC * sizeof(dyn);
	for (unsigned long d = at; d + sizeof(dyn) <= end; d += sizeof(dyn))
		if (read_at(fd, &dyn, sizeof(dyn), d) && dyn.d_tag == DT_STRTAB)
			strings = to_offset(p, n, dyn.d_un.d_ptr);
	for (; strings && at + sizeof(dyn) <= end; at += sizeof(dyn))
		if (read_at(fd, &dyn, sizeof(dyn), at) &&
		    dyn.d_tag == DT_NEEDED &&
		    read_at(fd, name, sizeof(name), strings + dyn.d_un.d_val) &&
		    !memcmp(name, libc, sizeof(name)))
			return true;
	return false;
}

/* Does the linker load the library into it? */
static bool is_linked(long fd, const Elf64_Ehdr *head)
{
	Elf64_Phdr p[MAX_HEADERS];
	char interp[sizeof(linker)];
	int n = head->e_phnum;

	if (n > MAX_HEADERS || head->e_phentsize != sizeof(*p) ||
	    !read_at(fd, p, n * sizeof(*p), head->e_phoff))
		return false;
	for (int i = 0; i < n; i++)
		if (p[i].p_type == PT_INTERP)
			return p[i].p_filesz == sizeof(interp) &&
			       read_at(fd, interp, sizeof(interp),
				       p[i].p_offset) &&
			       !memcmp(interp, linker, sizeof(interp)) &&
			       needs_libc(fd, p, n);
	return false;
}

/* Does executing a file give privileges here? */
static bool may_gain(long fd)
{
	struct statfs fs;

	return raw_syscall(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0, 0) !=
		       1 &&
	       (way_host2(SYS_fstatfs, fd, &fs) || !(fs.f_flags & ST_NOSUID));
}

/* Those that executing this one gives. */
static enum way_program gains(long fd, const struct stat *st, const char **why)
{
	bool user = st->st_mode & S_ISUID &&
		    st->st_uid != way_host0(SYS_geteuid);
	bool group = (st->st_mode & (S_ISGID | S_IXGRP)) ==
			     (S_ISGID | S_IXGRP) &&
		     st->st_gid != way_host0(SYS_getegid);

	if ((user || group) && may_gain(fd)) {
		*why = user ? "is set-user-ID" : "is set-group-ID";
		return WAY_REFUSED;
	}
	return way_host0(SYS_geteuid) &&
			       way_host4(SYS_fgetxattr, fd,
					 "security.capability", 0, 0) > 0 &&
			       may_gain(fd)
		       ? WAY_LOADED
		       : WAY_LINKED;
}

static enum way_program look(const char *path, int depth, const char **why)
{
	union {
		char line[256];
		Elf64_Ehdr elf;
	} head = { "" };
	enum way_program gained;
	struct stat st;
	char *name;
	long fd, n;

	/* What cannot be executed is the host's to refuse. */
	if (way_host4(SYS_newfstatat, AT_FDCWD, path, &st, 0) ||
	    !S_ISREG(st.st_mode) || way_host2(SYS_access, path, 1))
		return WAY_UNKNOWN;
	fd = way_host3(SYS_open, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0) {
		*why = "cannot be read";
		return WAY_REFUSED;
	}
	gained = gains(fd, &st, why);
	n = way_host4(SYS_pread64, fd, &head, sizeof(head) - 1, 0);
	if (n >= (long)sizeof(head.elf) &&
	    !memcmp(head.line, ELFMAG, SELFMAG)) {
		if (head.line[EI_CLASS] != ELFCLASS64 ||
		    head.elf.e_machine != EM_X86_64) {
			*why = "is not for x86-64";
			gained = WAY_REFUSED;
		} else if (gained == WAY_LINKED && !is_linked(fd, &head.elf)) {
			gained = WAY_LOADED;
		}
		way_host1(SYS_close, fd);
		return gained;
	}
	way_host1(SYS_close, fd);
	if (n < 3 || memcmp(head.line, "#!", 2))
		return WAY_UNKNOWN;
	/* Privileges of a script's file are not given. */
	for (name = head.line + 2; *name == ' ' || *name == '\t'; name++)
		;
	for (n = 0; name[n] && !memchr(" \t\n", name[n], 3); n++)
		;
	name[n] = 0;
	return depth ? look(name, depth - 1, why) : WAY_UNKNOWN;
}

/**
 * way_look - which way a program can be taken
 * @path: its file
 * @why: where to store what to say about one that is refused
 *
 * Return: see enum way_program
 */
enum way_program way_look(const char *path, const char **why)
{
	return look(path, MAX_SCRIPTS, why);
}

/**
 * way_path - the file that an exec names
 * @to: 4096 bytes
 * @nr: of the call
 * @a: its arguments
 *
 * Return: 0, or a negative error number
 */
long way_path(char *to, long nr, const long *a)
{
	static const char proc[] = "/proc/self/fd/";
	char link[64], digits[12];
	size_t n = 0, at;
	unsigned int fd;
	long len;

	if (nr == SYS_execve)
		return user_string(to, a[0], 4096) < 0 ? -EFAULT : 0;
	len = user_string(to, a[1], 4096);
	if (len < 0)
		return len;
	if (*to == '/' || (int)a[0] == AT_FDCWD)
		return len || !(a[4] & AT_EMPTY_PATH) ? 0 : -ENOENT;
	if (len >= 2048 || (!len && !(a[4] & AT_EMPTY_PATH)))
		return len ? -ENAMETOOLONG : -ENOENT;
	for (fd = a[0]; n == 0 || fd; fd /= 10)
		digits[n++] = '0' + fd % 10;
	at = sizeof(proc) - 1;
	memcpy(link, proc, at);
	while (n)
		link[at++] = digits[--n];
	link[at] = 0;
	/* Below a directory, or the file itself. */
	memmove(to + 2047, to, len + 1);
	n = way_host4(SYS_readlink, link, to, 2046, 0);
	if ((long)n < 0)
		return n;
	if (len)
		to[n++] = '/';
	memmove(to + n, to + 2047, len + 1);
	return 0;
}
