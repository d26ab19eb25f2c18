#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fs2tar leaves no incomplete archive, and says what is wrong.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4

for tool in fs2tar tar2fs; do
	"$tool" --help | grep -q "^Usage: $tool " || fail "$tool --help"
	"$tool" --version | grep -Eq "^$tool \(lkl\) [0-9]" || fail "--version"
	bad_usage "$tool" "" "img" "--none a b" "-m x a b" "-P -1 a b" "-o 1:x a b" \
		"--mtime=1 a b"
done

image img 64M mkfs.ext4 -q
echo old >a.tar
head -c 5M /dev/urandom >big
cptofs -i img big /
# there is no room for it: the old one stays
trap 'umount "$TMP/mnt" 2>/dev/null || true; cleanup' EXIT
mkdir mnt
if is_root && mount -t tmpfs -o size=2M tmpfs mnt; then
	echo old >mnt/a.tar
	refuses 2 "error writing 'mnt/a.tar': .*No space.*" \
		fs2tar img mnt/a.tar
	[ "$(cd mnt && echo *)" = a.tar ] || fail "rubbish left"
	echo old | cmp - mnt/a.tar
fi
refuses 2 "cannot create 'none/a.tar': No such .*" fs2tar img none/a.tar
refuses 2 "cannot open 'none': No such .*" fs2tar none a.tar
echo old | cmp - a.tar
if [ -c /dev/full ]; then
	fs2tar img - >/dev/full 2>log && fail "wrote to a full disk"
	grep -q "'-' is incomplete" log || { cat log; fail "silent"; }
fi
# a part is missing: the rest is there
status=0
fs2tar img b.tar /big /none 2>log || status=$?
[ $status = 1 ] || fail "status $status"
grep -q "'img:/none': No such file" log
[ "$(tar -tf b.tar)" = big ] || fail "$(tar -tf b.tar)"

# a file that cannot be read to its end is filled up, and that is said
if command -v mkfs.btrfs >/dev/null; then
	image damaged 320M mkfs.btrfs -q
	mkdir tree
	echo fine >tree/zz
	printf 'to be damaged\n%.0s' $(seq 20000) >tree/file
	cptofs -i damaged tree /
	offset=$(grep -abo -m 1 "to be damaged" damaged >offsets; head -n 1 offsets | cut -d: -f1)
	printf X | dd of=damaged bs=1 seek=$((offset + 200000)) conv=notrunc \
		status=none
	status=0
	fs2tar damaged b.tar 2>log || status=$?
	[ $status = 1 ] || { cat log; fail "damaged: status $status"; }
	grep -q "error reading 'damaged:.*/file': Input/output error" log
	grep -q "filling up with zeros 'damaged:/tree/file'" log
	tar -xf b.tar
	[ "$(stat -c %s tree/file)" = 280000 ] || fail "wrong size"
	[ "$(head -n 1 tree/file)" = "to be damaged" ] || fail "nothing is left"
	echo fine | cmp - tree/zz
fi
