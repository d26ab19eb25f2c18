/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The network device: what runs it (net.c), its queues and capture (netdev/),
 * and how it is set up (netdev.c).
 */
#ifndef LIB_NETDEV_H
#define LIB_NETDEV_H

#include "../host/posix/posix.h"
#include "net.h"
#include "pcap.h"
#include "virtio.h"

enum { RX, TX, QUEUES };

#define QUEUE_SIZE 256
/* Without mergeable buffers each receive buffer may hold 64 KiB. */
#define BIG_QUEUE_SIZE 64
#define RX_IOV 512
#define TX_IOV 64

/* A receive buffer that was taken off the ring. */
struct rx_buf {
	uint16_t head;
	uint16_t iovs;
	uint32_t len;
};

/*
 * @bufs, @iov: buffers to receive into next, from @first to @end
 * @bytes: what they hold
 * @spill: behind them, as a frame must not be cut short
 */
struct rx {
	struct rx_buf bufs[QUEUE_SIZE];
	struct iovec iov[RX_IOV + 1];
	unsigned int first, end;
	unsigned int iov_first, iov_end;
	size_t bytes;
	char spill[FRAME_MAX];
};

/*
 * @guards: of the rings
 * @skip: how much of a frame the wire does not carry
 * @pcap: file that frames are written to
 * @part: pieces of a received frame that is not all there yet, for that file
 * @parts: number of elements of @part
 * @part_len: bytes of them
 * @part_left: buffers that are missing
 * @blocked: head of the frame that the wire had no room for, or -1
 * @held: states of the guards when the device is resumed
 * @frozen: what is remembered of it, or NULL
 * @unlent: head of the receive buffer that the wire had no room for, or -1
 * @room: there may be room again, or something to take back
 * @again: a thread has found the receive ring's guard taken
 * @listener: threads of the application that receive
 * @listens: they may
 * @paused: they leave it to the polling thread
 * @listened: counts the bytes that they have received
 * @work: counts the kicks; the threads wait on it
 * @ended: the polling thread has ended, or there is none
 * @owed: poll() was told to hang up, and has not yet
 */
struct net {
	struct lkl_vdev vdev;
	struct lkl_netdev *nd;
	struct lkl_virtio_net_config config;
	struct lkl_virtq virtqs[QUEUES];
	int guards[QUEUES];
	unsigned int skip;
	struct pcap pcap;
	struct iovec part[TX_IOV];
	unsigned int parts;
	unsigned int part_len;
	unsigned int part_left;
	struct rx rx;
	int blocked;
	int held[QUEUES];
	struct net_state *frozen;
	int unlent;
	int room;
	int again;
	struct listen_source listener;
	bool listens;
	int paused;
	unsigned long listened;
	int work[QUEUES];
	int gone;
	int stop;
	int ended;
	int owed;
	lkl_thread_t threads[QUEUES];
};

static inline struct net *to_net(struct lkl_vdev *vdev)
{
	return (struct net *)((char *)vdev - offsetof(struct net, vdev));
}

/**
 * net_init() - prepare a new device
 * @n: the device, all zeros
 * @nd: its wire
 */
void net_init(struct net *n, struct lkl_netdev *nd);

/* Operations of the device; see struct lkl_vdev_ops. */
int net_start(struct lkl_vdev *vdev);
bool net_moves(struct lkl_vdev *vdev);
int net_moved(struct lkl_vdev *vdev);
void net_pause(struct lkl_vdev *vdev);
int net_freeze(struct lkl_vdev *vdev);
void net_reset(struct lkl_vdev *vdev);
int net_settle(struct lkl_vdev *vdev);
void net_thaw(struct lkl_vdev *vdev);
void net_resume(struct lkl_vdev *vdev);
void net_stop(struct lkl_vdev *vdev);
void net_free(struct lkl_vdev *vdev);
void net_forked(struct lkl_vdev *vdev);
void net_drain(struct lkl_vdev *vdev);
void net_kick(struct lkl_vdev *vdev, unsigned int index);

#endif /* LIB_NETDEV_H */
