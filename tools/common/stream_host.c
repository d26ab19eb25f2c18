// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a stream asks of Linux.
 */
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "stream_host.h"

void *stream_memory(size_t size, bool shared)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS, -1,
		       0);

	return p == MAP_FAILED ? NULL : p;
}

void stream_free_memory(void *memory, size_t size)
{
	if (memory)
		munmap(memory, size);
}

int stream_file(size_t size)
{
	int fd = memfd_create("stream", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	/* memory that the other took away would be missed here */
	if (fd >= 0 && (ftruncate(fd, size) ||
			fcntl(fd, F_ADD_SEALS,
			      F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))) {
		close(fd);
		return -1;
	}
	return fd;
}

void *stream_file_memory(int file, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);

	return p == MAP_FAILED ? NULL : p;
}

void stream_keep_memory(void *memory, size_t size)
{
	madvise(memory, size, MADV_DONTFORK);
}

void stream_sleep(_Atomic uint32_t *word, unsigned int ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000L };

	syscall(SYS_futex, word, FUTEX_WAIT, 1, ms ? &time : NULL, NULL, 0);
}

void stream_wake(_Atomic uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

bool stream_ended(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 0) > 0;
}
