// SPDX-License-Identifier: GPL-2.0-only
/*
 * Landlock decides about files, a filter of system calls about sockets.  Both
 * stay when another program is executed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <limits.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine.h"

/* What has been added to Landlock since its first version. */
#define ALL_V1 ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1ULL)
#define REFER (1ULL << 13)
#define TRUNCATE (1ULL << 14)
#define IOCTL_DEV (1ULL << 15)

#define READ                                                                   \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |          \
	 LANDLOCK_ACCESS_FS_EXECUTE)
/* The same number everywhere; headers may be older. */
#define FCHMODAT2 452
#define READ_FILE LANDLOCK_ACCESS_FS_READ_FILE
#define WRITE_FILE LANDLOCK_ACCESS_FS_WRITE_FILE

/* Programs, libraries, and where the dynamic linker finds these. */
static const struct {
	const char *path;
	uint64_t access;
} needed[] = {
	{ "/usr", READ },
	{ "/bin", READ },
	{ "/lib", READ },
	{ "/lib64", READ },
	{ "/opt", READ },
	{ "/nix/store", READ },
	{ "/gnu/store", READ },
	{ "/etc/ld.so.cache", READ_FILE },
	{ "/etc/ld.so.preload", READ_FILE },
	{ "/dev/null", READ_FILE | WRITE_FILE },
	/* what programs that check file systems look at: is it in use? */
	{ "/etc/e2fsck.conf", READ_FILE },
	{ "/etc/mtab", READ_FILE },
	{ "/proc/self/mounts", READ_FILE },
	{ "/proc/swaps", READ_FILE },
	{ "/proc/version", READ_FILE },
};

static uint64_t all_access(int version)
{
	return ALL_V1 | (version >= 2 ? REFER : 0) |
	       (version >= 3 ? TRUNCATE : 0) | (version >= 5 ? IOCTL_DEV : 0);
}

static int allow(int rules, int fd, uint64_t access)
{
	struct landlock_path_beneath_attr beneath = {
		.allowed_access = access,
		.parent_fd = fd,
	};

	return syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
		       &beneath, 0)
		       ? -errno
		       : 0;
}

static int allow_path(int rules, const char *path, uint64_t access)
{
	int fd = open(path, O_PATH | O_CLOEXEC), err;

	if (fd < 0)
		return 0;
	err = allow(rules, fd, access);
	close(fd);
	return err;
}

/* Wherever the user has it. */
static int allow_program(int rules, const char *program)
{
	const char *dir = getenv("PATH");
	char path[PATH_MAX];
	int err = 0;

	while (program && dir && *dir && !err) {
		size_t len = strcspn(dir, ":");
		int n = snprintf(path, sizeof(path), "%.*s/%s", (int)len, dir,
				 program);

		if (n < PATH_MAX && !access(path, X_OK))
			err = allow_path(rules, path,
					 READ_FILE |
						 LANDLOCK_ACCESS_FS_EXECUTE);
		dir += len + (dir[len] == ':');
	}
	return err;
}

static int confine_files(int file, bool write, const char *program)
{
	int version = syscall(SYS_landlock_create_ruleset, NULL, 0,
			      LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_ruleset_attr all = {
		.handled_access_fs = all_access(version),
	};
	uint64_t access = READ_FILE;
	int rules, err;

	if (version < 1)
		return -ENOSYS;
	if (write)
		access |= WRITE_FILE | (version >= 3 ? TRUNCATE : 0);
	rules = syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
	if (rules < 0)
		return -errno;
	err = allow(rules, file, access);
	if (!err)
		err = allow_program(rules, program);
	for (size_t i = 0; !err && i < sizeof(needed) / sizeof(*needed); i++)
		err = allow_path(rules, needed[i].path, needed[i].access);
	if (!err && syscall(SYS_landlock_restrict_self, rules, 0))
		err = -errno;
	close(rules);
	return err;
}

/* A call that is about a process, but for one. */
static int deny_others(scmp_filter_ctx ctx, int call, pid_t pid)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES), call, 1,
				SCMP_A0(SCMP_CMP_NE, pid));
}

/*
 * Calls that make sockets or processes, reach other processes, change
 * attributes, which Landlock leaves alone, or what belongs to the host.
 */
