#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A directory of ext4 that does not distinguish upper and lower case.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 debugfs

image img 64M mkfs.ext4 -q -O casefold
# EXT4_CASEFOLD_FL | EXT4_EXTENTS_FL
printf '%s\n' 'mkdir /fold' 'sif /fold flags 0x40080000' |
	debugfs -w img >debugfs.log 2>&1
debugfs -R 'stat /fold' img 2>/dev/null | grep -q 'Flags: 0x40080000' ||
	skip "debugfs cannot set the flag"
mkdir tree
for i in $(seq 300); do echo "$i" >"tree/Größe-$i"; done
cptofs -i img tree/. /fold
check ext4 img
for i in 1 150 300; do
	cpfromfs -i img "/FOLD/GRÖSSE-$i" out 2>/dev/null && fail "the root folds"
	cpfromfs -i img "/fold/GRÖSSE-$i" out
	echo "$i" | cmp - out
done
# two names for the kernel's one
mkdir two
echo 1 >two/name
echo 2 >two/NAME
refuses 1 "cannot create regular file 'img:/fold/two/name': File exists" \
	cptofs -i img two /fold
check ext4 img
