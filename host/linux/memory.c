// SPDX-License-Identifier: GPL-2.0-only
/* Files in memory, one of which is the RAM of the library's kernel; what of the
 * kernel's memory a forked process has. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "linux.h"

/* RAM, while a kernel runs. */
struct posix_ram posix_ram = { .fd = -1 };

/*
 * RAM is a file, whose size may be limited.  The limit is the user's for the
 * files that a program writes; where it can be lifted for a moment, it is.
 */
static int set_size(int fd, unsigned long size)
{
	struct rlimit limit, more;
	int err = 0;

	if (getrlimit(RLIMIT_FSIZE, &limit))
		return -errno;
	more = limit;
	more.rlim_cur = size;
	if (limit.rlim_cur < size) {
		if (more.rlim_max < size)
			more.rlim_max = size;
		/* Beyond it there would be SIGXFSZ. */
		if (setrlimit(RLIMIT_FSIZE, &more))
			return -EFBIG;
	}
	if (ftruncate(fd, size))
		err = -errno;
	if (limit.rlim_cur < size)
		setrlimit(RLIMIT_FSIZE, &limit);
	return err;
}

int posix_memory(const char *name, unsigned long size)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING), err;

	if (fd < 0)
		return -errno;
	err = set_size(fd, size);
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

int posix_wipe_on_fork(void *addr, unsigned long size)
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

void posix_inherit(bool inherit)
{
	madvise((void *)posix_ram.addr, posix_ram.size,
		inherit ? MADV_DOFORK : MADV_DONTFORK);
	madvise(wiped, wiped_size, inherit ? MADV_KEEPONFORK : MADV_WIPEONFORK);
}

void posix_wipe(void)
{
	memset(wiped, 0, wiped_size);
}
