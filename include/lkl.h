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
 *host's.
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
static inline long lkl_sys_send(int fd, const void *buf, unsigned long len,
				unsigned int flags)
{
	return lkl_sys_sendto(fd, buf, len, flags, 0, 0);
}

/* recvfrom() without address */
static inline long lkl_sys_recv(int fd, void *buf, unsigned long len,
				unsigned int flags)
{
	return lkl_sys_recvfrom(fd, buf, len, flags, 0, 0);
}

/* mmap() with the offset in pages of 4096 bytes */
static inline long lkl_sys_mmap2(void *addr, unsigned long length, int prot,
				 int flags, int fd, lkl_off_t pgoff)
{
	return lkl_sys_mmap(addr, length, prot, flags, fd, pgoff << 12);
}

/*
 * Disks and file systems; the disks themselves are in lkl_host.h
 */

struct lkl_dir;

/**
 * lkl_encode_dev_from_sysfs - read a device number from a file of sysfs
 * @path: a file "dev" that holds MAJOR:MINOR
 * @pdevid: where to store the number, as mknod() takes it
 *
 * Return: 0 or a negative error number
 */
int lkl_encode_dev_from_sysfs(const char *path, uint32_t *pdevid);

/**
 * lkl_get_virtio_blkdev - device number of a disk or of one of its partitions
 * @disk_id: what lkl_disk_add() returned
 * @part: number of the partition, 0 for the whole disk
 * @pdevid: where to store the device number, as mknod() takes it
 *
 * Mounts sysfs on /sysfs unless it is there.
 *
 * Return: 0, -LKL_ENODEV without such a disk, -LKL_ENXIO without such a
 * partition, or another negative error number
 */
int lkl_get_virtio_blkdev(int disk_id, unsigned int part, uint32_t *pdevid);

/**
 * lkl_mount_dev - mount a disk or a partition
 * @disk_id: what lkl_disk_add() returned
 * @part: number of the partition, 0 for the whole disk
 * @fs_type: type of the file system
 * @flags: LKL_MS_*
 * @opts: options of the file system, or NULL
 * @mnt_str: where to store the path that it is mounted on
 * @mnt_str_len: size of @mnt_str
 *
 * Makes the device node and the mount point that it needs.
 *
 * Return: 0 or a negative error number
 */
long lkl_mount_dev(unsigned int disk_id, unsigned int part, const char *fs_type,
		   int flags, const char *opts, char *mnt_str,
		   unsigned int mnt_str_len);

/**
 * lkl_umount_dev - undo lkl_mount_dev()
 * @disk_id: the disk
 * @part: the partition
 * @flags: as of umount2()
 * @timeout_ms: how long to try again while the file system is busy
 *
 * Return: 0 or a negative error number
 */
long lkl_umount_dev(unsigned int disk_id, unsigned int part, int flags,
		    long timeout_ms);

/**
 * lkl_umount_timeout - unmount what is mounted on a path, with patience
 * @path: the path
 * @flags: as of umount2()
 * @timeout_ms: how long to try again while the file system is busy
 *
 * Return: 0, -LKL_EBUSY after the timeout, or another negative error number
 */
long lkl_umount_timeout(const char *path, int flags, long timeout_ms);

/**
 * lkl_mount_fs - mount a file system that needs no disk
 * @fstype: its type, like "proc"; it is mounted on /proc then
 *
 * "sysfs" is mounted on /sysfs.
 *
 * Return: 0, 1 when it was mounted already, or a negative error number
 */
int lkl_mount_fs(const char *fstype);

/**
 * lkl_opendir - open a directory for reading
 * @path: the directory
 * @err: where to store 0 or a negative error number
 *
 * Return: the directory, or NULL
 */
struct lkl_dir *lkl_opendir(const char *path, int *err);

/**
 * lkl_fdopendir - read the directory that a descriptor is open on
 * @fd: the descriptor; belongs to the result on success
 * @err: where to store 0 or a negative error number
 *
 * Return: the directory, or NULL
 */
struct lkl_dir *lkl_fdopendir(int fd, int *err);

/**
 * lkl_readdir - get the next entry of a directory
 * @dir: the directory
 *
 * Return: the entry, valid until the next call, or NULL at the end or after an
 * error; lkl_errdir() tells which
 */
struct lkl_linux_dirent64 *lkl_readdir(struct lkl_dir *dir);

/**
 * lkl_rewinddir - begin again with the first entry
 * @dir: the directory
 */
void lkl_rewinddir(struct lkl_dir *dir);

/**
 * lkl_closedir - close a directory
 * @dir: the directory
 *
 * Return: 0 or a negative error number
 */
