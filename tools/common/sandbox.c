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
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox.h"
#include "tool.h"

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

/*
 * No file can be opened by its path, not even with a hole in the filter.  With
 * @must it is an error if the host cannot deny that.
 */
static int deny_files(bool must)
{
	struct landlock_ruleset_attr all = {
		.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1,
	};
	int fd = syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
	int err;

	if (fd < 0) { /* an old kernel, or one that was told not to */
		if (errno != ENOSYS && errno != EOPNOTSUPP)
			return -1;
		if (!must)
			return 0;
		tool_error("cannot unlock an image in the sandbox: the host "
			   "has no Landlock (--no-sandbox does without)");
		return 1;
	}
	err = syscall(SYS_landlock_restrict_self, fd, 0);
	close(fd);
	return err;
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[2] = { 0 };

	return syscall(SYS_capset, &header, none);
}

static int filter_calls(bool unlock)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int err = ctx ? 0 : -ENOMEM;

	/* the second time there are other threads */
	if (!err)
		err = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	for (size_t n = 0;
	     !err && unlock && n < sizeof(unlocking) / sizeof(*unlocking); n++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, unlocking[n], 0);
	for (size_t n = 0; !err && n < sizeof(allowed) / sizeof(*allowed); n++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[n], 0);
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

int sandbox_descriptors(bool input)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *de;
	int err = null < 0 || !dir ? errno : 0;

	if (!err && !input && dup2(null, STDIN_FILENO) < 0)
		err = errno;
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

int sandbox_enter(bool unlock)
{
	int ret;

	/* pthread_cancel() would load it when it is too late */
	dlopen("libgcc_s.so.1", RTLD_NOW);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || drop_capabilities())
		return failed();
	ret = deny_files(unlock);
	if (ret > 0)
		return -1;
	if (ret || filter_calls(unlock))
		return failed();
	confined = true;
	return 0;
}

int sandbox_tighten(void)
{
	return filter_calls(false) ? failed() : 0;
}
