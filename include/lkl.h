/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Linux as a library: a Linux kernel inside this process.
 *
 *	lkl_init(&lkl_host_ops);
 *	lkl_start_kernel("mem=64M");
 *	fd = lkl_sys_open("/file", LKL_O_RDWR | LKL_O_CREAT, 0600);
 *	...
 *	lkl_sys_halt();
 *	lkl_cleanup();
 *
 * All that is the kernel's carries its prefix: lkl_sys_NAME() makes the system
 * call NAME, struct lkl_NAME and LKL_NAME are its types and constants, as they
 * are in <lkl/linux/...> and <lkl/asm/...>.  They can be used beside the
 * host's.
 *
 * Functions return a negative error number, -LKL_Exxx, when they fail.
 */
#ifndef LKL_H
#define LKL_H

#include <stdint.h>

#pragma GCC visibility push(default)

#include <lkl_host.h>

#include <lkl/asm/ioctls.h>
#include <lkl/asm/syscalls.h>
#if __has_include(<lkl/linux/eventfd.h>)
#include <lkl/linux/eventfd.h>
#endif
#include <lkl/linux/falloc.h>
#include <lkl/linux/fanotify.h>
#include <lkl/linux/icmp.h>
#include <lkl/linux/if.h>
#include <lkl/linux/if_addr.h>
#include <lkl/linux/if_arp.h>
#include <lkl/linux/if_ether.h>
#include <lkl/linux/if_link.h>
#include <lkl/linux/if_packet.h>
#include <lkl/linux/if_tun.h>
#include <lkl/linux/in.h>
#include <lkl/linux/in6.h>
#include <lkl/linux/inotify.h>
#include <lkl/linux/ip.h>
#include <lkl/linux/ipv6.h>
#include <lkl/linux/kdev_t.h>
#include <lkl/linux/limits.h>
#include <lkl/linux/loop.h>
#include <lkl/linux/memfd.h>
#include <lkl/linux/neighbour.h>
#include <lkl/linux/netlink.h>
#include <lkl/linux/prctl.h>
#include <lkl/linux/random.h>
#include <lkl/linux/reboot.h>
#include <lkl/linux/route.h>
#include <lkl/linux/rtnetlink.h>
#include <lkl/linux/signalfd.h>
#include <lkl/linux/sockios.h>
#include <lkl/linux/tcp.h>
#include <lkl/linux/timerfd.h>
#include <lkl/linux/udp.h>
#include <lkl/linux/un.h>
#include <lkl/linux/xattr.h>

#include <lkl_fs.h>
#include <lkl_net.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Life cycle
 */

/**
 * lkl_init - register the host operations
 * @ops: usually &lkl_host_ops; must stay valid until lkl_cleanup()
 *
 * Comes before anything else.  From here on the library looks at SIGSEGV and
 * SIGBUS first, and passes on what is not the kernel's.  A forked child may
 * call it anew, or leave that.
 *
 * Thread-safe, as are the other functions of the life cycle.  A signal handler
 * that has interrupted one of them, or a call, gets -LKL_EDEADLK.
 *
 * Return: 0, -LKL_EBUSY when it has been done, or another negative error number
 */
int lkl_init(struct lkl_host_operations *ops);

/**
 * lkl_start_kernel - boot
 * @cmdline_fmt: kernel command line such as "mem=64M loglevel=4", a format as
 *	of printf()
 *
 * Return: 0 when the kernel answers system calls, -LKL_EBUSY when one runs
 * already, or another negative error number
 */
__attribute__((format(printf, 1, 2))) int
lkl_start_kernel(const char *cmdline_fmt, ...);

/**
 * lkl_prepare_kernel - look for what makes lkl_start_kernel() fast
 * @cmdline_fmt: as it will be given
 *
 * If the environment has LKL_SNAPSHOT=yes, lkl_start_kernel() starts from a
 * file, which the first start of the user's makes.  To be called after
 * lkl_init() by a process that will not be able to open files any more.  The
 * file is made if it is not there, by a process that is forked for it.  Without
 * the variable nothing is done.
 *
 * Return: 0, also if there is no such file; -LKL_EBUSY when a kernel runs; or
 * another negative error number
 */
__attribute__((format(printf, 1, 2))) int
lkl_prepare_kernel(const char *cmdline_fmt, ...);

/**
 * lkl_is_running - does the kernel answer system calls?
 *
 * Return: 1 between a successful lkl_start_kernel() and lkl_sys_halt(), else 0
 */
int lkl_is_running(void);

/**
 * lkl_sys_halt - flush file systems, halt the kernel, and end its host threads
 *
 * System calls fail afterwards.  The kernel can be started again.
 *
 * Return: 0, -LKL_ENOSYS when none runs, also because another thread has just
 * halted it, or another negative error number
 */
long lkl_sys_halt(void);

