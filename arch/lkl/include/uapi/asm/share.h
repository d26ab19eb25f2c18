/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Several sets of files in one library: a host thread can make calls in the
 * name of a process that has descriptors of its own, as after a fork().
 */
#ifndef _UAPI_ASM_LKL_SHARE_H
#define _UAPI_ASM_LKL_SHARE_H

/**
 * struct lkl_share - a process's files
 * @files: the kernel's
 * @from: for lkl_share_copy(): whose to copy; NULL are the caller's
 */
struct lkl_share {
	void *files;
	struct lkl_share *from;
};

/**
 * lkl_share_copy - copy a table of descriptors, as fork() does
 * @share: struct lkl_share, which is filled in
 *
 * All of these are to be run in kernel context.
 *
 * Return: 0 or a negative error number
 */
long lkl_share_copy(void *share);

/**
 * lkl_share_use - have the calling host thread use these files from here on
 * @share: struct lkl_share
 *
 * Return: a handle of the thread for lkl_share_interrupt(), as long as it can
 * make calls
 */
long lkl_share_use(void *share);

/**
 * lkl_share_put - give the copy back: who uses the files still has them
 * @share: struct lkl_share
 *
 * Return: 0
 */
long lkl_share_put(void *share);

/**
 * lkl_share_interrupt - have the call that a thread waits in end with -EINTR
 * @handle: points to the handle, or to 0 when there is none any more
 *
 * Return: 0, or -EAGAIN when it is in none: the call has ended or not begun
 */
long lkl_share_interrupt(void *handle);

#endif /* _UAPI_ASM_LKL_SHARE_H */
