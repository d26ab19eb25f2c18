// SPDX-License-Identifier: GPL-2.0-only
/*
 * The child of a vfork(), or of posix_spawn(): it has its parent's memory, and
 * so our tables, but descriptors of its own, until it executes a program, which
 * is to go on with them.  What it does to them is written down here, per thread
 * of the parent's, which sleeps meanwhile.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>

#include "child.h"

/* Is this such a child, of whose descriptors is written down? */
bool vfork_is_child(void)
{
	return unlikely(hijack_thread()->vforks) && hijack_in_vfork();
}

/* Descriptors from @first to @last are now what @word says. */
static void note(unsigned int first, unsigned int last, uint32_t word)
{
	struct hijack_thread *t = hijack_thread();

	if (t->notes == VFORK_NOTES) {
		hijack_say("", "a child changes too many descriptors before "
			       "it executes a program");
		return;
	}
	t->note[t->notes++] = (struct vfork_note){ first, last, word };
}

/**
 * vfork_word - what a descriptor of such a child stands for
 * @fd: the descriptor
 */
uint32_t vfork_word(unsigned int fd)
{
	struct hijack_thread *t = hijack_thread();
	int i;

	for (i = t->notes; i--;)
		if (fd >= t->note[i].first && fd <= t->note[i].last)
			return t->note[i].word;
	return fd_word(fd);
}

/* All but what is ours, which the program is told of that is executed. */
static long close_all(unsigned int first, unsigned int last, unsigned int flags)
{
	struct hijack_thread *t = hijack_thread();
	unsigned int a = t->fork_control, b = t->fork_area, low, high;
	unsigned int from[3], to[3], i;
	long ret = 0;

	low = a < b ? a : b;
	high = a < b ? b : a;
	from[0] = 0, to[0] = low - 1;
	from[1] = low + 1, to[1] = high - 1;
	from[2] = high + 1, to[2] = UINT_MAX;
	for (i = 0; i < 3 && !ret; i++) {
		unsigned int f = from[i] > first ? from[i] : first;
		unsigned int l = to[i] < last ? to[i] : last;

		if (f <= l)
			ret = host3(SYS_close_range, f, l, flags);
	}
	if (!ret && !(flags & CLOSE_RANGE_CLOEXEC))
		note(first, last, 0);
	return ret;
}

static bool is_ours(long fd)
{
	struct hijack_thread *t = hijack_thread();

	return (int)fd == t->fork_control || (int)fd == t->fork_area;
}

/**
 * hijack_vfork_syscall - make a call of the child of a vfork()
 * @nr: number
 * @a: arguments
 *
 * Return: as the host's
 */
long hijack_vfork_syscall(long nr, const long a[6])
{
	uint32_t word;
	long ret;

	switch (nr) {
	case SYS_unshare:
		return netns_unshare(nr, a);
	case SYS_setns:
		return netns_setns(nr, a);
	}
	if (!vfork_is_child())
		return host_call(nr, a);
	switch (nr) {
	case SYS_close:
		if (is_ours(a[0]))
			return -EBADF;
		ret = host_call(nr, a);
		if (vfork_word(a[0]))
			note(a[0], a[0], 0);
		return ret;
	case SYS_close_range:
		if ((unsigned int)a[0] > (unsigned int)a[1])
			return host_call(nr, a);
		return close_all(a[0], a[1], a[2]);
	case SYS_dup2:
	case SYS_dup3:
		if (is_ours(a[1]))
			return -EBADF;
		break;
	case SYS_fcntl:
		if (a[1] != F_DUPFD && a[1] != F_DUPFD_CLOEXEC)
			return host_call(nr, a);
		break;
	case SYS_dup:
		break;
	default:
		return host_call(nr, a);
	}
	word = vfork_word(a[0]);
	ret = host_call(nr, a);
	if (ret >= 0 && ret != (int)a[0] && (word || vfork_word(ret)))
		note(ret, ret, word);
	return ret;
}
