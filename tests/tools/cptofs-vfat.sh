#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What a file system cannot keep is left out with one warning, and what it
# cannot hold is an error.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.vfat setfattr

mkdir -p tree/dir
for name in a b dir/c; do
	echo "$name" >"tree/$name"
	setfattr -n user.color -v blue "tree/$name"
done
image img 64M mkfs.vfat
cptofs -i img -o 1234 tree / 2>log || { cat log; fail "status $?"; }
for what in "owners" "extended attributes"; do
	[ "$(grep -c "^cptofs: warning: cannot keep $what" log)" = 1 ] ||
		{ cat log; fail "not one warning about $what"; }
done
cpfromfs -i img /tree out
same -s owner,mode,time,xattr,holes tree out

ln -s a link
refuses 1 "cannot create symbolic link 'img:/link': Operation not permitted" \
	cptofs -i img link /
check vfat img

if command -v mksquashfs >/dev/null; then
	mksquashfs tree sq -noappend -quiet -no-progress
	refuses 2 "cannot write to 'sq': read-only file system \(squashfs\)" \
		cptofs -i sq link /
fi
