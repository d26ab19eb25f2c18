#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Where several spellings name a file, all are gone when it is removed by one of them,
# and all are found when it is made again.

. "$(dirname "$0")/../common/fuse.sh"

# spellings DIR A B
spellings() {
	local dir=$1 a=$2 b=$3
	[ ! -e "$dir/$b" ] || fail "$dir/$b is there"
	echo x >"$dir/$a"
	grep -q x "$dir/$b" || fail "$dir/$a is not $b"
	rm "$dir/$b"
	[ ! -e "$dir/$a" ] || fail "$dir/$a is still there"
	[ ! -e "$dir/$b" ] || fail "$dir/$b is still there"
	mkdir "$dir/$a"
	: >"$dir/$b/file"
	mv "$dir/$b/file" "$dir/$a/moved"
	[ ! -e "$dir/$a/file" ] || fail "$dir/$a/file has not moved"
	rm -r "${dir:?}/$b"
	[ ! -e "$dir/$a" ] || fail "$dir/$a is there as a directory"
}

if mkfs.ext4 -q -O casefold -F img 16M >/dev/null 2>&1; then
	lklfuse img mnt
	mkdir mnt/folds mnt/not
	if chattr +F mnt/folds 2>/dev/null; then
		spellings mnt/folds name NAME
		mkdir mnt/folds/below
		spellings mnt/folds/below $'\303\251' $'e\314\201'
	fi
	: >mnt/not/name
	[ ! -e mnt/not/NAME ] || fail "ext4 folds names without the flag"
	unmount img
	check ext4 img
fi
if command -v mkfs.vfat >/dev/null; then
	image img 64M mkfs.vfat
	lklfuse img mnt
	spellings mnt name.txt NAME.TXT
	spellings mnt "long name" "Long name"
	: >"mnt/a long name.txt"
	[ -e "mnt/ALONGN~1.TXT" ] || fail "no short name"
	rm "mnt/ALONGN~1.TXT"
	[ ! -e "mnt/a long name.txt" ] || fail "it stays under its long name"
	unmount img
	check vfat img
fi
