// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames written to a file that tcpdump(1) and Wireshark read.
 *
 * A frame is written by one call, so that those of several threads do not mix.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../host/posix/posix.h"
#include "pcap.h"

/* Pieces of a frame, and the header. */
#define MAX_IOV 128

/* Times in nanoseconds. */
#define MAGIC 0xa1b23c4d
#define SNAPLEN 262144
#define LINK_ETHERNET 1
#define LINK_IP 101

struct file_header {
	uint32_t magic;
	uint16_t major;
	uint16_t minor;
	uint32_t zone;
	uint32_t accuracy;
	uint32_t snaplen;
	uint32_t link;
};

struct record {
	uint32_t seconds;
	uint32_t nanoseconds;
	uint32_t captured;
	uint32_t length;
};

int pcap_open(const char *path, bool ip)
{
	struct file_header header = { .magic = MAGIC,
				      .major = 2,
				      .minor = 4,
				      .snaplen = SNAPLEN,
				      .link = ip ? LINK_IP : LINK_ETHERNET };
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC,
		      0600);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, &header, sizeof(header));
	if (n == sizeof(header))
		return fd;
	n = n < 0 ? -errno : -ENOSPC;
	close(fd);
	return n;
}

bool pcap_write(int fd, const struct iovec *iov, unsigned int cnt,
		unsigned int skip, unsigned int len)
{
	struct timespec now;
	struct record record;
	struct iovec out[MAX_IOV] = { { &record, sizeof(record) } };
	unsigned int n = 1, left = len < skip ? 0 : len - skip;

	clock_gettime(CLOCK_REALTIME, &now);
	record.seconds = now.tv_sec;
	record.nanoseconds = now.tv_nsec;
	record.captured = left;
	record.length = left;
	for (; cnt && left && n < MAX_IOV; iov++, cnt--) {
		size_t size = iov->iov_len;

		if (skip >= size) {
			skip -= size;
			continue;
		}
		size -= skip;
		if (size > left)
			size = left;
		out[n].iov_base = (char *)iov->iov_base + skip;
		out[n++].iov_len = size;
		skip = 0;
		left -= size;
	}
	record.captured -= left;
	return raw_syscall(SYS_writev, fd, (long)out, n, 0, 0, 0) ==
	       (long)(sizeof(record) + record.captured);
}