static int confine_calls(void)
{
	static const int denied[] = {
		SCMP_SYS(chmod),
		SCMP_SYS(fchmod),
		SCMP_SYS(fchmodat),
		FCHMODAT2,
		SCMP_SYS(chown),
		SCMP_SYS(lchown),
		SCMP_SYS(fchown),
		SCMP_SYS(fchownat),
		SCMP_SYS(setxattr),
		SCMP_SYS(lsetxattr),
		SCMP_SYS(fsetxattr),
		SCMP_SYS(removexattr),
		SCMP_SYS(lremovexattr),
		SCMP_SYS(fremovexattr),
		SCMP_SYS(utime),
		SCMP_SYS(utimes),
		SCMP_SYS(futimesat),
		SCMP_SYS(utimensat),
		SCMP_SYS(tkill),
		SCMP_SYS(rt_sigqueueinfo),
		SCMP_SYS(process_madvise),
		SCMP_SYS(sched_setaffinity),
		SCMP_SYS(sched_setattr),
		SCMP_SYS(sched_setparam),
		SCMP_SYS(sched_setscheduler),
		SCMP_SYS(setpriority),
		SCMP_SYS(ioprio_set),
		SCMP_SYS(add_key),
		SCMP_SYS(request_key),
		SCMP_SYS(keyctl),
		SCMP_SYS(shmget),
		SCMP_SYS(shmat),
		SCMP_SYS(shmctl),
		SCMP_SYS(semget),
		SCMP_SYS(semctl),
		SCMP_SYS(msgget),
		SCMP_SYS(msgctl),
		SCMP_SYS(mq_open),
		SCMP_SYS(mq_unlink),
		SCMP_SYS(perf_event_open),
		SCMP_SYS(userfaultfd),
		SCMP_SYS(open_by_handle_at),
		SCMP_SYS(umount2),
		SCMP_SYS(fsopen),
		SCMP_SYS(open_tree),
		SCMP_SYS(move_mount),
		SCMP_SYS(pivot_root),
		SCMP_SYS(chroot),
		SCMP_SYS(socket),
		SCMP_SYS(connect),
		SCMP_SYS(io_uring_setup),
		SCMP_SYS(ptrace),
		SCMP_SYS(process_vm_readv),
		SCMP_SYS(process_vm_writev),
		SCMP_SYS(pidfd_getfd),
		SCMP_SYS(kill),
		SCMP_SYS(pidfd_send_signal),
		SCMP_SYS(bpf),
		SCMP_SYS(mount),
		SCMP_SYS(unshare),
		SCMP_SYS(setns),
		SCMP_SYS(fork),
		SCMP_SYS(vfork),
	};
	/* threads only; the C library does without clone3() */
	const struct scmp_arg_cmp no_thread =
		SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0);
	/* what types into a terminal; the kernel looks at 32 bits */
	const struct scmp_arg_cmp typing[] = {
		SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, TIOCSTI),
		SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, TIOCLINUX),
	};
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int err = ctx ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < sizeof(denied) / sizeof(*denied); i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES), denied[i],
				       0);
	if (!err)
		err = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS),
				       SCMP_SYS(clone3), 0);
	if (!err)
		err = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES),
				       SCMP_SYS(clone), 1, no_thread);
	for (size_t i = 0; !err && i < sizeof(typing) / sizeof(*typing); i++)
		err = seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO(EACCES),
					     SCMP_SYS(ioctl), 1, &typing[i]);
	/* signals, to its own threads only */
	if (!err)
		err = deny_others(ctx, SCMP_SYS(tgkill), getpid());
	if (!err)
		err = deny_others(ctx, SCMP_SYS(rt_tgsigqueueinfo), getpid());
	if (!err)
		err = deny_others(ctx, SCMP_SYS(prlimit64), 0);
	if (!err)
		err = seccomp_load(ctx);
	seccomp_release(ctx);
	return err;
}

/* Root's programs may need those for the file, which may be another user's. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct caps[2], kept[2] = { 0 };

	if (syscall(SYS_capget, &header, caps))
		return -errno;
	kept[0].permitted = caps[0].permitted & 1U << CAP_DAC_OVERRIDE;
	kept[0].effective = caps[0].effective & kept[0].permitted;
	return syscall(SYS_capset, &header, kept) ? -errno : 0;
}

int confine(int file, bool write, const char *program)
{
	int files, calls;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	/* the dynamic linker would complain that it cannot open these */
	unsetenv("LD_PRELOAD");
	unsetenv("LD_AUDIT");
	files = confine_files(file, write, program);
	if (files && files != -ENOSYS)
		return files;
	calls = drop_capabilities();
	if (!calls)
		calls = confine_calls();
	return calls ? calls : files;
}
