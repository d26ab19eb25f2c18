/* SPDX-License-Identifier: GPL-2.0-only */
/* There are no limits. */
#ifndef NT_SYS_RESOURCE_H
#define NT_SYS_RESOURCE_H

#define RLIMIT_FSIZE 1
#define RLIMIT_AS 9
#define RLIM_INFINITY (~0ULL)

struct rlimit {
	unsigned long long rlim_cur;
	unsigned long long rlim_max;
};

static inline int getrlimit(int resource, struct rlimit *limit)
{
	(void)resource;
	limit->rlim_cur = RLIM_INFINITY;
	limit->rlim_max = RLIM_INFINITY;
	return 0;
}

#endif /* NT_SYS_RESOURCE_H */
