/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes beside process 1 (drivers/process.c).
 */
#ifndef _ASM_LKL_PROCESS_H
#define _ASM_LKL_PROCESS_H

struct cred;
struct lkl_share;
struct lkl_share_thread;
struct nsproxy;

/*
 * Make a task in the process, which is made if it is not there yet, for the calling
 * host thread.
 */
long lkl_process_join(struct lkl_share_thread *thread);
/* No host thread has a task of the process any more: it ends. */
void lkl_process_end(struct lkl_share *share);

/* What the process has, with a reference. */
const struct cred *lkl_process_get_cred(struct lkl_share *share);
struct nsproxy *lkl_process_get_ns(struct lkl_share *share);
/* It gets others, with the caller's reference. */
void lkl_process_set_cred(struct lkl_share *share, const struct cred *cred);
void lkl_process_set_ns(struct lkl_share *share, struct nsproxy *ns);
/* Have the current task use its credentials. */
void lkl_process_use_cred(struct lkl_share *share);

#endif /* _ASM_LKL_PROCESS_H */
