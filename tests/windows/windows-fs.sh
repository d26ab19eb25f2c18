#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: windows-fs.sh [all]
#
# cptofs.exe and cpfromfs.exe, under Wine, and file systems made by Linux's tools: a
# thousand files and one of 5 GiB are the same for Linux's programs afterwards, whose
# fsck finds nothing.  By default in a few file systems.

. "$(dirname "$0")/../common/tools.sh"
. "$(dirname "$0")/../common/wine.sh"
need mkfs.ext4 mkfs.xfs mkfs.btrfs mkfs.vfat mkfs.exfat mkntfs mkudffs mksquashfs \
	mkfs.erofs genisoimage

mkdir -p tree/deep/er "tree/ä ß" tree/many big
for i in $(seq 1000); do
	echo "file $i" >"tree/many/$i"
done
seq 200000 >tree/deep/er/large
echo text >"tree/ä ß/日本語 🐧.txt"
: >tree/empty
find tree -exec touch -d '2021-03-04 05:06:08.1234567' {} +
truncate -s 5G big/file
echo begin | dd of=big/file conv=notrunc status=none
echo end | dd of=big/file bs=1M seek=5000 conv=notrunc status=none
status=0

# fsck TYPE: the host's own check, or as near to one as there is
fsck() {
	case $1 in
	ntfs) ntfsfix -n img >fsck.log 2>&1 || { cat fsck.log; fail "ntfsfix"; } ;;
	udf)
		udfinfo img | grep -qx 'integrity=closed' ||
			{ udfinfo img; fail "udf was not closed"; }
		;;
	*) check "$1" img ;;
	esac
}

# times DIRECTORY: what each file is, and when it was changed
times() {
	(cd "$1" && find . -mindepth 1 \( -type d -printf '%P %T@\n' -o \
		-printf '%P %s %T@\n' \) | sort)
}

# both TREE: both ways out of the image give what went in
both() {
	cpfromfs -i img "/$1" here 2>copy.log || grep -q "cannot keep" copy.log ||
		{ cat copy.log; fail "cpfromfs"; }
	exits 0 cpfromfs -i img "/$1" there
	diff -r "$1" here || fail "what cptofs.exe has written differs"
	diff -r "$1" there || fail "what cpfromfs.exe has read differs"
}

# row NAME FEATURES SIZE MKFS...: of the features, "times" are kept to 100 ns, "big" is
# a file of 5 GiB with holes
row() {
	local name=$1 features=$2 size=$3 type=${1%-*}
	shift 3
	rm -rf here there
	if (
		image img "$size" "$@"
		exits 0 cptofs -i img tree /
		[ ! -s tool.log ] || { cat tool.log; fail "cptofs.exe has something to say"; }
		fsck "$type"
		both tree
		case $features in *times*)
			times here >a
			times there >b
			times tree | tee want | diff - a || fail "times of cptofs.exe"
			diff want b || fail "times of cpfromfs.exe"
			;;
		esac
		rm -rf here there
		case $features in *big*)
			exits 0 cptofs -i img big /
			fsck "$type"
			both big
			;;
		esac
	) >row.log 2>&1; then
		echo "ok $name"
	else
		sed 's/^/    /' row.log | tail -n 12
		echo "FAIL $name"
		status=1
	fi
}

# made NAME COMMAND...: the command makes img from the tree, which is only read
made() {
	local name=$1
	shift
	rm -rf img here there
	if (
		"$@" >mk.log 2>&1 || { cat mk.log; fail "$*"; }
		exits 0 cpfromfs -i img / there
		diff -r tree there || fail "what cpfromfs.exe has read differs"
	) >row.log 2>&1; then
		echo "ok $name"
	else
		sed 's/^/    /' row.log | tail -n 12
		echo "FAIL $name"
		status=1
	fi
}

row ext4 "times big" 64M mkfs.ext4 -q
row xfs times 320M mkfs.xfs -q
row btrfs times 128M mkfs.btrfs -q
row vfat "" 64M mkfs.vfat
row ntfs times 64M mkntfs -qF
made erofs-lz4 mkfs.erofs -zlz4 img tree
made squashfs mksquashfs tree img -noappend -no-progress
[ "${1:-}" = all ] || exit $status

row ext2 big 64M mkfs.ext4 -q -t ext2 -I 128
row ext3 "times big" 64M mkfs.ext4 -q -t ext3
row ext4-1k "times big" 64M mkfs.ext4 -q -b 1024
row xfs-big "times big" 320M mkfs.xfs -q
row btrfs-big "times big" 128M mkfs.btrfs -q
row exfat "" 64M mkfs.exfat
# a file of NTFS has no holes if Linux writes it
row ntfs-big "times big" 6G mkntfs -qF
row udf big 64M mkudffs
made squashfs-zstd mksquashfs tree img -noappend -no-progress -comp zstd
made erofs mkfs.erofs img tree
made iso9660 genisoimage -quiet -R -o img tree
exit $status
