#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: fs-matrix-write.sh [unix|foreign]
#
# File systems made by the host's mkfs are written here, found in order by the
# host's fsck, mounted and compared by the host's kernel where it can, and read
# here again.

. "$(dirname "$0")/../common/tools.sh"
[ "${1:-unix}" = unix ] || need 7zz

trap 'umount "$TMP/mnt" 2>/dev/null || true; cleanup' EXIT
mkdir mnt
"$COMMON/make-tree.sh" full "$(id -un)"
is_root || chmod 400 full/mode-0
"$COMMON/make-tree.sh" nodev user
is_root || chmod 400 nodev/mode-0
# for file systems that know no more
mkdir -p plain/dir/a/b
cp full/big full/file full/empty plain
seq 100000 >plain/dir/numbers
for i in $(seq 200); do echo "$i" >"plain/dir/a/file-$i"; done
find plain -exec touch -d @1234567890 {} +
status=0

# by_7zip TREE: 7-Zip, which has code of its own, finds the same contents
by_7zip() {
	7zz x -snld -oseven img
	set -- "$1" "$(find seven -name "$1")"
	diff -r --no-dereference "$1" "$2" || fail "7-Zip sees something else"
	rm -rf seven
}

# fsck TYPE TREE: the host's own check, or as near to one as there is
fsck() {
	case $1 in
	minix) fsck.minix -f img ;;
	ntfs3) ntfsfix -n img && ntfscat img "$2/big" | cmp - "$2/big" ;;
	hfsplus) by_7zip "$2" ;;
	udf)
		# 7-Zip wants blocks of 2 KiB
		if udfinfo img | grep -q '^blocksize=2048$'; then
			by_7zip "$2"
		else
			[ "$(udfinfo img | grep -cE \
				'^(numfiles=204|numdirs=5|integrity=closed)$')" = 3 ]
		fi
		;;
	*) check "$1" img ;;
	esac
}

# by_host TYPE SKIP TREE: the host's kernel sees the same, if it can mount it
by_host() {
	is_root && grep -q "\\<$1\$" /proc/filesystems &&
		mount -t "$1" -o loop,ro img mnt 2>/dev/null || return 0
	# xfs shows ACLs to root a second time
	if [ "$1" = xfs ]; then
		"$COMMON/manifest.py" "$3" >a.manifest
		"$COMMON/manifest.py" "mnt/$3" |
			sed 's/ trusted.SGI_ACL_[A-Z]*=[0-9a-f]*//g' |
			diff a.manifest - || fail "the host sees something else"
	else
		same -s "$2" "$3" "mnt/$3"
	fi
	umount mnt
}

# row NAME TYPE SKIP TREE MKFS...
row() {
	local name=$1 type=$2 skip=$3 tree=$4
	shift 4
	if ! command -v "$1" >/dev/null; then
		echo "left out: $name, no $1"
		return
	fi
	if (
		image img "${size:-128M}" "$@"
		cptofs -t "$type" ${options:+-O "$options"} -i img "$tree" / ||
			fail "status $?"
		fsck "$type" "$tree" >fsck.log 2>&1 || { cat fsck.log; fail "fsck"; }
		by_host "$type" "$skip" "$tree"
		cpfromfs -t "$type" -i img "/$tree" out || fail "status $?"
		same -s "$skip" "$tree" out
	) >log 2>&1; then
		echo "ok $name"
	else
		sed 's/^/    /' log | tail -n 8
		echo "FAIL $name"
		status=1
		umount mnt 2>/dev/null || true
	fi
	[ ! -e out ] || chmod -R u+rwx out
	rm -rf out
}

case ${1:-unix} in
unix)
	row ext2 ext2 "" full mkfs.ext4 -q -t ext2
	row ext3 ext3 "" full mkfs.ext4 -q -t ext3
	row ext4 ext4 "" full mkfs.ext4 -q -b 4096
	row ext4-1k ext4 "" full mkfs.ext4 -q -b 1024
	row ext4-no-journal ext4 "" full mkfs.ext4 -q -O ^has_journal
	row ext4-plain ext4 "" full mkfs.ext4 -q -O ^metadata_csum,^64bit
	row ext4-inline ext4 "" full mkfs.ext4 -q -O inline_data,metadata_csum
	row ext4-more ext4 "" full mkfs.ext4 -q -O bigalloc,quota,project,ea_inode,large_dir
	size=320M
	row xfs xfs "" full mkfs.xfs -q
	row xfs-1k xfs "" full mkfs.xfs -q -b size=1024 -m reflink=1,rmapbt=1
	options=compress-force=zstd row btrfs-zstd btrfs holes full mkfs.btrfs -q
	options=compress-force=lzo row btrfs-mixed btrfs holes full mkfs.btrfs -q -M
	size=128M
	row btrfs-blake2 btrfs "" full mkfs.btrfs -q --csum blake2
	row f2fs f2fs "" full mkfs.f2fs -q
	options='compress_algorithm=zstd,compress_extension=*' \
		row f2fs-zstd f2fs holes full mkfs.f2fs -q -O extra_attr,compression
	;;
foreign)
	few=owner,mode,xattr,holes
	row vfat vfat $few plain mkfs.vfat
	row vfat32 vfat $few plain mkfs.vfat -F 32 -s 1
	row exfat exfat $few plain mkfs.exfat
	# ntfs3 of Linux 6.12 loses ACLs and the numbers of devices
	setfacl -R -b nodev
	row ntfs ntfs3 holes,time nodev mkntfs -qF
	row udf udf "" plain mkudffs
	row udf-dvd udf "" plain mkudffs --media-type=dvdram
	row hfsplus hfsplus time,xattr plain "$COMMON/mkhfsplus.py"
	row minix1 minix "" plain mkfs.minix -1
	row minix2 minix "" plain mkfs.minix -2
	row minix3 minix "" plain mkfs.minix -3
	;;
esac
exit $status