int lkl_closedir(struct lkl_dir *dir);

/**
 * lkl_errdir - what the last lkl_readdir() met
 * @dir: the directory
 *
 * Return: 0 or a negative error number
 */
int lkl_errdir(struct lkl_dir *dir);

/**
 * lkl_dirfd - the descriptor of a directory
 * @dir: the directory
 *
 * Return: the descriptor, which remains the directory's
 */
int lkl_dirfd(struct lkl_dir *dir);

/**
 * lkl_set_fd_limit - set how many descriptors may be open in the kernel
 * @limit: the number
 *
 * Return: 0 or a negative error number
 */
int lkl_set_fd_limit(unsigned int limit);

/*
 * Configuration of the network.  Addresses are in network byte order, @af is
 * LKL_AF_INET or LKL_AF_INET6, and all happens in the network namespace of the
 * calling thread.  The devices themselves are in lkl_host.h.
 */

/**
 * lkl_ifname_to_ifindex - index of an interface
 * @name: its name, like "eth0"
 *
 * Return: the index, -LKL_ENODEV, or another negative error number
 */
int lkl_ifname_to_ifindex(const char *name);

/**
 * lkl_if_up - activate an interface
 * @ifindex: the interface; 1 is the loopback interface
 *
 * Return: 0 or a negative error number
 */
int lkl_if_up(int ifindex);

/**
 * lkl_if_down - deactivate an interface
 * @ifindex: the interface
 *
 * Return: 0 or a negative error number
 */
int lkl_if_down(int ifindex);

/**
 * lkl_if_set_mtu - set the size of the largest packet
 * @ifindex: the interface
 * @mtu: the size in bytes
 *
 * Return: 0, -LKL_EINVAL for a size that the device cannot do, or another
 * negative error number
 */
int lkl_if_set_mtu(int ifindex, int mtu);

/**
 * lkl_if_set_ipv4 - give an interface an IPv4 address
 * @ifindex: the interface
 * @addr: the address
 * @masklen: bits of it that make the network
 *
 * Other addresses stay, and having this one already is no error.
 *
 * Return: 0 or a negative error number
 */
int lkl_if_set_ipv4(int ifindex, unsigned int addr, unsigned int masklen);

/**
 * lkl_set_ipv4_gateway - set the IPv4 default route
 * @gw: the gateway, which must be in reach of an active interface
 *
 * Return: 0, -LKL_ENETUNREACH, or another negative error number
 */
int lkl_set_ipv4_gateway(unsigned int gw);

/**
 * lkl_if_set_ipv4_gateway - set a gateway for traffic from an address
 * @ifindex: the interface that has the address
 * @addr: the address
 * @masklen: bits of it that make the network, which is in direct reach
 * @gw: the gateway for all else
 *
 * The routes are in table 2 * ifindex, which a rule selects for packets from
 * @addr.
 *
 * Return: 0, or a negative error number and nothing has changed
 */
int lkl_if_set_ipv4_gateway(int ifindex, unsigned int addr,
			    unsigned int masklen, unsigned int gw);

/**
 * lkl_if_set_ipv6 - give an interface an IPv6 address
 * @ifindex: the interface
 * @addr: the address, 16 bytes
 * @plen: bits of it that make the network
 *
 * If the interface is up and has a link, waits as lkl_if_wait_ipv6_dad() does.
 *
 * Return: 0 or a negative error number
 */
int lkl_if_set_ipv6(int ifindex, const void *addr, unsigned int plen);

/**
 * lkl_set_ipv6_gateway - set the IPv6 default route
 * @gw: the gateway, 16 bytes
 *
 * Return: 0 or a negative error number
 */
int lkl_set_ipv6_gateway(const void *gw);

/**
 * lkl_if_set_ipv6_gateway - set a gateway for traffic from an address
 * @ifindex: the interface that has the address
 * @addr: the address, 16 bytes
 * @plen: bits of it that make the network, which is in direct reach
 * @gw: the gateway for all else, 16 bytes
 *
 * As lkl_if_set_ipv4_gateway(), with table 2 * ifindex + 1.
 *
 * Return: 0, or a negative error number and nothing has changed
 */
int lkl_if_set_ipv6_gateway(int ifindex, const void *addr, unsigned int plen,
			    const void *gw);

/**
 * lkl_if_add_ip - add an address to an interface
 * @ifindex: the interface
 * @af: family of the address
 * @addr: the address
 * @plen: bits of it that make the network
 *
 * Return: 0, -LKL_EEXIST, or another negative error number
 */
