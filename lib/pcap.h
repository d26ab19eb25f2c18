/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames written to a file that tcpdump(1) and Wireshark read.
 */
#ifndef LIB_PCAP_H
#define LIB_PCAP_H

#include <stdbool.h>
#include <sys/uio.h>

/**
 * pcap_open - make a file for frames
 * @path: its name; what there is of that name is replaced
 * @ip: the frames are packets without a link-layer header
 *
 * Return: its descriptor, or a negative error number of the host
 */
int pcap_open(const char *path, bool ip);

/**
 * pcap_write - append a frame
 * @fd: pcap_open()'s
 * @iov: the frame
 * @cnt: number of elements of @iov
 * @skip: bytes of it that do not belong into the file
 * @len: bytes of it at all
 *
 * From any thread, in kernel context as well.
 *
 * Return: false when not all of it was written
 */
bool pcap_write(int fd, const struct iovec *iov, unsigned int cnt,
		unsigned int skip, unsigned int len);

#endif /* LIB_PCAP_H */
