// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of a driver in another process, as a device maps it.
 *
 * The other process keeps the files, and could make them shorter: to touch what
 * is not there any more would be the end of us.  So they must be sealed against
 * that.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <linux/magic.h>

#include "memory.h"

void vhost_memory_clear(struct vhost_memory *m)
{
	while (m->count) {
		m->count--;
		munmap(m->regions[m->count].map, m->regions[m->count].map_size);
	}
}

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

static const char *check(const struct vhost_memory *m,
			 const struct vhost_region *r, int fd)
{
	struct statfs fs;
	struct stat st;
	uint64_t end;
	unsigned int i;
	int seals;

	if (!r->size || __builtin_add_overflow(r->guest, r->size, &end) ||
	    __builtin_add_overflow(r->user, r->size, &end) ||
	    __builtin_add_overflow(r->offset, r->size, &end))
		return "a region of its memory has no size";
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size < 0 ||
	    (uint64_t)st.st_size < end)
		return "a region of its memory is larger than the file";
	/* They may be used up when they are touched, which ends a process. */
	if (fstatfs(fd, &fs) || fs.f_type == HUGETLBFS_MAGIC)
		return "its memory is of huge pages";
	seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || !(seals & F_SEAL_SHRINK))
		return "its memory is no memory file sealed against shrinking";
	for (i = 0; i < m->count; i++)
		if (overlap(r->guest, r->size, m->regions[i].guest,
			    m->regions[i].size) ||
		    overlap(r->user, r->size, m->regions[i].user,
			    m->regions[i].size))
			return "regions of its memory overlap";
	return NULL;
}

const char *vhost_memory_set(struct vhost_memory *m,
			     const struct vhost_msg *msg)
{
	unsigned int i, n = msg->memory.count;
	const char *why = NULL;

	vhost_memory_clear(m);
	if (msg->size < 8 || n > VHOST_MAX_REGIONS ||
	    msg->size < 8 + n * sizeof(struct vhost_region) ||
	    msg->n_fds != (int)n)
		return "a memory table of another size";
	for (i = 0; i < n; i++) {
		struct vhost_region r = msg->memory.regions[i];
		uint64_t size = r.offset + r.size;
		void *map;

		why = check(m, &r, msg->fds[i]);
		if (why)
			break;
		map = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_NORESERVE, msg->fds[i], 0);
		if (map == MAP_FAILED) {
			why = strerror(errno);
			break;
		}
		/* For a forked child it is not. */
		madvise(map, size, MADV_DONTFORK);
		m->regions[m->count].guest = r.guest;
		m->regions[m->count].user = r.user;
		m->regions[m->count].size = r.size;
		m->regions[m->count].at = (char *)map + r.offset;
		m->regions[m->count].map = map;
		m->regions[m->count].map_size = size;
		m->count++;
	}
	if (why)
		vhost_memory_clear(m);
	return why;
}

void *vhost_memory_guest(const struct vhost_memory *m, uint64_t addr,
			 uint64_t size)
{
	unsigned int i;

	for (i = 0; i < m->count; i++) {
		uint64_t offset = addr - m->regions[i].guest;

		if (offset < m->regions[i].size &&
		    size <= m->regions[i].size - offset)
			return m->regions[i].at + offset;
	}
	return NULL;
}

void *vhost_memory_user(const struct vhost_memory *m, uint64_t addr,
			uint64_t size)
{
	unsigned int i;

	for (i = 0; i < m->count; i++) {
		uint64_t offset = addr - m->regions[i].user;

		if (offset < m->regions[i].size &&
		    size <= m->regions[i].size - offset)
			return m->regions[i].at + offset;
	}
	return NULL;
}
