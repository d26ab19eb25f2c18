#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The library for Windows, under Wine: the program that also runs here, alone and
# with a disk of each file system, which Linux's tools check afterwards.

. "$(dirname "$0")/../common/tools.sh"
. "$(dirname "$0")/../common/wine.sh"
need mkfs.ext4 mkfs.xfs mkfs.btrfs mkfs.vfat mkfs.exfat

# run PROGRAM ARGUMENT...
run() {
	wine64 "$WINDOWS/tests/$1" "${@:2}" >windows.log 2>&1 ||
		{ cat windows.log; fail "$*"; }
}

# What the program writes to its files.
python3 -c '
import sys
sys.stdout.buffer.write(bytes((i * 13 >> 3) & 255 for i in range(1 << 20)))
' >pattern

# disk TYPE SIZE CHECK MKFS...: the image is called img
disk() {
	local type=$1 size=$2 check=$3
	shift 3
	image img "$size" "$@"
	run portable.exe img "$type"
	$check >check.log 2>&1 || { cat check.log; fail "$check of $type"; }
	for i in 0 19; do
		lkl cat img "/portable$i" | cmp - <(head -c $((1048576 - i)) pattern) ||
			fail "$type: portable$i differs"
	done
}

for program in portable.exe portable-dll.exe; do
	run "$program"
	[ "$(grep -c '^states' windows.log)" = 3 ] ||
		{ cat windows.log; fail "$program has not done all"; }
done
disk ext4 64M 'e2fsck -fn img' mkfs.ext4 -q
disk xfs 320M 'xfs_repair -n img' mkfs.xfs -q
disk btrfs 128M 'btrfs check img' mkfs.btrfs -q
disk vfat 64M 'fsck.vfat -n img' mkfs.vfat
disk exfat 64M 'fsck.exfat -n img' mkfs.exfat
