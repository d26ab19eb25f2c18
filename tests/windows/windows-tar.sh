#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fs2tar.exe and tar2fs.exe, under Wine: archives have the bytes that Linux's tools write,
# with everything a file system can hold; GNU's archives are unpacked in the same way,
# compressed, and through pipes; mistakes are told in the same words.

. "$(dirname "$0")/../common/tools.sh"
. "$(dirname "$0")/../common/wine.sh"
need mkfs.ext4 tar gzip bzip2 xz zstd setfattr setfacl

# alike NAME ARGUMENT...: both programs say the same, and exit with the same status
alike() {
	local here=0 there=0
	"$@" >linux.out 2>linux.err <input || here=$?
	windows "$@" >windows.out 2>windows.err <input || there=$?
	[ $here = $there ] || { cat windows.err; fail "$*: exit status $there, not $here"; }
	cmp linux.out windows.out || fail "$*: it prints something else"
	diff linux.err windows.err || fail "$*: it says something else"
}

# error NAME ARGUMENT...: the same, and that something is wrong
error() {
	alike "$@"
	[ -s linux.err ] || fail "$*: nothing is wrong"
}

user=root
is_root || user=
"$COMMON/make-tree.sh" tree $user
is_root || rm -f tree/mode-0
mkdir "tree/ä ß" tree/$'\xff\xfe'
echo text >"tree/ä ß/日本語 🐧.txt"
# a letter of two characters, which are not to become one
echo text >tree/$'e\xcc\x81'
part=$(printf 'lang-ä%.0s' {1..30})
mkdir -p "tree/$part/$part/$part"
echo text >"tree/$part/$part/$part/$part"
ln "tree/$part/$part/$part/$part" "tree/$part/ä"
touch -d '1969-12-31 23:59:58.25Z' tree/ä*/*
touch -d '2300-01-02 03:04:05.678901234Z' tree/empty
: >input

image img 100M mkfs.ext4 -q -I 256
cptofs -i img tree/. / 2>copy.log || { cat copy.log; fail "cptofs"; }

# What is in an image, as an archive.
fs2tar img linux.tar
quiet fs2tar img windows.tar
cmp linux.tar windows.tar || fail "the archive differs from that of Linux"
windows fs2tar img - 2>tool.log | cmp - linux.tar || { cat tool.log; fail "to a pipe"; }
for suffix in gz bz2 xz zst; do
	quiet fs2tar img "windows.tar.$suffix"
	case $suffix in gz) gzip -dc ;; bz2) bzip2 -dc ;; xz) xz -dc ;; zst) zstd -dcq ;; esac \
		<"windows.tar.$suffix" | cmp - linux.tar || fail "compressed as $suffix"
done
alike fs2tar --mtime=@4102444800 -o 7 -g 0:8,1:9 img - /dir "/ä ß"
fs2tar -s linux.labels img - | cmp - linux.tar
quiet fs2tar -s windows.labels img windows.tar
cmp linux.labels windows.labels || fail "the list of labels differs"
[ -z "$user" ] || [ -s linux.labels ] || fail "no labels"

# GNU tar finds in it what it finds in the tree.  But it has no sockets, and of a file with
# an ACL libarchive writes the permissions of the group, not the mask.
listing() {
	tar --numeric-owner --full-time --utc -tvf - 2>tar.log | grep -Ev ' \./(socket|lost\+found/|dir/a/other-hard-link)$'
}
listing <windows.tar >there
tar --sort=name --format=pax -C tree -cf - . 2>tar.log | listing | diff - there ||
	fail "GNU tar finds something else"

# Into an image.
image a 100M mkfs.ext4 -q -I 256
quiet tar2fs linux.tar a
check ext4 a
fs2tar a a.tar
cmp linux.tar a.tar || fail "what tar2fs.exe has made differs"
image b 100M mkfs.ext4 -q -I 256
windows tar2fs - b <windows.tar.zst >tool.log 2>&1 || { cat tool.log; fail "from a pipe"; }
windows fs2tar b - 2>tool.log | cmp - linux.tar || fail "what tar2fs.exe has read from a pipe"

image a 16M mkfs.ext4 -q -I 256
cp a b
tar -cf few.tar -C tree dir file
echo '/file a:label' >labels
tar2fs -s labels few.tar a
quiet tar2fs -s labels few.tar b
fs2tar a a.tar
fs2tar b b.tar
cmp a.tar b.tar || fail "tar2fs.exe takes other labels"

# What GNU tar writes; names that Windows cannot have are no matter.
mkdir odd
echo x | tee 'odd/a:b' odd/con 'odd/end.' 'odd/back\slash' >odd/file
truncate -s 3M odd/holes
echo end >>odd/holes
for format in v7 ustar oldgnu gnu pax; do
	case $format in *gnu | pax) sparse=-S ;; *) sparse= ;; esac
	tar --format=$format $sparse -C odd -czf odd.tgz .
	image a 16M mkfs.ext4 -q -I 256
	cp a b
	tar2fs odd.tgz a
	quiet tar2fs odd.tgz b /
	fs2tar a a.tar
	fs2tar b b.tar
	cmp a.tar b.tar || fail "an archive of the format $format"
done
cmp odd/holes <(lkl cat b /holes) || fail "a file with holes"

# Mistakes.
head -c 4000000 linux.tar >cut.tar
head -c 100000 windows.tar.zst >cut.tar.zst
head -c 4096 /dev/urandom >noise
head -c 1M /dev/zero >zeros
image small 2M mkfs.ext4 -q -I 256 -O ^has_journal
alike tar2fs zeros a
for name in cut.tar cut.tar.zst noise none img; do
	image a 100M mkfs.ext4 -q -I 256
	cp a b
	error tar2fs $name a
	check ext4 a
done
cp linux.tar broken.tar
printf 'XXXXXXXX' | dd of=broken.tar bs=1 seek=148 conv=notrunc status=none
error tar2fs broken.tar b
error fs2tar none x.tar
error fs2tar img none/x.tar
error fs2tar img img
error fs2tar img x.tar /none
error tar2fs linux.tar b /none/x
for tool in fs2tar tar2fs; do
	alike $tool --help
	alike $tool --version
	error $tool
	error $tool img
	error $tool -P -1 a b
	error $tool --mtime=1 a b
done
cp small full
exits 1 tar2fs linux.tar full
grep -q "No space left on device" tool.log || { cat tool.log; fail "a full image"; }
check ext4 full
exits 2 tar2fs --oci linux.tar b
grep -q "OCI images cannot be read here" tool.log || { cat tool.log; fail "an OCI image"; }

# A full disk: what was there before stays.
if is_root; then
	trap 'umount "$TMP/mnt" 2>/dev/null || true; end_wine' EXIT
	mkdir mnt
	if mount -t tmpfs -o size=2M tmpfs mnt; then
		echo old >mnt/a.tar
		error fs2tar img mnt/a.tar
		[ "$(cd mnt && echo *)" = a.tar ] || fail "rubbish left"
		echo old | cmp - mnt/a.tar
	fi
fi
