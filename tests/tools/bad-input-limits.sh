#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# With limits that leave the kernel no room, a tool says which one, and is not killed;
# a soft limit on file sizes is raised.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4

image img 8M mkfs.ext4 -q
# try LIMIT TEXT
try() {
	local status=0

	(eval "ulimit $1" && lkl ls img / >out 2>err) || status=$?
	[ $status = 1 ] || [ $status = 2 ] || { cat err; fail "ulimit $1: exit status $status"; }
	[ "$(wc -l <err)" = 1 ] || { cat err; fail "ulimit $1: not one line"; }
	grep -q "$2" err || { cat err; fail "ulimit $1: no word of it"; }
}

try "-f 1000" "ulimit -f"
try "-v 4000000" "ulimit -v"
(ulimit -S -f 1000 && lkl ls img / >out 2>err) || { cat err; fail "soft limit"; }
grep -q lost+found out || fail "soft limit: nothing listed"

# Nor is there room in too little memory: one line says how much it takes.
tar -cf one.tar err
mkdir mnt
for tool in "cptofs -i img -m 8 err /" "cpfromfs -i img -m 8 / out.d" "lkl ls -m 8 img /" \
	"lkl ls -p -m 8 img /" "lkl write -m 8 img /f" "lkl sh -m 8 img" "lkl trim -m 8 img" \
	"fs2tar -m 8 img out.tar" "tar2fs -m 8 one.tar img" "lklfuse -m 8 img mnt"; do
	! $tool >out 2>err </dev/null || fail "$tool: succeeds"
	[ "$(cat out err | wc -l)" = 1 ] || { cat out err; fail "$tool: not one line"; }
	grep -Eq "(16|40)M is needed" err || { cat err; fail "$tool: no word of it"; }
	! ${tool/-m 8/-m 0} >out 2>err </dev/null || fail "$tool: no memory succeeds"
	grep -q "invalid memory size: '0'" err || { cat err; fail "$tool: no memory"; }
done
