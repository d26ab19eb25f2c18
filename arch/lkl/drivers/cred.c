// SPDX-License-Identifier: GPL-2.0-only
/*
 * Credentials of host threads: what they are on the host.
 */
#include <linux/cred.h>
#include <linux/sched.h>
#include <linux/sched/user.h>
#include <linux/user_namespace.h>
#include <asm/cred.h>

static kernel_cap_t lkl_cred_caps(u64 caps)
{
	return (kernel_cap_t) { caps & CAP_VALID_MASK };
}

static int lkl_cred_groups(struct cred *new, const struct lkl_cred *cred)
{
	struct group_info *info;
	unsigned int i;

	if (cred->n_groups > LKL_CRED_GROUPS)
		return -EINVAL;
	info = groups_alloc(cred->n_groups);
	if (!info)
		return -ENOMEM;
	for (i = 0; i < cred->n_groups; i++)
		info->gid[i] = KGIDT_INIT(cred->groups[i]);
	groups_sort(info);
	set_groups(new, info);
	put_group_info(info);
	return 0;
}

struct cred *lkl_cred_make(const struct lkl_cred *cred)
{
	struct cred *new = prepare_creds();
	struct user_struct *user;
	int err;

	if (!new)
		return ERR_PTR(-ENOMEM);
	err = lkl_cred_groups(new, cred);
	if (err)
		goto abort;
	err = -ENOMEM;
	user = alloc_uid(KUIDT_INIT(cred->uid[0]));
	if (!user)
		goto abort;
	free_uid(new->user);
	new->user = user;
	new->uid = KUIDT_INIT(cred->uid[0]);
	new->euid = KUIDT_INIT(cred->uid[1]);
	new->suid = KUIDT_INIT(cred->uid[2]);
	new->fsuid = KUIDT_INIT(cred->uid[3]);
	new->gid = KGIDT_INIT(cred->gid[0]);
	new->egid = KGIDT_INIT(cred->gid[1]);
	new->sgid = KGIDT_INIT(cred->gid[2]);
	new->fsgid = KGIDT_INIT(cred->gid[3]);
	new->cap_effective = lkl_cred_caps(cred->effective);
	new->cap_permitted = lkl_cred_caps(cred->permitted);
	new->cap_inheritable = lkl_cred_caps(cred->inheritable);
	err = set_cred_ucounts(new);
	if (!err)
		return new;
abort:
	abort_creds(new);
	return ERR_PTR(err);
}

/* What copy_creds() does for a thread, for one that has credentials. */
void lkl_cred_use(const struct cred *cred)
{
	const struct cred *old = current->cred, *real = current->real_cred;

	if (cred == old)
		return;
	inc_rlimit_ucounts(cred->ucounts, UCOUNT_RLIMIT_NPROC, 1);
	dec_rlimit_ucounts(real->ucounts, UCOUNT_RLIMIT_NPROC, 1);
	get_cred_many(cred, 2);
	rcu_assign_pointer(current->real_cred, cred);
	rcu_assign_pointer(current->cred, cred);
	put_cred(old);
	put_cred(real);
}

/* Those of threads that are to come. */
static const struct cred *lkl_cred_next;

long lkl_cred_set(void *arg)
{
	struct cred *new = lkl_cred_make(arg);

	if (IS_ERR(new))
		return PTR_ERR(new);
	lkl_cred_use(new);
	put_cred(lkl_cred_next);
	lkl_cred_next = new;
	return 0;
}

void lkl_cred_inherit(void)
{
	if (lkl_cred_next)
		lkl_cred_use(lkl_cred_next);
}

void lkl_cred_own(void)
{
	struct cred *new = prepare_creds();

	/* To share them is slower, no more. */
	if (!new)
		return;
	lkl_cred_use(new);
	put_cred(new);
}
