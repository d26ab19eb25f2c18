// SPDX-License-Identifier: GPL-2.0-only
/*
 * What goes by is written to a capture file.
 */
#include <sys/syscall.h>

#include "parts.h"

/* Pieces of a receive buffer, at most. */
#define MAX_BUFFER_IOV 20

/* A frame goes by; its vnet header is none of it. */
void net_capture(struct net *n, const struct iovec *iov, unsigned int cnt,
		 unsigned int len)
{
	static const char full[] = "lkl: pcap: not all was written\n";

	if (!pcap_write(&n->pcap, iov, cnt, n->nd->has_vnet_hdr ? VNET_HDR : 0,
			len))
		raw_syscall(SYS_write, 2, (long)full, sizeof(full) - 1, 0, 0,
			    0);
}

/* The same for one in several buffers that were lent. */
void net_capture_lent(struct pair *p, unsigned int head, unsigned int len)
{
	struct lkl_chain chain = { .iov = p->part + p->parts,
				   .max = TX_IOV - p->parts };

	if (lkl_virtq_chain(&p->virtqs[RX], head, &chain))
		return;
	if (!p->parts) {
		struct lkl_virtio_net_hdr_v1 *hdr = p->part->iov_base;

		p->part_len = 0;
		p->part_left = has_feature(p->net, LKL_VIRTIO_NET_F_MRG_RXBUF)
				       ? hdr->num_buffers
				       : 1;
	}
	p->parts += chain.in;
	p->part_len += len;
	if (p->part_left-- > 1 && p->parts < TX_IOV - MAX_BUFFER_IOV)
		return;
	net_capture(p->net, p->part, p->parts, p->part_len);
	p->parts = 0;
}
