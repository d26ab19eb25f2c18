// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process of another one's kernel: room for it there, and what becomes of the
 * memory that it has inherited.
 *
 * It keeps nothing of the kernel that was its parent's: neither its memory nor
 * its devices, which a child that has given up its rights must not have.
 */
#include <sys/mman.h>
#include <sys/socket.h>

#include <lkl/asm/areas.h>

#include "child.h"

/**
 * fork_new_process - have the owner make room for another process
 * @t: the calling thread: is told in @fork_*
 *
 * Called with the lock held.  There is a socket of which the owner gets one
 * end, and by which it sends the area.
 *
 * Return: 0 or a negative error number
 */
long fork_new_process(struct hijack_thread *t)
{
	struct share_message message;
	int ends[2];
	long err, area;

	err = host4(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
		    ends);
	if (err)
		return err;
	ends[0] = fd_own(ends[0]);
	ends[1] = fd_own(ends[1]);
	if (child_number < 0) {
		err = share_take_process(ends[0], -1, t->fork_netns);
		t->fork_netns = NULL;
	} else {
		err = share_send(
			child_control, SHARE_FORK,
			t->elsewhere || t->fork_new ? child_link_number(t) : 0,
			ends[0]);
		fd_forget(ends[0]);
	}
	while (!err) {
		err = share_receive(ends[1], &message, &area, NULL, 0);
		if (!err && area >= 0) {
			t->fork_process = message.index;
			t->fork_control = ends[1];
			t->fork_area = area;
			return 0;
		}
		err = err == -EINTR ? 0 : -ENETDOWN;
	}
	fd_forget(ends[1]);
	return err;
}

static bool is_mine(long fd)
{
	return (child_number >= 0 && (fd == child_control || fd == share_fd)) ||
	       wait_uses(fd);
}

/**
 * fork_become_child - this process uses another's kernel from here on
 * @t: the calling thread
 *
 * Its table of descriptors is still that of the process that has the kernel.
 */
void fork_become_child(struct hijack_thread *t)
{
	struct share *old = share;

	/*
	 * The kernel's memory, and its devices.  Room for what the program maps
	 * goes, too, as it would not be within a limit of the address space.
	 */
	if (t->fork_kernel) {
		host2(SYS_munmap, LKL_AREA_START,
		      (fd_has_mapped() ? LKL_AREA_MMAP : LKL_AREA_PAGES) -
			      LKL_AREA_START);
		host2(SYS_munmap, LKL_AREA_PAGES,
		      LKL_AREA_END - LKL_AREA_PAGES);
	}
	share_fd = t->fork_area;
	share = t->fork_process >= 0 ? share_map(share_fd) : NULL;
	child_begin(share ? t->fork_process : -1, t->fork_control);
	t->link = NULL;
	t->elsewhere = false;
	if (t->fork_new)
		netns_set_away();
	wait_forked(old);
	copy_forget();
	fd_close_own(is_mine);
	if (old)
		host2(SYS_munmap, old, sizeof(*old));
}
