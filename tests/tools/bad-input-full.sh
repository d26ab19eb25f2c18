#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A full target is reported with the file it happened to; the rest is intact.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 mkfs.xfs

mkdir tree
for i in $(seq 100 600); do
	head -c 100000 /dev/urandom >"tree/$i"
done

try() {
	check "$1" img
	cpfromfs -i img /tree out
	[ -n "$(ls out)" ] || fail "nothing was copied"
	! diff -r tree out | grep -v '^Only in tree' ||
		fail "what was copied differs"
	rm -rf out
}

image img 20M mkfs.ext4 -q
refuses 1 "error writing 'img:/tree/[0-9]+': No space left on device" \
	cptofs -i img tree /
try ext4
image img 20M mkfs.ext4 -q -N 64
refuses 1 "cannot create regular file 'img:/tree/[0-9]+': No space .*" \
	cptofs -i img tree /
try ext4
# xfs wants at least 300 MB
for i in $(seq 20); do
	truncate -s 20M "tree/$i"
	head -c 20M /dev/urandom >"tree/$i"
done
image img 300M mkfs.xfs -q
refuses 1 "error writing 'img:/tree/[0-9]+': No space left on device" \
	cptofs -i img tree /
try xfs
