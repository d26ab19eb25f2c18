#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# cptofs.exe and cpfromfs.exe, under Wine: Ctrl-C ends a copy and leaves the image
# whole, a partition is found, and mistakes are told in the same words as on Linux.

. "$(dirname "$0")/../common/tools.sh"
. "$(dirname "$0")/../common/wine.sh"
need mkfs.ext4 sfdisk

# mistake STATUS TEXT NAME ARGUMENT...
mistake() {
	exits "$1" "${@:3}"
	grep -qF "$2" tool.log || { cat tool.log; fail "${*:3}: not '$2'"; }
}

mkdir -p tree/deep/er "tree/ä ß" tree/many
for i in $(seq 1000); do
	echo "file $i" >"tree/many/$i"
done
seq 200000 >tree/deep/er/large
echo text >"tree/ä ß/日本語 🐧.txt"
: >tree/empty

# Ctrl-C, once the copy has begun: what is there is whole.
mkdir files
python3 -c '
for i in range(16000):
    with open(f"files/{i}", "w") as f:
        f.write("x" * 2000)
'
image img 256M mkfs.ext4 -q
before=$(stat -c %y img)
wine64 "$WINDOWS/bin/cptofs.exe" -i img files / >tool.log 2>&1 &
copy=$!
while [ "$(stat -c %y img)" = "$before" ] && kill -0 $copy; do
	sleep 0.1
done
status=0
kill -INT $copy
wait $copy || status=$?
[ $status = 130 ] || { cat tool.log; fail "Ctrl-C: exit status $status"; }
e2fsck -fn img >fsck.log 2>&1 || { cat fsck.log; fail "e2fsck after Ctrl-C"; }

# A partition, of a disk that is named with a drive letter and backslashes.
truncate -s 80M disk
echo '2048,65536,L
,,L' | sfdisk -q disk
image part 32M mkfs.ext4 -q
dd if=part of=disk bs=1M seek=1 conv=notrunc status=none
quiet cptofs -i "z:${TMP//\//\\}\\disk" -P 1 'tree\deep' /
cpfromfs -i disk -P 1 /deep part1
diff -r tree/deep part1 || fail "the partition has other files"

# Mistakes.
mistake 2 "cannot open 'none': No such file or directory" cptofs -i none tree /
mistake 2 "'disk' has no partition 7; it has: 1 (ext4), 2" cptofs -i disk -P 7 tree /
mistake 2 "missing target after 'tree'" cptofs -i disk tree
mistake 2 "cptofs: " cptofs --no-such-option
[ "$(sed 's/: .*//' tool.log | head -n 1)" = cptofs ] || fail "another name: $(cat tool.log)"
image small 4M mkfs.ext4 -q -O ^has_journal
mistake 1 "No space left on device" cptofs -i small tree/deep tree/many "$TOP/docs" "$TOP/lib" "$TOP/tools" /
mistake 1 "cannot stat 'img:/none': No such file or directory" cpfromfs -i img /none back
image names 16M mkfs.ext4 -q
mkdir odd
touch 'odd/a:b' odd/con 'odd/end.' odd/fine
cptofs -i names odd /
mkdir back
mistake 1 "cannot create" cpfromfs -i names /odd back
[ -e back/odd/fine ] || fail "a name that is good is not there"
[ "$(grep -c "Invalid argument" tool.log)" = 3 ] ||
	{ cat tool.log; fail "names that Windows cannot have"; }
