// SPDX-License-Identifier: GPL-2.0-only
/*
 * An AF_XDP socket with its memory and rings, which libxdp makes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../load.h"
#include "../message.h"
#include "xdp.h"

#define AREA (2UL * XDP_CHUNKS * XDP_CHUNK)

static struct {
	int (*umem_create)(struct xsk_umem **umem, void *area, __u64 size,
			   struct xsk_ring_prod *fill,
			   struct xsk_ring_cons *comp,
			   const struct xsk_umem_config *config);
	int (*umem_delete)(struct xsk_umem *umem);
	int (*create)(struct xsk_socket **xsk, const char *ifname, __u32 queue,
		      struct xsk_umem *umem, struct xsk_ring_cons *rx,
		      struct xsk_ring_prod *tx,
		      const struct xsk_socket_config *config);
	void (*delete)(struct xsk_socket *xsk);
	int (*fd)(const struct xsk_socket *xsk);
} lib;

static const char *const names[] = { "xsk_umem__create",   "xsk_umem__delete",
				     "xsk_socket__create", "xsk_socket__delete",
				     "xsk_socket__fd",	   NULL };

/* Returns 0 or a negative error number. */
static int make(struct xdp_socket *s, const char *ifname, unsigned int queue)
{
	const struct xsk_umem_config umem = { .fill_size = XDP_CHUNKS,
					      .comp_size = XDP_CHUNKS,
					      .frame_size = XDP_CHUNK };
	const struct xsk_socket_config config = {
		.rx_size = XDP_CHUNKS,
		.tx_size = XDP_CHUNKS,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = XDP_USE_NEED_WAKEUP,
	};
	int err;

	s->area = mmap(NULL, AREA, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s->area == MAP_FAILED) {
		s->area = NULL;
		return -errno;
	}
	/* A forked child is none of the host's business. */
	madvise(s->area, AREA, MADV_DONTFORK);
	err = lib.umem_create(&s->umem, s->area, AREA, &s->fill, &s->comp,
			      &umem);
	if (err) {
		s->umem = NULL;
		return err;
	}
	err = lib.create(&s->xsk, ifname, queue, s->umem, &s->rx, &s->tx,
			 &config);
	if (err)
		s->xsk = NULL;
	return err;
}

void xdp_socket_close(struct xdp_socket *s)
{
	if (s->xsk)
		lib.delete(s->xsk);
	if (s->umem)
		lib.umem_delete(s->umem);
	if (s->area)
		munmap(s->area, AREA);
	free(s);
}

/* Waits for a socket that has just been closed, as the host takes its time. */
static struct xdp_socket *try(const char *ifname, unsigned int queue, int *err)
{
	const struct timespec moment = { .tv_nsec = 10000000 };
	struct xdp_socket *s;
	unsigned int i;

	for (i = 0; i < 100; i++) {
		s = calloc(1, sizeof(*s));
		*err = s ? make(s, ifname, queue) : -ENOMEM;
		if (!*err)
			return s;
		if (s)
			xdp_socket_close(s);
		if (*err != -EBUSY)
			break;
		nanosleep(&moment, NULL);
	}
	return NULL;
}

struct xdp_socket *xdp_socket_open(const char *wire, const char *ifname,
				   unsigned int queue)
{
	struct xdp_socket *s;
	__u32 i, at;
	int err;

	if (!lkl_load(wire, "libxdp.so.1", "libxdp1", names, (void **)&lib))
		return NULL;
	s = try(ifname, queue, &err);
	if (!s) {
		lkl_message(wire, "no socket: %s",
			    xdp_error(-err, "CAP_NET_RAW"));
		return NULL;
	}
	if (!xsk_ring_prod__reserve(&s->fill, XDP_CHUNKS, &at))
		at = 0;
	for (i = 0; i < XDP_CHUNKS; i++) {
		*xsk_ring_prod__fill_addr(&s->fill, at + i) = i * XDP_CHUNK;
		s->free[i] = (XDP_CHUNKS + i) * XDP_CHUNK;
	}
	s->n_free = XDP_CHUNKS;
	xsk_ring_prod__submit(&s->fill, XDP_CHUNKS);
	return s;
}

void xdp_socket_forget(struct xdp_socket *s)
{
	close(lib.fd(s->xsk));
	s->xsk = NULL;
	s->umem = NULL;
	s->area = NULL;
}

int xdp_socket_fd(const struct xdp_socket *s)
{
	return lib.fd(s->xsk);
}
