// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a process may do, once it has got the open image and before it reads
 * it: nothing but work with the descriptors and the memory it has.
 *
 * Two layers say so independently: Landlock denies each file by its path, where
 * the host has it, and a system call filter has no call that takes a path,
 * makes a socket or a process, or lets new code be executed.  What is not
 * allowed fails with ENOSYS rather than kills: the C library then tries
 * something else or does without, and the image can still be unmounted.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox.h"
#include "tool.h"

/* What has been added to Landlock since its first version. */
#define REFER (1ULL << 13)
#define TRUNCATE (1ULL << 14)

#define CALL(name) SCMP_SYS(name)

/* Allowed whatever their arguments. */
static const int allowed[] = {
	/* the image, /dev/fuse, archives, messages */
	CALL(read),
	CALL(write),
	CALL(writev),
	CALL(pread64),
	CALL(pwrite64),
	CALL(preadv2),
	CALL(pwritev2),
	CALL(lseek),
	CALL(fstat),
	CALL(fstatfs),
	CALL(fallocate),
	CALL(fsync),
	CALL(fdatasync),
	CALL(fadvise64),
	CALL(close),
	/* what comes for lkl sh, and its place */
	CALL(dup3),
	CALL(recvmsg),
	/* an image behind an NBD server, to which it is connected */
	CALL(recvfrom),
	CALL(sendto),
	CALL(poll),
	/* the kernel's RAM, and the C library's */
	CALL(memfd_create),
	CALL(ftruncate),
	CALL(munmap),
	CALL(madvise),
	CALL(mremap),
	CALL(brk),
	/* threads and time */
	CALL(futex),
	CALL(futex_waitv),
	CALL(set_robust_list),
	CALL(rseq),
	CALL(sched_yield),
	CALL(sched_getaffinity),
	CALL(membarrier),
	CALL(clock_gettime),
	CALL(clock_nanosleep),
	CALL(restart_syscall),
	CALL(getpid),
	CALL(gettid),
	CALL(exit),
	CALL(exit_group),
	/* signals */
	CALL(rt_sigaction),
	CALL(rt_sigprocmask),
	CALL(rt_sigreturn),
	CALL(rt_sigtimedwait),
	CALL(sigaltstack),
	CALL(getrandom),
};

/*
 * Allowed until an encrypted image is open: libcryptsetup works on a file in
 * memory, but opens that by its path.  Landlock denies all others, so there
 * must be Landlock.
 */
static const int unlocking[] = {
	CALL(openat),  CALL(newfstatat),  CALL(readlink),    CALL(mlock),
	CALL(munlock), CALL(getpriority), CALL(setpriority), CALL(getrusage),
	CALL(sysinfo), CALL(prctl),	  CALL(seccomp),
};

/*
 * Allowed with directories of the host that an image shows (see lib/hostdir).
 * Landlock keeps to these what is opened, made and removed.
 */
static const int for_dirs[] = {
	CALL(openat),	  CALL(openat2),    CALL(newfstatat), CALL(statx),
	CALL(readlinkat), CALL(getdents64), CALL(getxattr),   CALL(listxattr),
	CALL(fcntl),	  CALL(umask),	    CALL(geteuid),    CALL(getegid),
	CALL(setfsuid),	  CALL(setfsgid),   CALL(prctl),      CALL(seccomp),
};

/* And if not all of them are read-only. */
static const int for_changes[] = {
	CALL(symlinkat), CALL(mknodat),		CALL(mkdirat),
	CALL(linkat),	 CALL(unlinkat),	CALL(renameat),
	CALL(renameat2), CALL(chmod),		CALL(fchownat),
	CALL(utimensat), CALL(setxattr),	CALL(removexattr),
	CALL(pwritev),	 CALL(copy_file_range),
};

