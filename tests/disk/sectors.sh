#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Disks with sectors of 4096 bytes: images made for them, devices, and servers.

. "$(dirname "$0")/../common/tools.sh"
need fdisk mkfs.ext4 mkfs.vfat qemu-img nbdkit

# disk FILE LABEL SIZE: two partitions that count in sectors of SIZE, the second
# with a file system
disk() {
	local start
	rm -f "$1"
	truncate -s 80M "$1"
	case $2 in
	gpt) printf '%s\n' g n 1 $((1048576 / $3)) $((9437184 / $3 - 1)) n 2 $((9437184 / $3)) \
		$((59768832 / $3 - 1)) w ;;
	dos) printf '%s\n' o n p 1 $((1048576 / $3)) $((9437184 / $3 - 1)) n p 2 $((9437184 / $3)) \
		$((59768832 / $3 - 1)) w ;;
	esac | fdisk -b "$3" -w always -W always "$1" >fdisk.log 2>&1 || { cat fdisk.log; fail fdisk; }
	start=$((1048576 * 9))
	dd if=ext4 of="$1" bs=1M seek=$start oflag=seek_bytes conv=notrunc,sparse status=none
}

seq 100000 >file
image ext4 48M mkfs.ext4 -q -b 4096
for label in gpt dos; do
	for size in 512 4096; do
		disk $label-$size $label $size
		cptofs -i $label-$size -P 2 file /
		lkl cat -P 2 $label-$size /file | cmp - file || fail "$label-$size"
		lkl info $label-$size >log
		grep -Eq '^ +2 +18432 .* ext4 ' log || { cat log; fail "$label-$size: info"; }
		[ $size = 512 ] || grep -q 'sectors of 4096 bytes' log || { cat log; fail "$label"; }
		lkl cat $label-$size /file | cmp - file || fail "$label-$size: no partition found"
		refuses 2 "'$label-$size' is partitioned, choose one with -P: 1, 2 \(ext4\)" \
			lkl ls -P none $label-$size
	done
done
# as it is said to be
refuses 2 "'gpt-4096' has no partition 2.*" lkl ls --sector-size=512 -P 2 gpt-4096
lkl ls --sector-size=4096 -P 2 gpt-4096 | grep -qx file || fail "said to be 4096"
refuses 2 "'gpt-512' has no partition 2.*" lkl ls --sector-size=4096 -P 2 gpt-512
lkl ls --sector-size=1000 gpt-512 2>log && fail "took 1000"
grep -q "invalid sector size: '1000'" log || { cat log; fail; }
# the file system sees it, and one without partitions too
truncate -s 64M fat
mkfs.vfat -S 4096 fat >/dev/null
cptofs --sector-size=4096 -i fat file /
lkl cat fat /file | cmp - file

qemu-img convert -O qcow2 gpt-4096 disk.qcow2
lkl cat -P 2 disk.qcow2 /file | cmp - file || fail qcow2
nbdkit -U - --filter=blocksize-policy file gpt-4096 blocksize-minimum=4096 \
	blocksize-error-policy=error --run 'lkl cat -P 2 "$uri" /file' >out 2>log ||
	nbdkit -U - file gpt-4096 --run 'lkl cat -P 2 "$uri" /file' >out
cmp out file || fail nbd

if [ -w /dev/fuse ] && command -v fusermount3 >/dev/null; then
	mkdir mnt
	trap 'fusermount3 -uqz "$TMP/mnt" || true; cleanup' EXIT
	lklfuse gpt-4096 mnt -o part=2
	cmp mnt/file file
	fusermount3 -u mnt
fi

# a real one
is_root && loop=$(losetup -f --show --sector-size 4096 gpt-4096 2>/dev/null) ||
	skip "the rest needs a loop device with sectors of 4096 bytes"
trap 'losetup -d "$loop"; cleanup' EXIT
[ "$(blockdev --getss "$loop")" = 4096 ] || skip "the loop device has other sectors"
lkl cat -P 2 "$loop" /file | cmp - file || fail "a device"
echo more >more
cptofs -P 2 -i "$loop" more /
lkl cat -P 2 "$loop" /more | cmp - more || fail "writing to a device"
