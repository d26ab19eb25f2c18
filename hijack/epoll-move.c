// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is in an epoll's set moves from the shadow to the host's epoll.
 *
 * The library's kernel tells what a set contains in /proc.
 */
#include "wait.h"

/* Longer than a line about one file, and room to read. */
#define LINE 160
#define PIECE 512

/* A number after @name in a line; hexadecimal unless it is the descriptor's. */
static uint64_t number_of(const char *line, const char *name, unsigned int base)
{
	uint64_t n = 0;
	const char *at;

	for (;; line++) {
		unsigned int i = 0;

		while (name[i] && line[i] == name[i])
			i++;
		if (!name[i]) {
			at = line + i;
			break;
		}
		if (!*line)
			return ~0ULL;
	}
	while (*at == ' ')
		at++;
	for (;; at++) {
		if (*at >= '0' && *at <= '9')
			n = n * base + (*at - '0');
		else if (base == 16 && *at >= 'a' && *at <= 'f')
			n = n * base + (*at - 'a' + 10);
		else
			return n;
	}
}

static long open_info(int fd)
{
	char path[48] = "/proc/thread-self/fdinfo/", digits[12];
	unsigned int n = 0, at = 25;

	do {
		digits[n++] = '0' + fd % 10;
		fd /= 10;
	} while (fd);
	while (n)
		path[at++] = digits[--n];
	path[at] = 0;
	return lkl4(SYS_openat, LKL_AT_FDCWD, path, LKL_O_RDONLY, 0);
}

/* Find a file in a shadow; returns whether it is there. */
static bool find(const struct epoll *e, long kfd, struct epoll_entry *entry)
{
	char piece[PIECE], line[LINE];
	unsigned int at = 0;
	bool found = false;
	long fd = open_info(e->file.fd), n, i;

	if (fd < 0)
		return false;
	while (!found && (n = lkl3(SYS_read, fd, piece, sizeof(piece))) > 0) {
		for (i = 0; i < n && !found; i++) {
			if (piece[i] != '\n') {
				if (at < sizeof(line) - 1)
					line[at++] = piece[i];
				continue;
			}
			line[at] = 0;
			at = 0;
			found = number_of(line, "tfd:", 10) == (uint64_t)kfd;
		}
	}
	lkl1(SYS_close, fd);
	if (found) {
		entry->events = number_of(line, "events:", 16);
		entry->data = number_of(line, "data:", 16);
	}
	return found;
}

/* Take it out of one shadow. */
static bool withdraw(struct epoll *e, long fd, struct epoll_entry *entry)
{
	struct epoll_event none = { 0 };
	long kfd = fd_number(fd_word(fd));

	if (!e->users || !epoll_has_shadow(e) || !find(e, kfd, entry) ||
	    lkl4(SYS_epoll_ctl, e->file.fd, EPOLL_CTL_DEL, kfd, &none))
		return false;
	entry->epoll = e;
	entry->fd = fd;
	__atomic_add_fetch(&e->users, 1, __ATOMIC_ACQ_REL);
	return true;
}

/**
 * wait_epoll_withdraw - take a file of the library's out of all sets
 * @fd: the program's descriptor
 * @entries: where to note what to give to wait_epoll_enter()
 * @room: for so many; the others are entered at once
 *
 * Return: how many have been noted
 */
unsigned int wait_epoll_withdraw(long fd, struct epoll_entry *entries,
				 unsigned int room)
{
	unsigned int i, n = 0, shared = 0;
	struct epoll_entry entry;

	if (share_process() >= 0)
		shared = share->epolls_top;
	for (i = 0; i < epolls_top + shared; i++) {
		struct epoll *e = i < epolls_top
					  ? &epolls[i]
					  : &share->epoll[i - epolls_top];

		if (i >= epolls_top && e->process != share_process() + 1)
			continue;
		if (!withdraw(e, fd, &entry))
			continue;
		if (n < room)
			entries[n++] = entry;
		else
			wait_epoll_enter(&entry);
	}
	return n;
}

/**
 * wait_epoll_enter - put what is the host's now into its set
 * @entry: what wait_epoll_withdraw() has noted
 */
void wait_epoll_enter(const struct epoll_entry *entry)
{
	struct epoll_event ev = { entry->events, { .u64 = entry->data } };

	own_call4(SYS_epoll_ctl, entry->epoll->self, EPOLL_CTL_ADD, entry->fd,
		  &ev);
	epoll_leave(entry->epoll, 1);
}
