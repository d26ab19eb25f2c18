#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Damaged images of all file systems neither hang, crash nor mislead the library:
# hostile.c says what is done.
#
# usage: hostile.sh [COUNT [FIRST]]

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 mkfs.xfs mkfs.btrfs mkfs.vfat mkfs.exfat mkntfs ntfscp mcopy \
	mksquashfs mkfs.erofs genisoimage
count=${1:-2600} first=${2:-0}

# Many small things: what describes files shall be more than what is in them.
mkdir -p tree/dir/deep/er tree/many
seq 4000 >tree/numbers
head -c 20000 /dev/urandom >tree/noise
for i in $(seq 60); do echo "$i" >"tree/many/file-with-a-name-$i"; done
mkdir plain
cp -r tree/. plain
ln -s numbers tree/link
ln -s "$(printf 'n%.0s' $(seq 200))" tree/long-link
ln tree/numbers tree/hard
mkfifo tree/fifo
truncate -s 1M tree/hole
echo end >>tree/hole
setfattr -n user.color -v blue tree/numbers
setfattr -n user.long -v "$(printf 'v%.0s' $(seq 900))" tree/noise

mkdir base
image base/ext4.ext4 8M mkfs.ext4 -q -d tree
image base/plain.ext4 8M mkfs.ext4 -q -O ^metadata_csum,^has_journal,inline_data -I 512 -d tree
image base/ext2.ext2 4M mkfs.ext4 -q -t ext2 -d tree
image base/xfs.xfs 32M mkfs.xfs -q --unsupported
image base/v4.xfs 32M mkfs.xfs -q --unsupported -m crc=0,finobt=0,reflink=0
image base/btrfs.btrfs 16M mkfs.btrfs -q --mixed -r tree
image base/fat16.vfat 8M mkfs.vfat -F 16 -s 1
image base/fat32.vfat 40M mkfs.vfat -F 32
image base/exfat.exfat 4M mkfs.exfat
image base/ntfs.ntfs3 4M mkntfs -qF
mksquashfs tree base/gzip.squashfs -quiet -no-progress
mksquashfs tree base/plain.squashfs -quiet -no-progress -noI -noD -noF -noX
mkfs.erofs base/erofs.erofs tree >mkfs.log 2>&1
mkfs.erofs -zlz4hc base/lz4.erofs tree >mkfs.log 2>&1
genisoimage -quiet -R -o base/rock.iso9660 tree 2>mkfs.log
genisoimage -quiet -J -o base/joliet.iso9660 plain 2>mkfs.log
for fs in base/*.xfs; do cptofs -i "$fs" tree/. /; done
for fs in base/*.vfat base/*.exfat base/*.ntfs3; do
	cptofs -i "$fs" plain/. /
done

status=0
"$BUILD/tests/hostile" 20261121 "$first" "$count" base/* >log || status=$?
# each complaint once, with an example
sed -n 's/^case \([0-9]*\): \([^,]*\), [^:]*: \([a-z]*: .*\)/\3\t\1 \2/p' log |
	sed -E 's/pid [0-9]+|PID: [0-9]+|0x[0-9a-f]{6,}//g' | sort |
	awk -F '\t' '{ n[$1]++; if (!eg[$1]) eg[$1] = $2 }
		END { for (w in n) printf "%5d %s (case %s)\n", n[w], w, eg[w] }' |
	sort -rn
tail -n 1 log
exit $status
