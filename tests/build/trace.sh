#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The ways of a read() and of a packet that docs/architecture.md tells in function
# names are those that gdb sees in a running program.

. "$(dirname "$0")/../common/tools.sh"
need gdb gcc mkfs.ext4
BUILD=$(cd "$BIN/.." && pwd)

# told FUNCTION: the functions of the listing that begins with it
told() {
	awk -v first="$1" '
		/^```/ { on = 0 }
		on { print $1 }
		before ~ /^```/ && $1 == first { on = 1; print $1 }
		{ before = $0 }' "$TOP/docs/architecture.md"
}

cat >way.c <<'END'
#include <fcntl.h>
#include <unistd.h>
#include <lkl.h>
#include <lkl_host.h>

/* The debugger waits for the host's call from here on. */
__attribute__((noinline)) void mark(void)
{
	asm volatile("" ::: "memory");
}

static void read_file(int id)
{
	char mnt[64], buf[512];
	long fd;

	if (lkl_mount_dev(id, 0, "ext4", 0, NULL, mnt, sizeof(mnt)) ||
	    lkl_sys_chdir(mnt))
		_exit(1);
	fd = lkl_sys_open("file", LKL_O_RDONLY, 0);
	mark();
	if (lkl_sys_read(fd, buf, sizeof(buf)) <= 0)
		_exit(1);
}

static void send_packet(int id)
{
	struct lkl_sockaddr_in to = { .sin_family = LKL_AF_INET, .sin_port = 9 };
	long fd = lkl_sys_socket(LKL_AF_INET, LKL_SOCK_DGRAM, 0);
	int ifindex = lkl_netdev_get_ifindex(id), one = 1;

	to.sin_addr.s_addr = 0xffffff0a;
	if (lkl_if_set_ipv4(ifindex, 0x0100000a, 8) || lkl_if_up(ifindex) ||
	    lkl_sys_setsockopt(fd, LKL_SOL_SOCKET, LKL_SO_BROADCAST,
			       (char *)&one, sizeof(one)))
		_exit(1);
	mark();
	if (lkl_sys_sendto(fd, "hello", 5, 0, (void *)&to, sizeof(to)) != 5)
		_exit(1);
}

int main(int argc, char **argv)
{
	struct lkl_disk disk = { .fd = open("img", O_RDWR) };
	int disk_id, net_id;

	(void)argv;
	lkl_init(&lkl_host_ops);
	lkl_host_ops.print = NULL;
	disk_id = lkl_disk_add(&disk);
	net_id = lkl_netdev_add(lkl_netdev_pipe_create("in|out", 0), NULL);
	if (lkl_start_kernel("mem=64M"))
		return 1;
	if (argc > 1)
		send_packet(net_id);
	else
		read_file(disk_id);
	return lkl_sys_halt();
}
END
mkdir tree
seq 100 >tree/file
image img 8M mkfs.ext4 -q -d tree
mkfifo in out
gcc -g -Wall -I"$TOP/include" -I"$BUILD/include" way.c -L"$BUILD/lib" -llkl \
	-Wl,-rpath,"$BUILD/lib" -o way
{ ./way && ./way packet; } || fail "the program: exit status $?"

# way WRAPPER SYSCALL [ARGUMENT]: compare the backtrace in the host's call
way() {
	gdb -q -batch -ex 'handle SIGSEGV nostop noprint pass' -ex "break mark" -ex run \
		-ex delete -ex "catch syscall $2" -ex continue -ex bt -ex kill \
		--args ./way ${3:-} >gdb.log 2>&1 || true
	sed -n 's/^#[0-9]* *\(0x[0-9a-f]* in \)\?\([a-z_0-9]*\) (.*/\2/p' gdb.log | tac >seen
	[ -s seen ] || { cat gdb.log; fail "no backtrace of $1"; }
	told "$1" >told
	[ "$(wc -l <told)" -ge 8 ] || fail "the document does not tell the way of $1"
	[ "$(wc -l <told)" -le 12 ] || fail "more than twelve functions for $1"
	# What is told, in this order, with others between.
	awk 'NR == FNR { want[++n] = $1; next }
		$1 == want[at + 1] { at++ }
		END { if (at < n) { print "not seen there: " want[at + 1]; exit 1 } }' \
		told seen || { cat seen; fail "the way of $1 is another"; }
}

way lkl_sys_read preadv2
way lkl_sys_sendto writev packet
