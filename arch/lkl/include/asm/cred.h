/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Credentials of host threads (drivers/cred.c).
 */
#ifndef _ASM_LKL_CRED_H
#define _ASM_LKL_CRED_H

#include <uapi/asm/cred.h>

struct cred;

/* New ones, with a reference, or an error pointer. */
struct cred *lkl_cred_make(const struct lkl_cred *cred);
/* Have the current task use these. */
void lkl_cred_use(const struct cred *cred);
/* Have it use those of the threads before it. */
void lkl_cred_inherit(void);
/* Have it share none. */
void lkl_cred_own(void);

#endif /* _ASM_LKL_CRED_H */
