#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# cptofs.exe and lkl.exe, under Wine, with a whole disk: a loop device that Wine shows as
# one of Windows.  It tells neither its size nor that of its sectors.

. "$(dirname "$0")/../common/tools.sh"
. "$(dirname "$0")/../common/wine.sh"
is_root || skip "only root has disks"
need mkfs.ext4 sfdisk losetup

truncate -s 80M disk
echo '2048,65536,L
,,L' | sfdisk -q disk
image part 32M mkfs.ext4 -q
dd if=part of=disk bs=1M seek=1 conv=notrunc status=none
loop=$(losetup -f --show disk 2>log) || skip "no loop device here: $(cat log)"
trap 'rm -f "$WINEPREFIX/dosdevices/p::"; losetup -d "$loop"; end_wine' EXIT
ln -sfn "$loop" "$WINEPREFIX/dosdevices/p::"

seq 100000 >numbers
exits 0 lkl info '\\.\p:'
grep -q ': 84 MB, partition table dos' tool.log || { cat tool.log; fail "another size"; }
quiet cptofs -i '\\.\p:' -P 1 numbers /
quiet cpfromfs -i '\\.\p:' -P 1 /numbers back
cmp numbers back
sync "$loop"
dd if=disk of=part bs=1M skip=1 count=32 status=none
check ext4 part
lkl cat part /numbers | cmp - numbers
exits 2 cptofs -i '\\.\nul' numbers /
grep -q "is no disk\|cannot open" tool.log || { cat tool.log; fail "no disk"; }
