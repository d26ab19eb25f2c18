#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In a kernel that starts from a snapshot, the stacks of tasks are guarded before these
# run, and not all at the start.  A tool is looked at from outside: what it asks of the
# host.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 strace
[ "${FLAVOUR:-}" != kasan ] || skip "tasks of a kernel with KASAN have other stacks"
export LD_LIBRARY_PATH=$BIN/../lib/lkl-fixed
mkdir -m 700 cache
export XDG_CACHE_HOME=$PWD/cache
mkdir tree
echo hello >tree/hello
image disk.img 16M mkfs.ext4 -q -d tree

# guards SNAPSHOT: how many pages become inaccessible
guards() {
	LKL_SNAPSHOT=$1 strace -f -o trace -e trace=mprotect lkl cat disk.img /hello >out 2>err ||
		fail "$(cat err)"
	[ "$(cat out)" = hello ] || fail "$(cat out)"
	grep -c 'mprotect(0x11.*, 4096, PROT_NONE' trace
}

booted=$(guards no)
guards yes >made
restored=$(guards yes)
[ "$booted" -gt 30 ] || fail "$booted after a boot"
# Three are those of tasks that are made.
[ "$restored" -ge 6 ] || fail "$restored from a snapshot"
[ "$restored" -lt "$booted" ] || fail "$restored from a snapshot, $booted after a boot"