/* Allowed if one argument, masked, has a value. */
static const struct {
	int call;
	struct scmp_arg_cmp arg;
} restricted[] = {
	{ CALL(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0) },
	{ CALL(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0) },
	{ CALL(clone),
	  SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD) },
	/* its own limits: RAM is a file, whose size may be limited */
	{ CALL(prlimit64), SCMP_A0(SCMP_CMP_EQ, 0) },
	{ CALL(fcntl), SCMP_A1(SCMP_CMP_EQ, F_GETFD) },
	{ CALL(fcntl), SCMP_A1(SCMP_CMP_EQ, F_GETFL) },
	/* the size of the kernel's RAM is sealed */
	{ CALL(fcntl), SCMP_A1(SCMP_CMP_EQ, F_ADD_SEALS) },
	{ CALL(ioctl), SCMP_A1(SCMP_CMP_EQ, BLKGETSIZE64) },
	{ CALL(ioctl), SCMP_A1(SCMP_CMP_EQ, BLKSSZGET) },
	{ CALL(ioctl), SCMP_A1(SCMP_CMP_EQ, BLKPBSZGET) },
	{ CALL(ioctl), SCMP_A1(SCMP_CMP_EQ, BLKROGET) },
	{ CALL(ioctl), SCMP_A1(SCMP_CMP_EQ, BLKDISCARD) },
};

/* No call that takes a path is left. */
static bool confined;

/*
 * The C library implements fstat() by a call that could also take a path.  So
 * for the libraries too, these go before its own; outside the sandbox, whatever
 * comes next serves, as fakeroot may.
 */
#define NEXT(name, ...)                                                        \
	do {                                                                   \
		static __typeof__(name) *next;                                 \
		if (!confined && !next)                                        \
			next = dlsym(RTLD_NEXT, #name);                        \
		if (!confined && next)                                         \
			return next(__VA_ARGS__);                              \
	} while (0)

__attribute__((visibility("default"))) int fstat(int fd, struct stat *st)
{
	NEXT(fstat, fd, st);
	return syscall(SYS_fstat, fd, st);
}

__attribute__((visibility("default"))) int fstat64(int fd, struct stat64 *st)
{
	NEXT(fstat64, fd, st);
	return syscall(SYS_fstat, fd, st);
}

/* What may be done in a directory that is shown, of what @all has. */
static int allow_dir(int rules, const struct sandbox_dir *dir, uint64_t all)
{
	struct landlock_path_beneath_attr beneath = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE |
				  LANDLOCK_ACCESS_FS_READ_DIR,
		.parent_fd = open(dir->path, O_PATH | O_CLOEXEC),
	};
	int err = 0;

	/* who mounts it says that it is not there, or no directory */
	if (beneath.parent_fd < 0)
		return 0;
	if (!dir->readonly)
		beneath.allowed_access = all & ~LANDLOCK_ACCESS_FS_EXECUTE;
	if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
		    &beneath, 0) &&
	    errno != EINVAL)
		err = -1;
	close(beneath.parent_fd);
	return err;
}

/*
 * No file can be opened by its path, not even with a hole in the filter.  With
 * @must it is an error if the host cannot deny that.
 */
static int deny_files(bool must, const struct sandbox_dir *dirs)
{
	int version = dirs ? syscall(SYS_landlock_create_ruleset, NULL, 0,
				     LANDLOCK_CREATE_RULESET_VERSION)
			   : 1;
	struct landlock_ruleset_attr all = {
		.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1,
	};
	int fd, err = 0;

	/* to rename from one directory to another, and to truncate */
	if (version >= 2)
		all.handled_access_fs |= REFER;
	if (version >= 3)
		all.handled_access_fs |= TRUNCATE;
	fd = syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);

	if (fd < 0) { /* an old kernel, or one that was told not to */
		if (errno != ENOSYS && errno != EOPNOTSUPP)
			return -1;
		if (!must)
			return 0;
		tool_error("cannot %s in the sandbox: the host has no Landlock "
			   "(--no-sandbox does without)",
			   dirs ? "show a directory" : "unlock an image");
		return 1;
	}
	for (; !err && dirs && dirs->path; dirs++)
		err = allow_dir(fd, dirs, all.handled_access_fs);
	if (!err)
		err = syscall(SYS_landlock_restrict_self, fd, 0);
	close(fd);
	return err;
}

/* Root's files in directories that are shown have owners. */
#define FOR_DIRS                                                               \
	(1U << CAP_CHOWN | 1U << CAP_DAC_OVERRIDE |                            \
	 1U << CAP_DAC_READ_SEARCH | 1U << CAP_FOWNER | 1U << CAP_FSETID |     \
	 1U << CAP_SETUID | 1U << CAP_SETGID | 1U << CAP_SETPCAP |             \
	 1U << CAP_MKNOD)

