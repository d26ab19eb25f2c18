#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A message names what is too small: inodes, sizes of files, memory.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 mkfs.xfs mkntfs mkfs.btrfs btrfstune

mkdir tree
for i in $(seq 100); do : >"tree/$i"; done
image img 20M mkfs.ext4 -q -N 64
refuses 1 "cannot create regular file 'img:/tree/[0-9]+': No space left on device \(all inodes are in use\)" \
	cptofs -i img tree /
image img 20M mkfs.ext4 -q

# limits of the process
status=0
(ulimit -f 1000; cptofs -i img tree /) 2>log || status=$?
[ $status -le 2 ] || { cat log; fail "ulimit -f: status $status"; }
[ $status = 0 ] || grep -Eq "^cptofs: .*(: File too large|ulimit -f)" log || { cat log; fail "ulimit -f"; }
status=0
(ulimit -v 200000; cptofs -i img tree /) 2>log || status=$?
[ $status -le 2 ] || { cat log; fail "ulimit -v: status $status"; }
[ $status = 0 ] || grep -q "ulimit -v" log || { cat log; fail "ulimit -v"; }
head -c 3000000 /dev/urandom >big
image img 20M mkfs.ext4 -q
cptofs -i img big /
mkdir out
status=0
(ulimit -f 1000; cpfromfs -i img /big out) 2>log || status=$?
[ $status -le 2 ] && [ $status != 0 ] || { cat log; fail "a big file: status $status"; }
grep -Eq "File too large|ulimit -f" log || { cat log; fail "a big file"; }
[ ! -e out/big ] || fail "half a file"

# A file of holes on a file system that does not tell where they are
truncate -s 300M sparse
echo middle | dd of=sparse bs=1 seek=100M conv=notrunc status=none
image ntfs 64M mkntfs -qF
cptofs -i ntfs -O sparse sparse /
cpfromfs -i ntfs /sparse out
[ "$(du -k out/sparse | cut -f 1)" -lt 2000 ] || fail "$(du -k out/sparse)"
cmp sparse out/sparse
fs2tar ntfs s.tar
[ "$(stat -c %s s.tar)" -lt 2000000 ] || fail "$(stat -c %s s.tar)"
mkdir un
tar -C un -xf s.tar ./sparse
cmp sparse un/sparse

# Disks that a file system wants to write to, though it is only read
truncate -s 320M xfs
truncate -s 70M journal
mkfs.xfs -q -l logdev=journal,size=64m xfs
cptofs -i xfs -D journal -O logdev=/disk1 big /
cksum xfs journal >before
lkl cat -D journal -O logdev=/disk1 xfs /big 2>log | cmp - big || { cat log; fail "external log"; }
[ ! -s log ] || { cat log; fail "a warning"; }
rm -rf out/*
cpfromfs -i xfs -D journal -O logdev=/disk1 /big out
cmp big out/big
fs2tar -D journal -O logdev=/disk1 xfs x.tar
cksum xfs journal | cmp - before
truncate -s 320M realtime
mkfs.xfs -q -f -r rtdev=realtime -l internal xfs
cptofs -i xfs -D realtime -O rtdev=/disk1 big /
lkl cat -D realtime -O rtdev=/disk1 xfs /big | cmp - big || fail "realtime device"

# what cannot be written
image seed 128M mkfs.btrfs -q
cptofs -i seed big /
btrfstune -S 1 seed >/dev/null
refuses 2 "cannot write to 'seed': read-only file system \(btrfs\)" cptofs -i seed tree /
lkl cat seed /big | cmp - big
