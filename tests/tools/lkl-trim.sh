#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# trim gives the space of removed files back to the host, and changes no file.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4

# used FILE: the space that it takes on the host, in MiB
used() {
	echo $(($(stat -c %b "$1") / 2048))
}

head -c 20000000 /dev/urandom >large
head -c 5000000 /dev/urandom >kept
# f2fs and others discard by themselves, as soon as they remove
for type in ext4 xfs btrfs; do
	command -v mkfs.$type >/dev/null || continue
	image img 400M mkfs.$type -q
	[ "$(used img)" -lt 100 ] || skip "the host has no holes in files here"
	lkl sh img -c 'cp large kept :/'
	lkl rm img /large
	# ext4 goes on with tables that mkfs left to be written
	before=$(used img)
	lkl trim -v img >out
	grep -Eq '^[0-9.]+[KMG]? \([0-9]+ bytes\) trimmed$' out || { cat out; fail "$type: -v"; }
	[ $((before - $(used img))) -ge 10 ] ||
		fail "$type: $before MiB before, $(used img) MiB after"
	lkl cat img /kept | cmp - kept
	check $type img
done
if command -v mkfs.minix >/dev/null; then
	image minix 16M mkfs.minix
	refuses 2 "cannot trim 'minix:/': Operation not supported" lkl trim minix
fi
if command -v mksquashfs >/dev/null; then
	mksquashfs kept squash -quiet -no-progress >/dev/null
	refuses 2 "cannot write to 'squash': read-only file system .*" lkl trim squash
fi
refuses 2 "cannot open 'none': No such .*" lkl trim none
