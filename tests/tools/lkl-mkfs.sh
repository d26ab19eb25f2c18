#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# lkl mkfs makes images of directories, archives and OCI images: the files are those
# of the source, the host's programs find no error, and label, UUID, size and
# partition are as asked for.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 mkfs.xfs sfdisk blkid python3

user=user
! is_root || user=root
"$COMMON/make-tree.sh" tree $user
touch -d '2012-12-12 12:12:12' tree

# copied IMAGE: what is in it
copied() {
	rm -rf out
	mkdir out
	cpfromfs -i "$1" /. out
	rm -rf out/lost+found
	touch -d '2012-12-12 12:12:12' out
}

for type in ext4 ext3 ext2 xfs btrfs f2fs; do
	command -v mkfs.$type >/dev/null || continue
	lkl mkfs -t $type tree img
	[ "$(blkid -p -s TYPE -o value img)" = $type ] || fail "not $type"
	check $type img
	copied img
	same tree out
	lkl mkfs -t $type --gpt tree disk
	sfdisk -q -V disk >/dev/null || fail "$type: the partition table"
	copied disk
	same tree out
done
mkdir simple
cp tree/file tree/big simple
mkdir simple/dir
cp tree/big simple/dir/Some.Long.Name
lkl mkfs -t vfat simple img 2>/dev/null || fail "vfat"
check vfat img
copied img
same -s mode,owner,time simple out

# owners, modes, and what is in the file of them
printf '# comment\n/file 7 8 4640\n/dir/Some.Long.Name - 9 -\n/with\\040space\t- - 700\n/ 3 4 711\n' >map
: >'simple/with space'
chmod 644 simple/file simple/dir/* 'simple/with space'
lkl mkfs -o 100 -g '*:200' --map=map simple img
lkl stat -c '%n %u %g %a' img / /file /big /dir/Some.Long.Name '/with space' >have
diff - have <<-END || fail "owners"
	/ 3 4 711
	/file 7 8 4640
	/big 100 200 644
	/dir/Some.Long.Name 100 9 644
	/with space 100 200 700
END
check ext4 img
echo '/none 1 1 1' >>map
refuses 1 "'map', line 6: there is no such file" lkl mkfs --map=map simple img
lkl stat img /file >/dev/null
echo '/none 1 1 8' >map
refuses 2 "'map', line 1: not PATH UID GID MODE" lkl mkfs --map=map simple new
printf '/a 1 1 1\n/a/ 1 1 1\n' >map
refuses 2 "'map': lines 1 and 2 have the same path" lkl mkfs --map=map simple new
rm 'simple/with space'

# label, UUID, sizes
uuid=12345678-9abc-def0-1234-56789abcdef0
for type in ext4 xfs btrfs f2fs; do
	command -v mkfs.$type >/dev/null || continue
	lkl mkfs -t $type -s 400M -L thelabel -U $uuid simple img 2>/dev/null ||
		{ [ $type = f2fs ] && continue; fail "$type -L -U"; }
	[ "$(stat -c %s img)" = $((400 << 20)) ] || fail "$type: size"
	[ "$(blkid -p -s LABEL -o value img) $(blkid -p -s UUID -o value img)" = "thelabel $uuid" ] ||
		fail "$type: label or UUID"
done
lkl mkfs -t vfat -L THELABEL -U $uuid simple img 2>/dev/null
[ "$(blkid -p -s LABEL -o value img) $(blkid -p -s UUID -o value img)" = "THELABEL 1234-5678" ] ||
	fail "vfat: label or UUID"
lkl mkfs --free=100M simple img
free=$(lkl df --json img | sed -n 's/.*"available": *\([0-9]*\).*/\1/p')
[ "$free" -gt $((80 << 20)) ] && [ "$free" -lt $((130 << 20)) ] || fail "--free: $free"
lkl mkfs --mkfs-option=-O --mkfs-option=^has_journal simple img
! dumpe2fs -h img 2>/dev/null | grep -q has_journal || fail "--mkfs-option"

