/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames written to a file that tcpdump(1) and Wireshark read.
 */
#ifndef LIB_PCAP_H
#define LIB_PCAP_H

#include <stdbool.h>
#include <sys/uio.h>

/**
 * struct pcap - such a file
 * @fd: its descriptor, or -1
 * @left: bytes that it may grow by, beyond which the host would send SIGXFSZ
 * @full: not all of a frame could be written, and nothing is after that
 */
struct pcap {
	int fd;
	long left;
	int full;
};

/**
 * pcap_open - make a file for frames
 * @p: set
 * @path: its name; what there is of that name is replaced
 * @ip: the frames are packets without a link-layer header
 *
 * Return: 0 or a negative error number of the host
 */
int pcap_open(struct pcap *p, const char *path, bool ip);

/**
 * pcap_write - append a frame
 * @p: pcap_open()'s
 * @iov: the frame
 * @cnt: number of elements of @iov
 * @skip: bytes of it that do not belong into the file
 * @len: bytes of it at all
 *
 * From any thread, in kernel context as well.
 *
 * Return: false when this was the first of which not all was written
 */
bool pcap_write(struct pcap *p, const struct iovec *iov, unsigned int cnt,
		unsigned int skip, unsigned int len);

#endif /* LIB_PCAP_H */
