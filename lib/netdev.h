/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The network device: what runs it (net.c), its queues and capture (netdev/),
 * and how it is set up (netdev.c).
 */
#ifndef LIB_NETDEV_H
#define LIB_NETDEV_H

#include "../host/linux/linux.h"
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

struct net;

/*
 * A pair of queues, with a wire and threads of its own.
 *
 * @net: the interface
 * @index: number of the pair
 * @nd: its wire
 * @virtqs: its rings
 * @guards: of the rings
 * @part: pieces of a received frame that is not all there yet, for the capture
 * @parts: number of elements of @part
 * @part_len: bytes of them
 * @part_left: buffers that are missing
 * @blocked: head of the frame that the wire had no room for, or -1
 * @held: states of the guards when the device is resumed
 * @unlent: head of the receive buffer that the wire had no room for, or -1
 * @turn: counts what was received, by which the wires take turns
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
struct pair {
	struct net *net;
	unsigned int index;
	struct lkl_netdev *nd;
	struct lkl_virtq *virtqs;
	int guards[QUEUES];
	struct iovec part[TX_IOV];
	unsigned int parts;
	unsigned int part_len;
	unsigned int part_left;
	struct rx rx;
	int blocked;
	int held[QUEUES];
	int unlent;
	unsigned int turn;
	int room;
	int again;
	struct listen_source listener;
	bool listens;
	int paused;
	unsigned long listened;
	int work[QUEUES];
	int ended;
	int owed;
	lkl_thread_t threads[QUEUES];
};

/*
 * @nd: the wire, of the first pair
 * @skip: how much of a frame the wire does not carry
 * @pcap: file that frames are written to
 * @frozen: what is remembered of it, or NULL
 * @virtqs: of all pairs, and the control queue if there are several
 * @gone: the wire has hung up
 * @stop: the kernel has ended
 * @active: pairs that the driver uses
 * @n: pairs that there are
 */
struct net {
	struct lkl_vdev vdev;
	struct lkl_netdev *nd;
	struct lkl_virtio_net_config config;
	unsigned int skip;
	struct pcap pcap;
	struct net_state *frozen;
	struct lkl_virtq *virtqs;
	int gone;
	int stop;
	unsigned int active;
	unsigned int n;
	struct pair pairs[];
};

#define for_each_pair(at, net) \
	for (at = (net)->pairs; at < (net)->pairs + (net)->n; at++)

/* Pairs at most: a queue is a bit in a word. */
#define MAX_PAIRS ((LKL_VIRTIO_MAX_QUEUES - 1) / QUEUES)

static inline struct net *to_net(struct lkl_vdev *vdev)
{
	return (struct net *)((char *)vdev - offsetof(struct net, vdev));
}

/**
 * net_new() - make a device
 * @nd: its wire, or the first of several
 *
 * Return: the device, or NULL with errno set
 */
struct net *net_new(struct lkl_netdev *nd);

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