static int drop_capabilities(bool dirs)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct caps[2], none[2] = { 0 };

	if (dirs && !syscall(SYS_capget, &header, caps)) {
		none[0].permitted = caps[0].permitted & FOR_DIRS;
		none[0].effective = caps[0].effective & FOR_DIRS;
	}
	return syscall(SYS_capset, &header, none);
}

static int add_calls(scmp_filter_ctx ctx, const int *calls, size_t count)
{
	int err = 0;

	for (size_t n = 0; !err && n < count; n++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[n], 0);
	return err;
}

#define ADD_CALLS(ctx, calls)                                                  \
	add_calls(ctx, calls, sizeof(calls) / sizeof(*(calls)))

/* Directories that are shown, and whether something in them may be changed. */
static bool with_dirs, with_changes;

static int filter_calls(bool unlock)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int err = ctx ? 0 : -ENOMEM;

	/* the second time there are other threads */
	if (!err)
		err = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!err && unlock)
		err = ADD_CALLS(ctx, unlocking);
	if (!err && with_dirs)
		err = ADD_CALLS(ctx, for_dirs);
	if (!err && with_dirs)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(unshare), 1,
				       SCMP_A0(SCMP_CMP_EQ, CLONE_FS));
	if (!err && with_changes)
		err = ADD_CALLS(ctx, for_changes);
	if (!err)
		err = ADD_CALLS(ctx, allowed);
	for (size_t n = 0; !err && n < sizeof(restricted) / sizeof(*restricted);
	     n++)
		err = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW,
					     restricted[n].call, 1,
					     &restricted[n].arg);
	/* signals, to the server's own threads only */
	if (!err)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(tgkill), 1,
				       SCMP_A0(SCMP_CMP_EQ, getpid()));
	if (!err)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW,
				       CALL(rt_tgsigqueueinfo), 1,
				       SCMP_A0(SCMP_CMP_EQ, getpid()));
	if (!err)
		err = seccomp_load(ctx);
	seccomp_release(ctx);
	errno = -err;
	return err;
}

static int failed(void)
{
	tool_error("cannot enter the sandbox: %s (--no-sandbox does without)",
		   strerror(errno));
	return -1;
}

/*
 * What this process opens is marked to be closed when a program is executed, so
 * what is not came from the program that started this one.
 */
static bool is_inherited(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	return flags >= 0 && !(flags & FD_CLOEXEC);
}

int sandbox_write_only(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
}

int sandbox_descriptors(bool input)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *de;
	int err = null < 0 || !dir ? errno : 0;

	if (!err && !input && dup2(null, STDIN_FILENO) < 0)
		err = errno;
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
		int out = isatty(fd) ? sandbox_write_only(fd) : -1;

		if (out >= 0 && dup2(out, fd) < 0)
			err = errno;
		if (out >= 0)
			close(out);
	}
	while (dir && (de = readdir(dir))) {
		int fd = atoi(de->d_name);

		if (fd > STDERR_FILENO && is_inherited(fd))
			close(fd);
	}
	if (dir)
		closedir(dir);
	if (null > STDERR_FILENO)
		close(null);
	if (err)
		tool_error("cannot close what was inherited: %s",
			   strerror(err));
	return err ? -1 : 0;
}

int sandbox_enter(bool unlock, const struct sandbox_dir *dirs)
{
	int ret;

	with_dirs = dirs;
	for (const struct sandbox_dir *d = dirs; d && d->path; d++)
		with_changes |= !d->readonly;
	/* pthread_cancel() would load it when it is too late */
	dlopen("libgcc_s.so.1", RTLD_NOW);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || drop_capabilities(dirs))
		return failed();
	ret = deny_files(unlock || dirs, dirs);
	if (ret > 0)
		return -1;
	if (ret || filter_calls(unlock))
		return failed();
	confined = !dirs;
	return 0;
}

int sandbox_tighten(void)
{
	return filter_calls(false) ? failed() : 0;
}
