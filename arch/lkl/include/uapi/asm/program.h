/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * A program whose sockets are the library's sees its threads by the host's
 * numbers, and its sockets by the host's inodes.
 *
 * The functions are to be run in kernel context.
 */
#ifndef _UAPI_ASM_LKL_PROGRAM_H
#define _UAPI_ASM_LKL_PROGRAM_H

/**
 * struct lkl_program_inode - the inode of a socket
 * @fd: descriptor of the library's kernel
 * @ino: the number that it shall have
 * @once: only if it has not been given one
 */
struct lkl_program_inode {
	int fd;
	unsigned int ino;
	int once;
};

/**
 * lkl_program_set_inode - give a socket the number of an inode of the host's
 * @inode: struct lkl_program_inode
 *
 * So /proc/net/tcp and sock_diag tell the number that the host tells for the
 * descriptor of the host that stands for the socket.
 *
 * Return: 0; -EBADF, -ENOTSOCK, or -EEXIST if it has a number given @once
 */
long lkl_program_set_inode(void *inode);

/**
 * struct lkl_program_async - signals about a file
 * @fd: descriptor of the library's kernel
 * @number: the descriptor that they name, in si_fd
 */
struct lkl_program_async {
	int fd;
	int number;
};

/**
 * lkl_program_arm - have a file send signals, unless it does already
 * @async: struct lkl_program_async
 *
 * As O_ASYNC, which is on then, but for the number.
 *
 * Return: 0 or a negative error number
 */
long lkl_program_arm(void *async);

/**
 * struct lkl_program_thread - a thread under its two numbers
 * @host: the host's
 * @kernel: the library's kernel's; 0 is not known
 */
struct lkl_program_thread {
	int host;
	int kernel;
};

/**
 * lkl_program_find_thread - find one number of a thread by the other
 * @thread: struct lkl_program_thread; @host is looked for if @kernel is 0
 *
 * Return: 0 or -ESRCH
 */
long lkl_program_find_thread(void *thread);

/* Any process of the group may have signals. */
#define LKL_GROUP_ANY (~0U)

/**
 * struct lkl_program_group - a process group of the host that owns a file
 * @fd: descriptor of the library's kernel
 * @host: the group
 * @user: whose processes in it may have signals, a number of the host's or
 *	LKL_GROUP_ANY
 * @number: by which the library's kernel knows the group
 */
struct lkl_program_group {
	int fd;
	int host;
	unsigned int user;
	int number;
};

/**
 * lkl_program_set_group - make a group the owner of a file, as F_SETOWN does
 * @group: struct lkl_program_group, but for its @number
 *
 * Return: 0 or a negative error number
 */
long lkl_program_set_group(void *group);

/**
 * lkl_program_find_group - find the group that F_GETOWN_EX tells
 * @group: struct lkl_program_group with its @number; @host and @user are filled in
 *
 * Return: 0 or -ESRCH
 */
long lkl_program_find_group(void *group);

#endif /* _UAPI_ASM_LKL_PROGRAM_H */
