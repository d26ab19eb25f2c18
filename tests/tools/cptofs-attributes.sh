#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A tree copied into an image and out again is the same in every respect.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 setfattr setfacl

user=$(id -un)
"$COMMON/make-tree.sh" tree "$user"
# what a user cannot read, a user cannot copy
is_root || chmod 400 tree/mode-0

round_trip() {
	cptofs -t "$1" -i img tree /
	check "$1" img
	cpfromfs -t "$1" -i img /tree copy
	same tree copy
	chmod -R u+rwx copy
	rm -rf copy
}

image img 512M mkfs.ext4 -q
round_trip ext4
image img 512M mkfs.ext4 -q -b 1024 -O inline_data
round_trip ext4
image img 512M mkfs.ext4 -q -t ext2
round_trip ext2
if command -v mkfs.xfs >/dev/null; then
	image img 512M mkfs.xfs -q
	round_trip xfs
fi
if command -v mkfs.btrfs >/dev/null; then
	image img 512M mkfs.btrfs -q
	round_trip btrfs
fi
if command -v mkfs.f2fs >/dev/null; then
	image img 512M mkfs.f2fs -q
	round_trip f2fs
fi
