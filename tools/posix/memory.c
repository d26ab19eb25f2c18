// SPDX-License-Identifier: GPL-2.0-only
/* Memory of no file: an object of shared memory without a name. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#undef mmap

void *tool_mmap(void *addr, size_t size, int prot, int flags, int fd, off_t pos)
{
	static int count;
	void *p = MAP_FAILED;
	char name[64];

	(void)flags;
	snprintf(name, sizeof(name), "/lkl-tool-%ld-%d", (long)getpid(),
		 count++);
	fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return p;
	shm_unlink(name);
	if (!ftruncate(fd, size))
		p = mmap(addr, size, prot, MAP_SHARED, fd, pos);
	close(fd);
	return p;
}
