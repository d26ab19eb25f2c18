/* SPDX-License-Identifier: GPL-2.0-only */
/* A kernel's state in a file. */
#ifndef POSIX_SNAPSHOT_H
#define POSIX_SNAPSHOT_H

#include <lkl/asm/host_ops.h>

/**
 * struct linux_snapshot - one that is open
 * @fd: the file; not closed by what is here
 * @head: the beginning of it
 * @size: bytes of that
 */
struct linux_snapshot {
	int fd;
	struct snapshot_head *head;
	unsigned long size;
};

/**
 * linux_snapshot_write - write the state of this process's kernel to a file
 * @fd: an empty one, which no other process knows yet
 * @key: what a process must have in common to use it
 * @state: of the kernel, whose memory does not change meanwhile
 *
 * Return: 0 or a negative error number, -EFBIG if it would be too large
 */
int linux_snapshot_write(int fd, const char *key,
			 const struct lkl_state *state);

/**
 * linux_snapshot_open - look whether a file is a snapshot of use to this
 * process
 * @fd: the file, only this user's to write
 * @key: as above
 * @s: where to note it
 *
 * Return: 0; -ESTALE if it was made for another key; -EINVAL if it is damaged;
 * or another negative error number
 */
int linux_snapshot_open(int fd, const char *key, struct linux_snapshot *s);

/* What lkl_kernel_restore() needs of it; @load is to be given @s. */
struct lkl_state *linux_snapshot_state(const struct linux_snapshot *s);
int linux_snapshot_load(void *s);

void linux_snapshot_close(struct linux_snapshot *s);

#endif /* POSIX_SNAPSHOT_H */
