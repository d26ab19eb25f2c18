#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Names that Windows takes for one, in case, in normalisation, with dots and spaces
# at their ends, are files of their own on ntfs: none is lost, by cptofs or tar2fs.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ntfs tar

names=(UPPER.TXT upper.txt $'\u00e9' $'e\u0301' a a. 'a ' 'b..' 'b. ' b)
mkdir tree
for name in "${names[@]}"; do
	printf '%s' "$name" >"tree/$name"
done
tar -C tree -cf tree.tar .

# check PROGRAM: all are there, and have what is theirs
check() {
	for name in "${names[@]}"; do
		[ "$(lkl cat img "/$name")" = "$name" ] || fail "$1: '$name' is lost"
	done
}

image img 16M mkfs.ntfs -q -F
cptofs -i img tree/. /
check cptofs
image img 16M mkfs.ntfs -q -F
tar2fs tree.tar img
check tar2fs