int lkl_if_add_ip(int ifindex, int af, const void *addr, unsigned int plen);

/**
 * lkl_if_del_ip - remove an address from an interface
 * @ifindex: the interface
 * @af: family of the address
 * @addr: the address
 * @plen: bits of it that make the network
 *
 * Return: 0, -LKL_EADDRNOTAVAIL, or another negative error number
 */
int lkl_if_del_ip(int ifindex, int af, const void *addr, unsigned int plen);

/**
 * lkl_add_gateway - add a default route
 * @af: family of the address
 * @gw: the gateway
 *
 * Return: 0, -LKL_EEXIST if there is a default route, or another negative error
 * number
 */
int lkl_add_gateway(int af, const void *gw);

/**
 * lkl_if_add_rule_from_saddr - have an interface's routing table used
 * @ifindex: the interface; its table is 2 * ifindex, for IPv6 one more
 * @af: family of the address
 * @saddr: packets from this address will be routed by the table
 *
 * Return: 0, -LKL_EEXIST, or another negative error number
 */
int lkl_if_add_rule_from_saddr(int ifindex, int af, const void *saddr);

/**
 * lkl_if_add_gateway - add a default route to an interface's routing table
 * @ifindex: the interface
 * @af: family of the address
 * @gw: the gateway
 *
 * Return: 0, -LKL_EEXIST, or another negative error number
 */
int lkl_if_add_gateway(int ifindex, int af, const void *gw);

/**
 * lkl_if_add_linklocal - add a network in direct reach to an interface's
 *	routing table
 * @ifindex: the interface
 * @af: family of the address
 * @addr: an address in the network
 * @plen: bits of it that make the network
 *
 * Return: 0, -LKL_EEXIST, or another negative error number
 */
int lkl_if_add_linklocal(int ifindex, int af, const void *addr, int plen);

/**
 * lkl_add_neighbor - tell the link-layer address of a neighbour, for ever
 * @ifindex: the interface
 * @af: family of the address
 * @ip: the neighbour's address
 * @mac: its link-layer address, 6 bytes
 *
 * Return: 0 or a negative error number
 */
int lkl_add_neighbor(int ifindex, int af, const void *ip, const void *mac);

/**
 * lkl_if_wait_ipv6_dad - wait until an IPv6 address can be used
 * @ifindex: the interface
 * @addr: the address, 16 bytes
 *
 * Sleeps until the kernel knows that nobody else on the link has it.
 *
 * Return: 0, -LKL_EADDRNOTAVAIL if the interface does not have it or somebody
 * else does, -LKL_ENETDOWN if the interface is down or has no link and so
 * cannot ask, -LKL_ETIMEDOUT after 10 s, or another negative error number
 */
int lkl_if_wait_ipv6_dad(int ifindex, const void *addr);

/**
 * lkl_qdisc_add - set a queueing discipline, or a class of one
 * @ifindex: the interface
 * @root: where, usually "root".  More is said in the words of tc(8): "ingress",
 *	"root handle 1:", "parent 1: classid 1:10"
 * @type: what: any kind that the kernel knows, like "fq".  fq, fq_codel, netem,
 *	tbf, and htb with its classes, may have tc's options behind, like
 *	"netem delay 10ms loss 1%"
 *
 * Replaces what is there.
 *
 * Return: 0, -LKL_EINVAL for words or values that are not understood,
 * -LKL_ENOENT for an unknown kind, or another negative error number
 */
int lkl_qdisc_add(int ifindex, const char *root, const char *type);

/**
 * lkl_qdisc_parse_add - set several queueing disciplines and classes
 * @ifindex: the interface
 * @entries: "root|fq" or "root handle 1:|htb default 10; parent 1: classid
 *	1:10|htb rate 10mbit"; see lkl_qdisc_add()
 *
 * Stops at the first failure, and says on standard error what was wrong.
 */
void lkl_qdisc_parse_add(int ifindex, const char *entries);

/**
 * lkl_sysctl - change a setting of the kernel
 * @path: its name, "net.ipv4.tcp_wmem", as of sysctl(8)
 * @value: its value
 *
 * Needs no mounted proc.
 *
 * Return: 0, -LKL_ENOENT without such a setting, -LKL_EINVAL for a bad value,
 * or another negative error number
 */
int lkl_sysctl(const char *path, const char *value);

/**
 * lkl_sysctl_parse_write - change several settings
 * @sysctls: "net.ipv4.tcp_sack=1;net.core.somaxconn=100"
 *
 * Stops at the first failure, and says on standard error what was wrong.
 */
void lkl_sysctl_parse_write(const char *sysctls);

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
