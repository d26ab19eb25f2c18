/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the library asks of its host, and of an application that brings its own
 * devices.
 */
#ifndef LKL_HOST_H
#define LKL_HOST_H

#if __has_include(<sys/uio.h>)
#include <sys/uio.h>
#else
#include <stddef.h>
struct iovec {
	void *iov_base;
	size_t iov_len;
};
#endif
#include <lkl/asm/host_ops.h>

#pragma GCC visibility push(default)

#ifdef __cplusplus
extern "C" {
#endif

/* This host's operations; change what you like before lkl_init(). */
extern struct lkl_host_operations lkl_host_ops;

struct lkl_dev_blk_ops;

/**
 * struct lkl_disk - a disk as the application gives it
 *
 * @dev: set by lkl_disk_add()
 * @fd: image file or block device, for the default back end
 * @handle: whatever @ops wants to know the disk by
 * @ops: back end; NULL means &lkl_dev_blk_ops
 */
struct lkl_disk {
	void *dev;
	union {
		int fd;
		void *handle;
	};
	struct lkl_dev_blk_ops *ops;
};

/* Types of requests; the numbers are virtio's. */
#define LKL_DEV_BLK_TYPE_READ 0
#define LKL_DEV_BLK_TYPE_WRITE 1
#define LKL_DEV_BLK_TYPE_FLUSH 4
#define LKL_DEV_BLK_TYPE_FLUSH_OUT 5
#define LKL_DEV_BLK_TYPE_DISCARD 11
#define LKL_DEV_BLK_TYPE_WRITE_ZEROES 13

/* What a request can end with. */
#define LKL_DEV_BLK_STATUS_OK 0
#define LKL_DEV_BLK_STATUS_IOERR 1
#define LKL_DEV_BLK_STATUS_UNSUP 2
/* Only with LKL_BLK_REQ_NOWAIT: ask again without it. */
#define LKL_DEV_BLK_STATUS_AGAIN 3

/* Do it only if nothing has to be waited for. */
#define LKL_BLK_REQ_NOWAIT 1
/* The range that becomes zero need not keep its space (write zeroes). */
#define LKL_BLK_REQ_UNMAP 2

/**
 * struct lkl_blk_req - a request to a back end
 *
 * @type: LKL_DEV_BLK_TYPE_*
 * @prio: I/O priority
 * @sector: where it starts, in units of 512 bytes
 * @buf: memory to read into or write from, which the back end may modify.  For
 *	discard and write zeroes it is one element without address that tells
 *	the length
 * @count: number of elements of @buf
 * @flags: LKL_BLK_REQ_*
 */
struct lkl_blk_req {
	unsigned int type;
	unsigned int prio;
	unsigned long long sector;
	struct iovec *buf;
	int count;
	unsigned int flags;
};

/* Writing is not possible. */
#define LKL_BLK_READ_ONLY 1
/* request() knows LKL_DEV_BLK_TYPE_DISCARD. */
#define LKL_BLK_DISCARD 2
/* request() knows LKL_DEV_BLK_TYPE_WRITE_ZEROES. */
#define LKL_BLK_WRITE_ZEROES 4
/* There is no gain in several writes at a time. */
#define LKL_BLK_SERIAL_WRITES 8
/* request() knows LKL_BLK_REQ_NOWAIT for reads. */
#define LKL_BLK_NOWAIT 16
/* Reads and writes need no more time than it takes to copy. */
#define LKL_BLK_MEMORY 32

/**
 * struct lkl_blk_limits - properties of a disk
 *
 * @flags: LKL_BLK_*
 * @block_size: smallest unit of reading and writing, at least 512
 * @physical_size: unit that it is best to write in
 * @discard_size: unit that can be discarded
 * @parallel: number of threads that may call request() at a time
 * @inline_max: with LKL_BLK_NOWAIT or LKL_BLK_MEMORY, requests up to so many
 *	bytes are made on the thread that runs the kernel, in the middle of it.
 *	They must use neither locks nor thread-local storage nor the library
 */
struct lkl_blk_limits {
	unsigned int flags;
	unsigned int block_size;
	unsigned int physical_size;
	unsigned int discard_size;
	unsigned int parallel;
	unsigned int inline_max;
};

/**
 * struct lkl_dev_blk_ops - a disk back end
 *
 * @get_capacity: store the size of the disk in bytes; 0 or negative
 * @request: do a request and return its LKL_DEV_BLK_STATUS_*.  May block; runs
 *	on a thread of the disk's, and one at a time unless get_limits() allows
 *	more
 * @get_limits: change what differs from a writable disk with 512-byte sectors
 *	and no other abilities; 0 or negative.  May be NULL
 */
struct lkl_dev_blk_ops {
	int (*get_capacity)(struct lkl_disk disk, unsigned long long *bytes);
	int (*request)(struct lkl_disk disk, struct lkl_blk_req *req);
	int (*get_limits)(struct lkl_disk disk, struct lkl_blk_limits *limits);
};

/* The default back end: a file descriptor. */
extern struct lkl_dev_blk_ops lkl_dev_blk_ops;

/**
 * lkl_disk_add - give the kernel a disk
 * @disk: the disk; its @dev is set, the rest is copied
 *
 * Before boot the disk is there when the kernel starts, afterwards it is there
 * on return.  It stays across lkl_sys_halt() until lkl_disk_remove() or
 * lkl_cleanup().  The descriptor or handle remains the caller's and must
 * stay valid as long.
 *
 * Return: the disk's id, or a negative error number
 */
int lkl_disk_add(struct lkl_disk *disk);

/**
 * lkl_disk_remove - take a disk away
 * @disk: as lkl_disk_add() left it
 *
 * File systems on it should have been unmounted.  No request is on its way any
 * more on return.
 *
 * Return: 0, or a negative error number
 */
int lkl_disk_remove(struct lkl_disk disk);

/**
 * lkl_disk_nbd_open - connect to a disk that a server has, by the NBD protocol
 * @disk: filled in, for lkl_disk_add()
 * @uri: where it is: nbd://HOST/NAME, nbd+unix:///NAME?socket=PATH, ...
 *
 * Needs libnbd, which is loaded.
 *
 * Return: 0 or a negative error number
 */
int lkl_disk_nbd_open(struct lkl_disk *disk, const char *uri);

/**
 * lkl_disk_nbd_close - undo lkl_disk_nbd_open(), after lkl_disk_remove()
 * @disk: the disk
 */
void lkl_disk_nbd_close(struct lkl_disk *disk);

struct lkl_dev_net_ops;

/* tx() may be called in the middle of the kernel, see there. */
#define LKL_NETDEV_INLINE 1
/* There are no link-layer addresses on this wire: the interface is NOARP. */
#define LKL_NETDEV_NOARP 2
/* Segmentation of UDP (USO) is possible where that of TCP is. */
#define LKL_NETDEV_USO 4
/* What fd() returns is an eventfd, which need not be read. */
#define LKL_NETDEV_EDGE 8
/* The host uses memory of this process: the wire cannot go on in another one. */
#define LKL_NETDEV_STAYS 16

/**
 * struct lkl_netdev - one end of a wire
 *
 * An application with a wire of its own sets @ops, leaves zero what it has no
 * use for, and may put the structure into a larger one.
 *
 * @ops: the back end
 * @id: what lkl_netdev_add() returned
 * @has_vnet_hdr: frames begin with a struct lkl_virtio_net_hdr_v1, which
 *	offloads need
 * @flags: LKL_NETDEV_*
 * @offload: virtio-net feature bits for when lkl_netdev_add() is given none
 * @needs: those that it has in any case, as the wire does not work without
 * @mac: address for the interface, unless it is zero or another is asked for
 * @mtu: largest packet of the wire, 0 when the interface may choose
 * @ports: first and last port that the kernel may choose for connections; 0
 *	when it may choose any
 * @next: the same wire for the next pair of queues, or NULL; only @ops of it
 *	is looked at.  Frames may go by any of them, on several threads
 */
struct lkl_netdev {
	struct lkl_dev_net_ops *ops;
	int id;
	unsigned char has_vnet_hdr;
	unsigned int flags;
	unsigned int offload;
	unsigned int needs;
	unsigned char mac[6];
	unsigned short mtu;
	unsigned short ports[2];
	struct lkl_netdev *next;
};

/* What lkl_dev_net_ops.poll() reports. */
#define LKL_DEV_NET_POLL_RX 1
#define LKL_DEV_NET_POLL_TX 2
#define LKL_DEV_NET_POLL_HUP 4
#define LKL_DEV_NET_POLL_LINK 8

/**
 * struct lkl_dev_net_ops - a network back end
 *
 * Calls of one kind never overlap, those of different kinds do.
 *
 * @tx: send a frame.  Negative when that has to wait until poll() reports
 *	LKL_DEV_NET_POLL_TX; anything else when the frame is sent or lost.  With
 *	LKL_NETDEV_INLINE it may run in kernel context, and must use neither
 *	locks nor thread-local storage nor the library
 * @rx: receive a frame.  Return its length, or a negative number when there is
 *	none.  What does not fit may be lost.  Must not block
 * @poll: sleep until something happens and return a mask of what.  To receive
 *	is possible until rx() has said no, so it is enough to report what is
 *	new.  Hanging up, or a negative number, is the end of the wire
 * @poll_hup: have poll() report LKL_DEV_NET_POLL_HUP once; from any thread
 * @free: close the wire and free @nd
 * @setup: called by lkl_netdev_add() with the interface's address and its
 *	virtio-net feature bits; 0 or a negative error number.  May be NULL
 * @link: whether the wire is connected.  Asked at the start and after
 *	LKL_DEV_NET_POLL_LINK.  May be NULL
 * @fd: a descriptor of the host that is readable when there is something to
 *	receive, so that a thread that waits in a call may wait for that, too,
 *	and call rx() itself; rx() must use neither locks nor thread-local storage nor
 *	the library.  To have one thread woken and not two, poll() watches it with
 *	EPOLLEXCLUSIVE, and only from when it is called first.  May be NULL
 * @poll_rx: have poll() report LKL_DEV_NET_POLL_RX once, and watch @fd anew
 *	from when it is called next; from any thread, also in kernel context.  Only
 *	with @fd
 * @look: whether there is something to receive, which is found out without a
 *	call of the host.  If @again, it is about to be asked once more, and the
 *	other side need not make @fd readable until it was asked without, or
 *	rx() or take() had nothing.  Like rx(), and at any time.  May be NULL
 * @give: instead of @tx and @rx: use the buffers of a frame to send, if @out,
 *	or to receive into, until take() has returned @id.  1 when they are not needed
 *(any more), negative when that has to wait until poll() reports
 *	LKL_DEV_NET_POLL_TX.  For one that is received into, poll() reports
 *	LKL_DEV_NET_POLL_RX.  Like the next three it must use neither locks nor
 *	thread-local storage nor the library
 * @take: what is done with: store its @id and the bytes received, and return 1;
 *	or 0
 * @push: that was all for now.  Non-zero when there is more to take, or room
 *	that give() had not, which poll() might not report.  Without @give it is
 *	for frames to send only, and may be NULL
 * @recall: the kernel does not use the device any more: no buffer that was
 *	given is touched from here on, or returned
 * @forked: called in a forked child, which has another kernel: close the
 *	descriptors, so that the other end hears when the parent ends.  Nothing
 *	else is called there.  It must use neither locks nor the library.  May
 *	be NULL
 * @pairs: the kernel uses the first @n pairs of queues only; in kernel context.
 *	What comes by others is received, too, unless the wire has @give.  Of
 *	several wires it is called for the first, on behalf of all; so are
 *	setup(), link(), recall(), forked() and free().  May be NULL
 */
struct lkl_dev_net_ops {
	int (*tx)(struct lkl_netdev *nd, struct iovec *iov, int cnt);
	int (*rx)(struct lkl_netdev *nd, struct iovec *iov, int cnt);
	int (*poll)(struct lkl_netdev *nd);
	void (*poll_hup)(struct lkl_netdev *nd);
	void (*free)(struct lkl_netdev *nd);
	int (*setup)(struct lkl_netdev *nd, const unsigned char *mac,
		     unsigned int offload);
	int (*link)(struct lkl_netdev *nd);
	int (*fd)(struct lkl_netdev *nd);
	void (*poll_rx)(struct lkl_netdev *nd);
	int (*look)(struct lkl_netdev *nd, int again);
	int (*give)(struct lkl_netdev *nd, int out, struct iovec *iov, int cnt,
		    unsigned int id);
	int (*take)(struct lkl_netdev *nd, int out, unsigned int *id,
		    unsigned int *len);
	int (*push)(struct lkl_netdev *nd, int out);
	void (*recall)(struct lkl_netdev *nd);
	void (*forked)(struct lkl_netdev *nd);
	void (*pairs)(struct lkl_netdev *nd, unsigned int n);
};

/**
 * struct lkl_netdev_args - what an interface shall be like
 *
 * @mac: its address, 6 bytes; NULL leaves the choice to the wire
 * @offload: virtio-net feature bits: CSUM 0, GUEST_CSUM 1, GUEST_TSO4 7,
 *	GUEST_TSO6 8, HOST_TSO4 11, HOST_TSO6 12, MRG_RXBUF 15, ...
 * @pcap: name of a file into which each frame is written, as tcpdump(1) reads
 *	it; it is made anew.  NULL for none
 */
struct lkl_netdev_args {
	void *mac;
	unsigned int offload;
	const char *pcap;
};

/**
 * lkl_netdev_add - give the kernel a network interface
 * @nd: the wire, which must stay valid until lkl_netdev_remove()
 * @args: what the interface shall be like; NULL for what the wire suggests
 *
 * Before boot the interface is there when the kernel starts, afterwards it is
 * there on return.  It stays across lkl_sys_halt() until lkl_netdev_remove() or
 * lkl_cleanup().
 *
 * Return: the interface's id, or a negative error number
 */
int lkl_netdev_add(struct lkl_netdev *nd, struct lkl_netdev_args *args);

/**
 * lkl_netdev_remove - take an interface away
 * @id: what lkl_netdev_add() returned
 *
 * The wire remains, and can be added again or freed.
 */
void lkl_netdev_remove(int id);

/**
 * lkl_netdev_free - close a wire
 * @nd: the wire; its interface is removed first
 */
void lkl_netdev_free(struct lkl_netdev *nd);

/**
 * lkl_netdev_get_ifindex - number of an interface
 * @id: what lkl_netdev_add() returned
 *
 * Mounts sysfs on /sysfs unless it is there.
 *
 * Return: the index, or a negative error number
 */
int lkl_netdev_get_ifindex(int id);

/*
 * Wires.  Each function returns a new one, or NULL after a line on standard
 * error that says why not; see lkl-wires(7).
 */

/**
 * lkl_netdev_tap_create - a tap interface of the host
 * @param: its name; made if it does not exist.  With ",vhost" behind it the
 *	host's kernel reads and writes frames itself (vhost-net), with
 *	",queues=N" it has N pairs of queues
 * @offload: as in struct lkl_netdev_args
 */
struct lkl_netdev *lkl_netdev_tap_create(const char *param, int offload);

/**
 * lkl_netdev_fd_create - a descriptor that is open already
 * @fd: tap, tun or macvtap device, packet socket, datagram or stream socket.
 *	It belongs to the wire from here on, also after an error
 * @offload: as in struct lkl_netdev_args
 */
struct lkl_netdev *lkl_netdev_fd_create(int fd, int offload);

/**
 * lkl_netdev_user_create - the host's network, without any privilege
 * @forward: ports of the host to listen on for the interface, which is at
 *	10.0.2.15: "tcp:[ADDRESS:]PORT:PORT,udp:..."; NULL or empty for none
 *
 * The gateway 10.0.2.2 is the host, 10.0.2.3 its name server.
 */
struct lkl_netdev *lkl_netdev_user_create(const char *forward);

/**
 * lkl_netdev_pipe_create - two FIFOs
 * @paths: "RX|TX", what to receive from and to send to
 * @offload: as in struct lkl_netdev_args; must be the same on the other side,
 *	or none on both
 */
struct lkl_netdev *lkl_netdev_pipe_create(const char *paths, int offload);

/**
 * lkl_netdev_raw_create - an interface of the host beside the host's own stack
 * @ifname: "NAME" to have an own address there; "NAME,PORT,PORT-PORT" to share
 *	the host's addresses but have these ports, which is also what happens on
 *	interfaces without link-layer addresses.  Shared ports 61000-65535
 *	are for connections
 */
struct lkl_netdev *lkl_netdev_raw_create(const char *ifname);

/**
 * lkl_netdev_macvtap_create - a macvtap interface of the host
 * @param: its device, /dev/tapN, maybe with ",vhost" as for a tap
 * @offload: as in struct lkl_netdev_args
 */
struct lkl_netdev *lkl_netdev_macvtap_create(const char *param, int offload);

/**
 * lkl_netdev_xdp_create - a queue of an interface of the host (AF_XDP)
 * @param: "NAME" or "NAME,QUEUE"; what comes by that queue is the library's,
 *	not the host's
 */
struct lkl_netdev *lkl_netdev_xdp_create(const char *param);

/**
 * lkl_netdev_vde_create - a port of a virtual switch
 * @switch_path: its directory, or anything else that vde_plug(1) takes
 */
struct lkl_netdev *lkl_netdev_vde_create(const char *switch_path);

/**
 * lkl_netdev_wintap_create - a tap of Windows, which this host does not have
 * @ifname: its name
 *
 * Return: NULL
 */
struct lkl_netdev *lkl_netdev_wintap_create(const char *ifname);

/**
 * lkl_netdev_vhost_user_create - a virtual switch, or another program with a
 *	vhost-user back end
 * @path: the socket that it listens at, maybe with ",queues=N"
 * @offload: as in struct lkl_netdev_args; 0 for all that both sides have
 *
 * The other side maps all memory of the library's kernel.
 */
struct lkl_netdev *lkl_netdev_vhost_user_create(const char *path, int offload);

/**
 * lkl_netdev_vhost_user_server_create - be such a back end, for a virtual
 *	machine or another library
 * @path: the socket to listen at, which is made, and goes with the wire; maybe
 *	with ",queues=N"
 * @offload: as in struct lkl_netdev_args; 0 for checksums, segmentation of TCP,
 *	and merged buffers
 *
 * The link is up while another side is connected and uses its rings.
 */
struct lkl_netdev *lkl_netdev_vhost_user_server_create(const char *path,
						       int offload);

/**
 * lkl_netdev_dpdk_create - the same as lkl_netdev_vhost_user_create(), which it
 *	says
 * @ifname: the socket
 * @offload: as there
 * @mac: not used
 */
struct lkl_netdev *lkl_netdev_dpdk_create(const char *ifname, int offload,
					  unsigned char *mac);

#ifdef __cplusplus
}
#endif

#pragma GCC visibility pop

#endif /* LKL_HOST_H */
