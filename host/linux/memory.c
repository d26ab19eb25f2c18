// SPDX-License-Identifier: GPL-2.0-only
/* Files in memory, one of which is the RAM of the library's kernel; what of the
 * kernel's memory a forked process has. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "linux.h"

/* RAM, while a kernel runs. */
struct linux_ram linux_ram = { .fd = -1 };

int linux_memory(const char *name, unsigned long size)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING), err;

	if (fd < 0)
		return -errno;
	err = posix_set_size(fd, size);
	if (!err && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* What a forked process finds zeroed. */
static void *wiped;
static unsigned long wiped_size;

int linux_wipe_on_fork(void *addr, unsigned long size)
{
	if (mmap(addr, size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		 0) == MAP_FAILED ||
	    madvise(addr, size, MADV_WIPEONFORK))
		return -errno;
	wiped = addr;
	wiped_size = size;
	return 0;
}

void linux_inherit(bool inherit)
{
	madvise((void *)linux_ram.addr, linux_ram.size,
		inherit ? MADV_DOFORK : MADV_DONTFORK);
	madvise(wiped, wiped_size, inherit ? MADV_KEEPONFORK : MADV_WIPEONFORK);
}

void linux_wipe(void)
{
	memset(wiped, 0, wiped_size);
}
