#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The table of calls: it says which kernel gets each call, nothing is built without a
# line for each, and calls go where it says.

. "$(dirname "$0")/../common/tools.sh"
need awk gcc
table=$TOP/hijack/calls.tbl
kernel=${BUILD:-$TOP/build}/linux/arch/x86/entry/syscalls/syscall_64.tbl
[ -e "$kernel" ] || skip "no kernel source here"

make_table() {
	awk -f "$TOP/hijack/calls.awk" "$1" "$2" >table.h 2>err
}
make_table "$kernel" "$table" || fail "$(cat err)"
cp table.h calls.h

# A call that is new, one that is forgotten, twice or wrong, and no reason
{ cat "$kernel"; echo "999 common brand_new sys_brand_new"; } >new
! make_table new "$table" || fail "a new call is accepted"
grep -q 'brand_new, number 999' err || fail "$(cat err)"
sed 's/\<recvmmsg\>//' "$table" >wrong
! make_table "$kernel" wrong || fail "a call is missing"
grep -q 'no line for recvmmsg' err || fail "$(cat err)"
{ cat "$table"; printf 'host: again\n\tread\n'; } >wrong
! make_table "$kernel" wrong || fail "a call is there twice"
{ cat "$table"; printf 'host: none\n\tno_such_call\n'; } >wrong
! make_table "$kernel" wrong || fail "a call is none"
sed 's/^host: time.*/host:/' "$table" >wrong
! make_table "$kernel" wrong || fail "there is no reason"
sed 's/^refused do_refuse/maybe do_refuse/' "$table" >wrong
! make_table "$kernel" wrong || fail "maybe is no side"

# What is the descriptor's goes where that is; the numbers are the arguments.
cat >calls.c <<'END_C'
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int fd = strcmp(argv[1], "host") ? socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0)
					 : open("file", O_RDWR | O_CREAT, 0600); /* fchmod(), too, is made */

	for (int i = 2; i < argc; i++)
		syscall(atoi(argv[i]), fd, 0, 0, 0, 0, 0);
	/* An unknown call is refused. */
	return syscall(470 + 500, fd, 0, 0) != -1 || errno != ENOSYS;
}
END_C
gcc -o calls calls.c
numbers=$(sed -n 's/^CALL(\([0-9]*\),.* fd_call) .*/\1/p' calls.h)
names=$(sed -n 's/^CALL(.* fd_call) \/\* \([a-z0-9_]*\) \*\/$/\1/p' calls.h)
[ "$(echo "$names" | wc -w)" -gt 30 ] || fail "only $names"
for side in host library; do
	# shellcheck disable=SC2086
	lkl-run --trace ./calls $side $numbers 2>trace || fail "$side: status $?"
	# The last of each: the loader makes some before.
	for name in $names; do
		grep -E "\] $name\(" trace | tail -n 1 | grep -q "  $side\$" ||
			fail "$name: not the $side's: $(grep -E "\] $name\(" trace | tail -n 1)"
	done
done
