#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# An image that was not unmounted is read with its journal, and not changed.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 debugfs

image img 64M mkfs.ext4 -q
mkdir tree
echo x >tree/file
cptofs -i img tree /
# put a block of the root directory's inode table into the journal, marked
# as in use: recovery must find and replay it
printf 'jo -c\njw -b 333 /dev/zero\njc\n' >cmds
debugfs -w -f cmds img >/dev/null 2>&1
dumpe2fs -h img 2>/dev/null | grep -q needs_recovery ||
	skip "this debugfs cannot write a journal"
before=$(sha256sum img)
cpfromfs -i img /tree out 2>log || { cat log; fail "cannot read it"; }
grep -q "'img' was not unmounted cleanly" log || fail "no warning"
cmp tree/file out/file
[ "$before" = "$(sha256sum img)" ] || fail "the image has changed"
