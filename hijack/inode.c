// SPDX-License-Identifier: GPL-2.0-only
/*
 * The inode number of a socket that another process has made.
 */
#include <lkl/asm/program.h>

#include "child.h"

/* The text of a number and of what is in front of it, which end at @at. */
static char *put_before(char *at, const char *text, size_t len, unsigned int n)
{
	do {
		*--at = '0' + n % 10;
		n /= 10;
	} while (n);
	at -= len;
	copy(at, text, len);
	return at;
}

/**
 * inode_name - SHARE_INODE, on the thread that makes another process's calls
 * @pid: the process, as the host says, or 0
 * @a: a socket, and the process's descriptor of the host for it
 *
 * The process could say any number, that of another process's socket, too.  So
 * the host is asked, by a call that does not touch what the descriptor is of.
 * A socket keeps the number that it has, as others may share it.
 *
 * Return: 0 or a negative error number
 */
long inode_name(int pid, const long *a)
{
	struct lkl_program_inode inode = { .fd = a[0], .once = 1 };
	static const char socket[] = "socket:[";
	char path[40] = { 0 }, *at = path + sizeof(path) - 1;
	char name[40] = { 0 };
	long err;

	if (pid <= 0)
		return -ESRCH;
	at = put_before(at, "/fd/", 4, a[1]);
	at = put_before(at, "/proc/", 6, pid);
	err = own_call3(SYS_readlink, at, name, sizeof(name) - 1);
	if (err < 0)
		return err;
	if (strncmp(name, socket, sizeof(socket) - 1))
		return -ENOTSOCK;
	for (at = name + sizeof(socket) - 1; *at >= '0' && *at <= '9'; at++)
		inode.ino = inode.ino * 10 + *at - '0';
	return lkl_kernel_call(lkl_program_set_inode, &inode);
}
