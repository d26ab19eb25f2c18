#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# cpfromfs reads what the host's tools have written.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 setfattr setfacl

mkdir tree
cp -r /usr/include/linux tree/ 2>/dev/null || cp -r /etc/default tree/
ln -s linux tree/link
truncate -s 1M tree/hole

try() {
	cpfromfs -i img / "$1"
	same -s "$2" tree "$1"
}

image img 256M mkfs.ext4 -q -d tree
# mke2fs 1.47 leaves out the nanoseconds; / has a lost+found
cpfromfs -i img /. ext4
rm -rf ext4/lost+found
same -s time,owner ext4 tree
if command -v mksquashfs >/dev/null; then
	mksquashfs tree img -noappend -quiet -no-progress
	try squashfs time,holes
fi
if command -v mkfs.erofs >/dev/null; then
	mkfs.erofs img tree >/dev/null 2>&1
	try erofs holes
fi
if command -v mkfs.btrfs >/dev/null; then
	image img 256M mkfs.btrfs -q --rootdir tree
	try btrfs owner,holes,time
fi
