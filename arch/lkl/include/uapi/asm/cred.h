/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The credentials of a host thread in the library's kernel: an intercepted program that
 * gives up its rights on the host has given them up here, too.
 */
#ifndef _UAPI_ASM_LKL_CRED_H
#define _UAPI_ASM_LKL_CRED_H

#define LKL_CRED_GROUPS	1024

/**
 * struct lkl_cred - credentials
 * @uid: real, effective, saved, and of the file system
 * @gid: the same
 * @effective: capabilities
 * @permitted: capabilities
 * @inheritable: capabilities
 * @n_groups: number of supplementary groups
 * @groups: these
 */
struct lkl_cred {
	unsigned int uid[4], gid[4];
	unsigned long long effective, permitted, inheritable;
	unsigned int n_groups;
	unsigned int groups[LKL_CRED_GROUPS];
};

/**
 * lkl_cred_set - set the credentials of the calling host thread
 * @cred: struct lkl_cred
 *
 * To be run in kernel context.  Threads that call the library for the first time
 * from then on get the same ones.
 *
 * Return: 0 or a negative error number
 */
long lkl_cred_set(void *cred);

#endif /* _UAPI_ASM_LKL_CRED_H */
