#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What is copied out of an image does not take the image's own place, under any name
# or link of it, and neither does an archive or a list of labels.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4

mkdir tree
echo evil >tree/img
echo evil >tree/second
ln tree/img tree/zlink
mkdir -p tree/way/img
image img 16M mkfs.ext4 -q
image second 16M mkfs.ext4 -q
cptofs -i img tree/. /
cp img before
ln -s img link
ln img hard
reason="it is the image itself"
refuses 1 "cannot create regular file './img': $reason" cpfromfs -i img /img .
refuses 1 "cannot create regular file 'hard': $reason" cpfromfs -i img /img hard
refuses 1 "cannot create regular file '$TMP/img': $reason" cpfromfs -i link /img "$TMP"
refuses 1 "cannot create regular file './second': $reason" cpfromfs -D second -i img /second .
refuses 1 "cannot create regular file './img': $reason" lkl cp img:/img .
refuses 2 "cannot create 'img': $reason" fs2tar img img
refuses 2 "cannot create 'hard': $reason" fs2tar img hard
refuses 2 "cannot create 'img': $reason" fs2tar -s img img out.tar
! cpfromfs -i img /way/. . 2>log || fail "a directory took the place"
cmp img before
# which mounts it to be written to
! lkl sh img -c 'cp :/img .' 2>log || fail "lkl sh"
grep -q "cannot create regular file './img': $reason" log || { cat log; fail "lkl sh"; }
[ img -ef hard ] || fail "another file has the name"
check ext4 img
# other files are replaced
echo old >other
cpfromfs -i img /img other
echo evil | cmp - other
