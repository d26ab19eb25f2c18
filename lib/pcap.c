// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames written to a file that tcpdump(1) and Wireshark read.
 *
 * A frame is written by one call, so that those of several threads do not mix.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../host/linux/linux.h"
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

int pcap_open(struct pcap *p, const char *path, bool ip)
{
	struct file_header header = { .magic = MAGIC,
				      .major = 2,
				      .minor = 4,
				      .snaplen = SNAPLEN,
				      .link = ip ? LINK_IP : LINK_ETHERNET };
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC,
		      0600);
	struct rlimit limit;
	ssize_t n;

	p->fd = -1;
	if (fd < 0)
		return -errno;
	n = write(fd, &header, sizeof(header));
	if (n != sizeof(header)) {
		n = n < 0 ? -errno : -ENOSPC;
		close(fd);
		return n;
	}
	p->fd = fd;
	p->left = LONG_MAX;
	if (!getrlimit(RLIMIT_FSIZE, &limit) && limit.rlim_cur < LONG_MAX)
		p->left = limit.rlim_cur - n;
	return 0;
}

bool pcap_write(struct pcap *p, const struct iovec *iov, unsigned int cnt,
		unsigned int skip, unsigned int len)
{
	struct timespec now;
	struct record record;
	struct iovec out[MAX_IOV] = { { &record, sizeof(record) } };
	unsigned int n = 1, left = len < skip ? 0 : len - skip;
	long size;

	clock_gettime(CLOCK_REALTIME, &now);
	record.seconds = now.tv_sec;
	record.nanoseconds = now.tv_nsec;
	record.captured = left;
	record.length = left;
	for (; cnt && left && n < MAX_IOV; iov++, cnt--) {
		size_t piece = iov->iov_len;

		if (skip >= piece) {
			skip -= piece;
			continue;
		}
		piece -= skip;
		if (piece > left)
			piece = left;
		out[n].iov_base = (char *)iov->iov_base + skip;
		out[n++].iov_len = piece;
		skip = 0;
		left -= piece;
	}
	record.captured -= left;
	size = sizeof(record) + record.captured;
	if (__atomic_load_n(&p->full, __ATOMIC_RELAXED) ||
	    (__atomic_sub_fetch(&p->left, size, __ATOMIC_RELAXED) >= 0 &&
	     raw_syscall(SYS_writev, p->fd, (long)out, n, 0, 0, 0) == size))
		return true;
	/* The rest of the file could not be read. */
	return __atomic_exchange_n(&p->full, 1, __ATOMIC_SEQ_CST);
}
