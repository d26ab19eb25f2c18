#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# --disk names the other disks of a file system that spans several.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.btrfs mkfs.xfs

mkdir tree
seq 100000 >tree/numbers
for i in $(seq 100); do echo "$i" >"tree/$i"; done

# RAID1 of btrfs
truncate -s 320M a b
mkfs.btrfs -q -d raid1 -m raid1 a b >mkfs.log
refuses 2 "cannot mount 'a' as btrfs: .*" cptofs -i a tree /
refuses 2 "cannot open 'none': No such .*" cptofs -i a -D none tree /
cptofs -i a -D b tree /
cpfromfs -i b -D a /tree out
same tree out
fs2tar -D b a ab.tar
fs2tar -D a b ba.tar
cmp ab.tar ba.tar
# each of them has everything
for disk in a b; do
	rm -rf out
	cpfromfs -i $disk -O degraded /tree out
	same tree out
done

# an xfs with its log on another disk
truncate -s 320M data
truncate -s 80M log
mkfs.xfs -q -l logdev=log,size=64m data
cptofs -i data -D log -O logdev=/disk1 tree /
xfs_repair -n -l log data >repair.log 2>&1 || { cat repair.log; fail "damaged"; }
cptofs -i data -D log -O logdev=/disk1 tree/1 /
