// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of descriptors: which kernel a number belongs to.
 *
 * It is changed when a number is certainly ours to change: after the host has
 * given it to us, and before we give it back.  The child of a vfork() uses the
 * same table as its parent, but has descriptors of its own, so whatever it does
 * to them is left to the host alone.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

uint32_t hijack_fds[FD_MAX];

/* Highest number with a word in the table. */
static int fd_top;
/* In a page that is empty after a fork(). */
static long *owner_pid;
static bool had_sockets;

/**
 * fd_set_word - say what a number that the host has handed out stands for
 */
void fd_set_word(long fd, uint32_t word)
{
	int top = __atomic_load_n(&fd_top, __ATOMIC_RELAXED);

	while (fd > top &&
	       !__atomic_compare_exchange_n(&fd_top, &top, fd, true,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	__atomic_store_n(&hijack_fds[fd], word, __ATOMIC_RELEASE);
}

/**
 * fd_take_word - a number stands for nothing from here on
 *
 * Return: what it stood for
 */
uint32_t fd_take_word(long fd)
{
	unsigned int n = fd;

	return n < FD_MAX ? __atomic_exchange_n(&hijack_fds[n], 0,
						__ATOMIC_ACQ_REL)
			  : 0;
}

/**
 * fd_next - look for descriptors of the library's
 * @fd: where to begin
 *
 * Return: the next one, or -1
 */
int fd_next(int fd)
{
	int top = __atomic_load_n(&fd_top, __ATOMIC_RELAXED);

	for (; fd <= top; fd++)
		if (fd_is_lkl(fd))
			return fd;
	return -1;
}

/**
 * fd_last - the highest number in the table
 */
int fd_last(void)
{
	return __atomic_load_n(&fd_top, __ATOMIC_RELAXED);
}

/**
 * fd_next_open - look for sockets that are still of both sides
 * @fd: where to begin
 *
 * Return: the next one, or -1
 */
int fd_next_open(int fd)
{
	for (; fd <= fd_top; fd++)
		if ((fd_word(fd) & (FD_LKL | FD_OPEN)) == (FD_LKL | FD_OPEN))
			return fd;
	return -1;
}

/**
 * fd_change_epolls - in a forked child: replace words
 * @change: makes a new word from that of an epoll
 */
void fd_change_epolls(uint32_t (*change)(uint32_t word))
{
	int fd;

	for (fd = 0; fd <= fd_top; fd++)
		if (fd_word(fd) & FD_EPOLL)
			fd_set_word(fd, change(fd_word(fd)));
}

/**
 * fd_expect_socket - the program is about to make its first socket, perhaps
 */
void fd_expect_socket(void)
{
	if (unlikely(!had_sockets))
		__atomic_store_n(&had_sockets, true, __ATOMIC_SEQ_CST);
}

bool hijack_has_sockets(void)
{
	int fd, top = __atomic_load_n(&fd_top, __ATOMIC_RELAXED);

	if (__atomic_load_n(&had_sockets, __ATOMIC_SEQ_CST))
		return true;
	for (fd = 0; fd <= top; fd++)
		if (fd_is_lkl(fd))
			return true;
	return false;
}

bool hijack_in_vfork(void)
{
	long pid = host0(SYS_getpid);

	/* A forked child has a table of its own, and is first to ask here. */
	if (!*owner_pid)
		*owner_pid = pid;
	return *owner_pid != pid;
}

/**
 * fd_owner_pid - the process that the table of descriptors is of
 */
int fd_owner_pid(void)
{
	return *owner_pid;
}

/**
 * table_init - find out which process this is
 *
 * Return: 0 or a negative error number
 */
int table_init(void)
{
	if (!owner_pid) {
		owner_pid = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (owner_pid == MAP_FAILED ||
		    madvise(owner_pid, 4096, MADV_WIPEONFORK))
			return -errno;
	}
	*owner_pid = getpid();
	return 0;
}
