#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# File systems written by the host's kernel are read here, and the other way round,
# with features that mkfs alone does not make: subvolumes, shared extents.

. "$(dirname "$0")/../common/tools.sh"
is_root || skip "only root can mount"
need mkfs.ext4 mkfs.xfs mkfs.btrfs

trap 'umount "$TMP/mnt" 2>/dev/null || true; cleanup' EXIT
mkdir mnt
"$COMMON/make-tree.sh" tree root

# by_host TYPE: the host copies the tree, we read it
by_host() {
	mount -t "$1" -o loop img mnt 2>/dev/null || skip "cannot mount $1"
	cp -a tree mnt/
	if [ "$1" = xfs ]; then
		cp --reflink=always mnt/tree/big mnt/clone
	fi
	umount mnt
	cpfromfs -i img /tree out
	same tree out
	rm -rf out
}
image img 128M mkfs.ext4 -q
by_host ext4
image img 128M mkfs.ext4 -q -O inline_data
by_host ext4
image img 320M mkfs.xfs -q -m reflink=1
by_host xfs
# write to a shared extent: only one of its files changes
head -c 100000 /dev/urandom >tree/new
cptofs -i img tree/new /clone
check xfs img
cpfromfs -i img /clone /tree/big .
cmp clone tree/new
cmp big tree/big

# a subvolume of the host's, filled here and mounted by itself there
image img 320M mkfs.btrfs -q
mount -t btrfs -o loop img mnt
btrfs -q subvolume create mnt/sub
btrfs -q subvolume create mnt/sub/nested
umount mnt
cptofs -i img -O subvol=sub,compress-force=zstd tree /
cptofs -i img tree/file /sub/nested/
check btrfs img
mount -t btrfs -o loop,ro,subvol=sub img mnt
same -s holes tree mnt/tree
cmp tree/file mnt/nested/file
umount mnt
cpfromfs -i img /sub/tree out
same -s holes tree out
rm -rf out
