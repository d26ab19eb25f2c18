#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Members of md arrays, whose superblocks mdadm finds right before and after they
# are written.

. "$(dirname "$0")/../common/tools.sh"
need mdadm mkfs.ext4

mkdir tree
seq 200000 >tree/big
ln tree/big tree/link
image raw 24M mkfs.ext4 -q

# examine FILE...: the superblocks are right
examine() {
	local file
	for file; do
		mdadm -E "$file" >md.log 2>&1 || { cat md.log; fail "no superblock in $file"; }
		grep -q 'Checksum : .* - correct' md.log || { cat md.log; fail "$file: checksum"; }
		grep -q 'State : clean' md.log || { cat md.log; fail "$file: not clean"; }
	done
}

for array in "1.2 1" "1.2 0" "1.2 5" "1.0 1" "0.90 5"; do
	version=${array% *} level=${array#* }
	rm -rf m? out
	"$COMMON/mkmd.py" "$version" "$level" raw m1 m2 m3
	examine m1 m2 m3
	cptofs -i m1 -D m2 -D m3 tree /
	examine m1 m2 m3
	"$COMMON/mkmd.py" -d "$version" "$level" 25165824 back m1 m2 m3
	check ext4 back
	cpfromfs -i m3 -D m1 -D m2 /tree out
	same tree out
done
lkl info m1 -D m2 -D m3 | grep -Eq '^ +- +- +25 MB +[0-9.]+ MB +ext4 ' || fail "info"

# What is missing makes it unsafe to write, but not to read.
cksum m? >before
refuses 2 "'m1' is one of 3 disks of a RAID array, of which 2 are here; without all it can only be read" \
	cptofs -i m1 -D m3 tree /again
lkl cat m1 -D m3 /tree/big | cmp - tree/big
refuses 2 "cannot start the RAID array in 'm1': .*" lkl ls m1
cksum m? | cmp - before

# A journal that must be replayed is, in memory
debugfs -w -R "feature needs_recovery" raw 2>/dev/null
"$COMMON/mkmd.py" 1.2 1 raw m1 m2
cksum m1 m2 >before
lkl ls m1 -D m2 >/dev/null 2>warnings
grep -q "warning: 'm1' was not unmounted cleanly; its journal is replayed in memory only" warnings ||
	{ cat warnings; fail "no warning"; }
cksum m1 m2 | cmp - before

[ -w /dev/fuse ] && command -v fusermount3 >/dev/null || skip "the rest needs FUSE"
"$COMMON/mkmd.py" 1.2 5 back m1 m2 m3
mkdir mnt
trap 'fusermount3 -uqz "$TMP/mnt" || true; cleanup' EXIT
lklfuse m1 mnt -o disk=m2,disk=m3 2>warnings
[ ! -s warnings ] || { cat warnings; fail "warnings"; }
cmp mnt/tree/big tree/big
cp -r tree mnt/again
fusermount3 -u mnt
flock m3 true
examine m1 m2 m3
lkl cat m2 -D m1 -D m3 /again/big | cmp - tree/big
