// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program that is executed has the filters of the thread that executes it.
 * The host knows them; we are told by a file in memory, whose number is in the
 * environment.
 */
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "filter.h"

static const char variable[] = "LKL_HIJACK_FILTERS";

/* In the file, in front of the instructions; the oldest filter comes first. */
struct head {
	uint32_t strict, len;
};

static bool put(long fd, const void *from, size_t len)
{
	return own_call3(SYS_write, fd, from, len) == (long)len;
}

static bool put_filters(long fd, const struct filter *f)
{
	const struct filter *last = NULL, *next;

	while (last != f) {
		struct head head;

		for (next = f; next->prev != last; next = next->prev)
			;
		head = (struct head){ next->strict, next->len };
		if (!put(fd, &head, sizeof(head)) ||
		    !put(fd, next->insn, next->len * sizeof(*next->insn)))
			return false;
		last = next;
	}
	return true;
}

/**
 * filter_give - make the filters ready for a program that is to be executed
 * @text: where to put the string for its environment: FILTER_TEXT bytes
 *
 * Return: number of the file, which is to be closed if nothing is executed; -1
 * if there are none; or a negative error number
 */
long filter_give(char *text)
{
	const struct filter *f = hijack_thread()->filter;
	char *at = text + sizeof(variable);
	unsigned int shift;
	long fd;

	if (!f)
		return -1;
	fd = own_call3(SYS_memfd_create, "filters", 0, 0);
	if (fd < 0 || !put_filters(fd, f)) {
		hijack_say("filters for system calls are lost: ",
			   "no program can be executed with them");
		return -EPERM;
	}
	memcpy(text, variable, sizeof(variable) - 1);
	at[-1] = '=';
	for (shift = 32; shift; *at++ = "0123456789abcdef"[fd >> shift & 15])
		shift -= 4;
	*at = 0;
	return fd;
}

/**
 * filter_is_variable - is it what filter_give() makes?
 * @string: the program's pointer
 */
bool filter_is_variable(const char *string)
{
	return user_begins(string, variable, sizeof(variable) - 1);
}

static bool get(int fd, void *to, size_t len)
{
	return read(fd, to, len) == (ssize_t)len;
}

/**
 * filter_adopt - go on with the filters of the thread that executed this
 * program
 *
 * At the start; uses libc.
 *
 * Return: 0 or a negative error number
 */
int filter_adopt(void)
{
	const char *text = getenv(variable);
	struct hijack_thread *t = hijack_thread();
	struct filter *f;
	struct head head;
	int fd;

	if (!text)
		return 0;
	fd = strtol(text, NULL, 16);
	if (lseek(fd, 0, SEEK_SET))
		return -EBADF;
	while (get(fd, &head, sizeof(head))) {
		if (head.len > BPF_MAXINSNS)
			return -EINVAL;
		f = mmap(NULL, sizeof(*f) + head.len * sizeof(*f->insn),
			 PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
		if (f == MAP_FAILED)
			return -ENOMEM;
		f->prev = t->filter;
		f->strict = head.strict;
		f->len = head.len;
		if (!get(fd, f->insn, head.len * sizeof(*f->insn)))
			return -EINVAL;
		t->filter = f;
		hijack_filtered = true;
	}
	close(fd);
	unsetenv(variable);
	/* What the host does not let us do is not to be tried. */
	numbers_sandboxed();
	return 0;
}
