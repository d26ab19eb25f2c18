#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A tree copied into a mount is the same in there, is the same when it is
# mounted again, and comes out of the image the same.

. "$(dirname "$0")/../common/fuse.sh"
need setfattr setfacl

"$COMMON/make-tree.sh" tree "$(id -un)"
# what a user cannot read, a user cannot copy
is_root || chmod 400 tree/mode-0

# same_here DIR: it is like the tree; xfs shows ACLs to root a second time
same_here() {
	"$COMMON/manifest.py" tree >tree.manifest
	"$COMMON/manifest.py" "$1" |
		sed 's/ trusted.SGI_ACL_[A-Z]*=[0-9a-f]*//g' >mnt.manifest
	diff tree.manifest mnt.manifest | cut -c1-300 ||
		fail "tree and $1 differ"
}

# there_and_back TYPE MKFS...
there_and_back() {
	local type=$1
	shift
	command -v "$1" >/dev/null || return 0
	image img 512M "$@"
	lklfuse img mnt
	cp -a tree mnt/
	same_here mnt/tree
	unmount img
	lklfuse img mnt -o "ro,type=$type"
	same_here mnt/tree
	! touch mnt/new 2>/dev/null || fail "$type: ro, but written"
	unmount img
	check "$type" img
	cpfromfs -i img /tree out
	same tree out
	chmod -R u+rwx out
	rm -rf out
}

there_and_back ext4 mkfs.ext4 -q
there_and_back xfs mkfs.xfs -q
there_and_back btrfs mkfs.btrfs -q
there_and_back f2fs mkfs.f2fs -q

# no owners, links, modes there
if command -v mkfs.vfat >/dev/null; then
	mkdir -p plain/dir
	printf hello >plain/dir/file
	image img 64M mkfs.vfat
	lklfuse img mnt
	cp -r plain mnt/
	mv mnt/plain/dir/file mnt/plain/other
	# a file that has lost its name, where there are no handles
	exec 5<mnt/plain/other
	rm mnt/plain/other
	[ "$(cat <&5)" = hello ] || fail "vfat: an open file is gone"
	exec 5<&-
	[ "$(stat -c %u mnt/plain)" = "$(id -u)" ] || fail "vfat: not mine"
	unmount img
	check vfat img
fi

# what cannot be written is mounted all the same
if command -v mksquashfs >/dev/null; then
	mksquashfs tree sq -noappend -quiet -no-progress
	lklfuse sq mnt 2>log
	grep -q "^lklfuse: warning: 'sq' can only be read$" log || fail "no warning"
	same -s time,xattr,holes tree mnt
	unmount sq
fi