# archives: a file, a pipe, compressed
tar -cf tree.tar -C simple .
lkl mkfs tree.tar img
copied img
same -s time simple out
gzip <tree.tar | lkl mkfs - img
copied img
same -s time simple out

# an OCI image: what tar2fs makes of it, which its own test checks
"$COMMON/mkoci.py" 42 oci want
sort -o want want
list() {
	lkl find "$1" / -path /lost+found -prune -o -type d -printf '%p d %m %U:%G \n' \
		-o -type f -printf '%p f %m %U:%G %s\n' -o -printf '%p l %m %U:%G %l\n' |
		grep -v '^/ ' | sort
}
tar -cf oci.tar -C oci .
for source in oci oci.tar; do
	lkl mkfs $source img
	list img | diff want - || fail "$source"
	check ext4 img
done
lkl mkfs -t xfs --oci - img <oci.tar
list img | diff want - || fail "--oci -"
lkl mkfs --tar oci.tar img
lkl stat img /oci-layout >/dev/null || fail "--tar"

# what is full, missing or wrong: one line, and the old image stays
cp img old
before=$(ls)
refused() {
	local want=$1
	shift
	refuses 2 "$want" lkl mkfs "$@" img
	cmp img old || fail "$*: the old image has gone"
	[ "$(ls | grep -v out.log)" = "$(grep -v out.log <<<"$before")" ] || { ls; fail "$*: something is left"; }
}
: >out.log
before=$(ls)
refused "cannot open 'none': No such file or directory" none
refused "mkfs.xfs failed: Filesystem must be larger than 300MB." -t xfs -s 100M simple
refused "error writing 'img:/dir/Some.Long.Name': No space left on device" -s 8M simple
refused "'img' would be a part of its own content" .
for file in index.json blobs/new.img; do
	cp oci/index.json index.json
	refuses 2 "'oci/$file' would be a part of its own content" lkl mkfs oci oci/$file
	cmp oci/index.json index.json || fail "the source was replaced"
	rm index.json
done
head -c 100000 tree.tar >cut.tar
cp tree.tar same.tar
refuses 2 "'same.tar' and 'same.tar' are the same file" lkl mkfs same.tar same.tar
cmp same.tar tree.tar || fail "the source has been replaced"
rm same.tar
mkdir -p pipes
touch pipes/oci-layout
mkfifo pipes/index.json
refuses 2 "'pipes': index.json is not valid" timeout 20 lkl mkfs pipes img
rm -r pipes
refuses 2 "'img' is in use by another program" flock -s img lkl mkfs simple img
lkl mkfs simple -- -n.img
check ext4 ./-n.img
rm ./-n.img
before=$(ls)
refused "error reading 'cut.tar': Truncated .*" cut.tar
echo nonsense >nonsense
before=$(ls)
refused "cannot read 'nonsense': Unrecognized archive format" nonsense
refuses 2 "cannot create 'none/img': No such .*" lkl mkfs simple none/img
refuses 2 "'simple' is no regular file" lkl mkfs tree simple
if is_root; then
	# a host that has none of these programs
	refuses 2 "mkfs.xfs is not installed; it is in the package xfsprogs" \
		unshare -m bash -c 'mount -t tmpfs none /usr/sbin; hash -r; lkl mkfs -t xfs simple new'
fi
# shellcheck disable=SC2016
for args in "" "simple" "simple new more" "-t ext5 simple new" "-s 0 simple new" \
	"-s x simple new" "-s 1M --free=1M simple new" "-U 123 simple new" \
	"-L 12345678901234567 simple new" "-t erofs -s 1M simple new" \
	"-t squashfs -L x simple new" "-t squashfs -U $uuid simple new" \
	"--oci --tar simple new"; do
	status=0
	# shellcheck disable=SC2086
	lkl mkfs $args >out.log 2>&1 || status=$?
	[ $status = 2 ] && grep -q "^lkl mkfs: " out.log &&
		grep -q "Try 'lkl mkfs --help'" out.log || { cat out.log; fail "lkl mkfs $args"; }
done
[ ! -e new ] || fail "new"