/**
 * lkl_freeze - remember the state of the kernel, to return to with lkl_reset()
 *
 * The state is all that the kernel knows and all that its disks hold: mounted
 * file systems with what they have cached, open descriptors, sockets, timers,
 * the clocks. The kernel goes on running.  Until lkl_thaw() what it writes to
 * disks is kept in memory, and disks and network interfaces can neither be
 * added nor removed.
 *
 * What is not the kernel's is not part of the state: the memory of the
 * application, and what is on its way on a wire.
 *
 * Return: 0; -LKL_EBUSY when a state is remembered already, another thread is
 * in a call, or the kernel or a device does not come to rest; -LKL_EOPNOTSUPP
 * when there is a device that cannot be frozen, or the host does not know how;
 * -LKL_ENOSYS when no kernel runs; or another negative error number
 */
int lkl_freeze(void);

/**
 * lkl_reset - return to the state that lkl_freeze() has remembered
 *
 * May be called as often as wanted, by any thread.  Calls that other threads
 * are in end with -LKL_ESHUTDOWN.  Memory that lkl_sys_mmap() has returned
 * since is gone, and older memory has the contents that it had.  The kernel's
 * clocks go on from when it was frozen, and its random numbers repeat, unless
 * it is given new ones (RNDADDENTROPY and RNDRESEEDCRNG on /dev/urandom).
 *
 * Return: 0, -LKL_EINVAL when no state is remembered, -LKL_ENOSYS when no
 * kernel runs, or -LKL_EBUSY when there are several virtual CPUs that are never
 * free at one moment
 */
int lkl_reset(void);

/**
 * lkl_thaw - forget the state
 *
 * The kernel goes on as it is, and what was written to disks is written to
 * where they are.  To discard it, call lkl_reset() before.  lkl_sys_halt() does
 * the same first.
 *
 * Return: 0, -LKL_EINVAL when no state is remembered, -LKL_ENOSYS when no
 * kernel runs, -LKL_EBUSY as above, -LKL_EIO when a disk cannot be written to
 * or -LKL_ENOMEM, and then the state is remembered still
 */
int lkl_thaw(void);

/**
 * lkl_cleanup - undo lkl_init()
 *
 * Removes all disks and network interfaces.  Afterwards everything can begin
 * again with lkl_init().  Does nothing while a kernel runs.
 */
void lkl_cleanup(void);

/*
 * Messages
 */

/**
 * lkl_strerror - describe an error
 * @err: error number, with or without its minus sign
 *
 * Return: a constant string, also for numbers that are none
 */
const char *lkl_strerror(int err);

/**
 * lkl_perror - print a message and what went wrong to standard error
 * @msg: the message
 * @err: error number, with or without its minus sign
 */
void lkl_perror(const char *msg, int err);

/**
 * lkl_printf - print to the kernel's console, &lkl_host_operations.print
 * @fmt: as of printf()
 *
 * Return: number of characters, 0 when the console is silenced, or negative
 */
__attribute__((format(printf, 1, 2))) int lkl_printf(const char *fmt, ...);

/**
 * lkl_bug - print to standard error why the program cannot go on, and panic
 * @fmt: as of printf()
 */
__attribute__((format(printf, 1, 2))) void lkl_bug(const char *fmt, ...);

/**
 * lkl_register_dbg_handler - have Ctrl-Z tell what the kernel is doing
 *
 * From here on SIGTSTP prints the kernel's last messages, its tasks and where
 * they wait to standard error, also while the kernel hangs.
 */
void lkl_register_dbg_handler(void);

/*
 * Short forms of system calls that the kernel has under another name only
 */

/* umount2() */
static inline long lkl_sys_umount(const char *path, int flags)
{
	return lkl_sys_umount2(path, flags);
}

/* newfstatat() */
static inline long lkl_sys_fstatat(int dfd, const char *path,
				   struct lkl_stat *buf, int flags)
{
	return lkl_sys_newfstatat(dfd, path, buf, flags);
}

/* sendto() without address */
static inline lkl_long_t lkl_sys_send(int fd, const void *buf, lkl_ulong_t len,
				      unsigned int flags)
{
	return lkl_sys_sendto(fd, buf, len, flags, 0, 0);
}

/* recvfrom() without address */
static inline lkl_long_t lkl_sys_recv(int fd, void *buf, lkl_ulong_t len,
				      unsigned int flags)
{
	return lkl_sys_recvfrom(fd, buf, len, flags, 0, 0);
}

/* mmap() with the offset in pages of 4096 bytes */
static inline lkl_long_t lkl_sys_mmap2(void *addr, lkl_ulong_t length, int prot,
				       int flags, int fd, lkl_off_t pgoff)
{
	return lkl_sys_mmap(addr, length, prot, flags, fd, pgoff << 12);
}

/**
 * lkl_change_tls_mode - do nothing
 *
 * Programs call it to choose how the library keeps data of threads.  There is
 * nothing to choose: one way works in all programs.
 */
static inline void lkl_change_tls_mode(void)
{
}

#ifdef __cplusplus
}
#endif

#pragma GCC visibility pop

#endif /* LKL_H */
