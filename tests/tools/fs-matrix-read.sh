#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# File systems written by the host's tools are read here.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 mkfs.btrfs sload.f2fs mcopy ntfscp mksquashfs mkfs.erofs \
	genisoimage xorriso mkfs.cramfs genromfs

mkdir -p tree/dir/a/b
echo hello >tree/file
: >tree/empty
head -c 300000 /dev/urandom >tree/random
seq 200000 >tree/dir/numbers
echo deep >tree/dir/a/b/deep
for i in $(seq 200); do echo "$i" >"tree/dir/a/file-$i"; done
cp -r tree tree-rich
chmod 750 tree-rich/dir/a
! is_root || chmod 4711 tree-rich/file
ln -s dir/numbers tree-rich/link
ln tree-rich/file tree-rich/hard
# whole seconds, and even ones
find tree tree-rich -exec touch -h -d @1234567890 {} +
touch -d '2001-02-03 04:05:06' tree/file tree-rich/file
status=0

# row NAME TYPE SKIP TREE COMMAND...: the command makes img from the tree
row() {
	local name=$1 type=$2 skip=$3 tree=$4
	shift 4
	[ ! -e out ] || chmod -R u+rwx out
	rm -rf img out
	if (
		truncate -s 32M img
		"$@" >mk.log 2>&1 || { cat mk.log; fail "$*"; }
		cpfromfs -t "$type" -P "${part:-0}" ${options:+-O "$options"} \
			-i img / out 2>copy.log || { cat copy.log; fail "status $?"; }
		# the root, and this, are the tool's own
		[ ! -d out/lost+found ] || rmdir out/lost+found
		touch -r "$tree" out
		chmod --reference="$tree" out
		same -s "$skip" "$tree" out
	) >log 2>&1; then
		echo "ok $name"
	else
		sed 's/^/    /' log | tail -n 8
		echo "FAIL $name"
		status=1
	fi
}

# what follows the image in a command's arguments
mk() { rm -f img && "$@"; }
sq() { mk mksquashfs tree-rich img -noappend -no-progress "$@"; }
erofs() { mk mkfs.erofs "$@" img tree-rich; }
iso() { mk genisoimage -o img "$@"; }
xorr() { mk xorriso -outdev img "$@" -map tree-rich / -commit; }
btrfs() { truncate -s 128M img && mkfs.btrfs -q -r tree-rich img; }
f2fs() { truncate -s 64M img && mkfs.f2fs -q img && sload.f2fs -f tree-rich img; }
vfat() { truncate -s 40M img && mkfs.vfat "$@" img && mcopy -ms -i img tree/* ::; }
ntfs() {
	mkntfs -qF img
	for f in few/*; do ntfscp img "$f" "${f##*/}"; done
}
mkdir few
cp tree/file tree/random few

for compressor in gzip lzo xz lz4 zstd; do
	row "squashfs-$compressor" squashfs holes tree-rich sq -comp $compressor
done
row ext2 ext2 holes tree-rich mkfs.ext4 -q -t ext2 -d tree-rich img
row ext4 ext4 holes tree-rich mkfs.ext4 -q -d tree-rich img
row btrfs btrfs holes tree-rich btrfs
# everything belongs to root
row f2fs f2fs owner,holes,links tree-rich f2fs
row vfat vfat owner,mode,holes tree vfat
row vfat32 vfat owner,mode,holes tree vfat -F 32 -s 1
row ntfs ntfs3 owner,mode,time,holes few ntfs
row erofs erofs holes tree-rich erofs
row erofs-lz4 erofs holes tree-rich erofs -zlz4
row erofs-lz4hc erofs holes tree-rich erofs -zlz4hc,9 -C65536
row iso-rockridge iso9660 holes,links tree-rich iso -R -quiet tree-rich
row iso-xorriso iso9660 holes,links tree-rich xorr
options=norock row iso-joliet iso9660 owner,mode,holes tree iso -J -quiet tree
# Debian has nothing else that makes HFS+
part=3 row hfsplus hfsplus holes,links tree-rich xorr -hfsplus on
row udf udf owner,mode,holes tree iso -udf -quiet tree
row cramfs cramfs holes,time,links tree-rich mk mkfs.cramfs tree-rich img
row romfs romfs holes,time,links,mode tree mk genromfs -f img -d tree
exit $status
