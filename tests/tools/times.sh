#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Times before 1970 with fractions, in archives as GNU tar has them; times that a
# file system cannot hold.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 mkfs.vfat tar

mkdir tree
for time in 1969-12-31T23:59:58.25 1960-02-03T04:05:06.75 1950-01-01T00:00:00.000000001 \
	1969-12-31T23:59:58 2001-01-01T00:00:00.5 1970-01-01T00:00:00.5; do
	touch -d "${time}Z" "tree/$time"
done
times() { find "$1" -type f -printf '%f %T+\n' | sort; }
times tree >want

# ours, read by GNU tar and by us; GNU tar's, read by us
image img 64M mkfs.ext4 -q -I 256
cptofs -i img tree /
fs2tar img ours.tar /tree
mkdir out
tar -C out -xf ours.tar
times out/tree | diff want -
tar --format=pax -cf gnu.tar tree
for file in ours gnu; do
	image img 64M mkfs.ext4 -q -I 256
	tar2fs $file.tar img
	rm -rf out
	cpfromfs -i img /tree out
	times out | diff want -
done

# What is out of range is told once.
touch -d 2040-01-01 far
touch -d 1890-01-01 near
touch -d 2000-01-01 now
image img 16M mkfs.ext4 -q -I 128
cptofs -i img far near / 2>log
[ "$(cat log)" = "cptofs: warning: cannot keep times, as that of 'img:/far': Numerical result out of range" ] ||
	{ cat log; fail "not one warning"; }
cptofs -i img now / 2>log
[ ! -s log ] || { cat log; fail "a warning"; }
tar --format=pax -cf far.tar far near
tar2fs far.tar img 2>log
[ "$(grep -c 'cannot keep times' log)" = 1 ] || { cat log; fail "tar2fs"; }
image img 16M mkfs.vfat
cptofs -i img far now / 2>log
! grep -q times log || { cat log; fail "vfat knows 2040"; }
cptofs -i img near / 2>log
grep -q "cannot keep times, as that of 'img:/near'" log || { cat log; fail "vfat"; }
image img 64M mkfs.ext4 -q -I 256
cptofs -i img far / 2>log
[ ! -s log ] || { cat log; fail "ext4 knows 2040"; }

# which attribute it was
touch attr
setfattr -n user.color -v "$(head -c 3000 /dev/zero | tr '\0' x)" attr
image img 16M mkfs.ext4 -q -b 1024 -I 128
cptofs -i img attr / 2>log && fail "kept"
grep -q "cannot set extended attribute 'user.color' of 'img:/attr': No space" log || { cat log; fail; }
