#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# cptofs and cpfromfs work on partitions, GPT and MBR, logical ones too.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 mkfs.vfat sfdisk dd

mkdir tree
echo hello >tree/file

# part IMG NUMBER MKFS...: make a file system in a partition
part() {
	local img=$1 start size
	read -r start size < <(sfdisk -q -l -o Device,Start,Sectors "$img" |
		awk -v name="$img$2" '$1 == name { print $2, $3 }')
	shift 2
	image part $((size * 512)) "$@"
	dd if=part of="$img" bs=1M seek=$((start * 512)) oflag=seek_bytes \
		conv=notrunc,sparse status=none
}

try() {
	cptofs -i "$1" -P "$2" tree /
	cpfromfs -i "$1" -P "$2" /tree out
	cmp tree/file out/file
	rm -rf out
}

truncate -s 128M gpt
printf 'label: gpt\n,30M,U\n,60M,L\n' | sfdisk -q gpt
part gpt 1 mkfs.vfat
part gpt 2 mkfs.ext4 -q
try gpt 1
try gpt 2

truncate -s 128M mbr
sfdisk -q mbr <<'END'
label: dos
1 : size=40M, type=83
2 : size=80M, type=5
5 : size=30M, type=83
6 : size=30M, type=83
END
part mbr 1 mkfs.ext4 -q
part mbr 6 mkfs.ext4 -q
try mbr 1
try mbr 6

refuses 2 "'gpt' is partitioned, choose one with -P: 1 \(vfat\), 2 \(ext4\)" \
	cptofs -i gpt tree /
