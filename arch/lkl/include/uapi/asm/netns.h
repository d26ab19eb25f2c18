/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Network namespaces of host threads.
 *
 * A host thread that becomes known to the kernel is in its first network
 * namespace, as the kernel does not see which thread made it.  By these
 * functions it can begin in another one.  A namespace is a pointer of the
 * kernel's, and is there until it is used or put.
 *
 * All of these functions are to be run in kernel context.
 */
#ifndef _UAPI_ASM_LKL_NETNS_H
#define _UAPI_ASM_LKL_NETNS_H

/* Where files stand for namespaces, as ip-netns(8) has it. */
#define LKL_NETNS_DIR "/run/netns"

/**
 * struct lkl_netns_file - a thread whose namespace is to be opened
 * @thread: a struct lkl_share_thread, or NULL
 * @tid: else the host's number of a thread of the process that has the kernel
 */
struct lkl_netns_file {
	void *thread;
	int tid;
};

/**
 * lkl_netns_open - open the namespace of a thread
 * @file: struct lkl_netns_file
 *
 * The caller needs the right to look at the thread in /proc, as on any Linux.
 *
 * Return: a descriptor; -ESRCH for a thread that has made no call, or another
 * negative error number
 */
long lkl_netns_open(void *file);

/**
 * lkl_netns_get - get the namespace that a thread is in
 * @thread: struct lkl_share_thread, or NULL for the caller
 *
 * Return: the namespace, or -ESRCH when the thread has ended
 */
long lkl_netns_get(void *thread);

/**
 * lkl_netns_new - make a namespace, as unshare() does
 * @unused: NULL
 *
 * The caller remains where it is.
 *
 * Return: the namespace, or a negative error number
 */
long lkl_netns_new(void *unused);

/**
 * lkl_netns_use - have the calling thread be in a namespace from here on
 * @ns: the namespace, which is not the caller's any more
 *
 * Return: 0
 */
long lkl_netns_use(void *ns);

/**
 * lkl_netns_put - give a namespace back
 * @ns: the namespace, or NULL
 *
 * Return: 0
 */
long lkl_netns_put(void *ns);

#endif /* _UAPI_ASM_LKL_NETNS_H */
