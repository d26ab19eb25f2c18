#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# lkl.exe, under Wine: its verbs print what those of Linux do, and change the image
# in the same way.

. "$(dirname "$0")/../common/tools.sh"
. "$(dirname "$0")/../common/wine.sh"
need mkfs.ext4 mkfs.vfat sfdisk
export TZ=UTC

# same VERB ARGUMENT...: what both programs print
same() {
	windows lkl "$@" >windows.out 2>windows.err ||
		{ cat windows.err; fail "lkl.exe $*"; }
	lkl "$@" >linux.out 2>linux.err || { cat linux.err; fail "lkl $*"; }
	diff linux.out windows.out || fail "lkl.exe $* prints something else"
	[ ! -s windows.err ] || { cat windows.err; fail "lkl.exe $* has something to say"; }
}

mkdir -p tree/etc "tree/ä ß"
echo 'root:x:0:0:root:/root:/bin/sh
user:x:1000:100:A User:/home/user:/bin/sh' >tree/etc/passwd
echo 'root:x:0:
users:x:100:user' >tree/etc/group
seq 50000 >tree/numbers
echo text >"tree/ä ß/日本語.txt"
ln -s numbers tree/link
truncate -s 80M disk
echo 'label: gpt
start=2048, size=65536, name="first one"
start=67584, name="zweite ä"' | sfdisk -q disk
image part 32M mkfs.ext4 -q -L 'a label'
cptofs -i part -o 1000 -g 100 tree/. /
dd if=part of=disk bs=1M seek=1 conv=notrunc status=none
image fat 20M mkfs.vfat -n FAT
dd if=fat of=disk bs=1M seek=33 conv=notrunc status=none

same info disk
same info --json disk
same ls -lR -P 1 disk /
same ls -l --full-time -P 1 disk /numbers
same ls --json -P 1 disk /
same cat -P 1 disk /numbers "/ä ß/日本語.txt"
same stat -c '%N %i %s %b %A %u %g %h %F %x %y %z' -P 1 disk /numbers /link
same sum -P 1 disk /numbers
same df -P 1 disk
same du -P 1 disk /

quiet lkl mkdir -p part /new/dir
quiet lkl mv part /numbers /new/numbers
quiet lkl chmod part 640 /new/numbers
quiet lkl chown part user:users /new/dir
quiet lkl touch -d '2020-02-03 04:05:06.75Z' part /new/numbers
quiet lkl rm -r part '/ä ß'
printf 'in\r\nput' | windows lkl write part /new/input >log 2>&1 ||
	{ cat log; fail "lkl.exe write"; }
e2fsck -fn part >fsck.log 2>&1 || { cat fsck.log; fail "the image is damaged"; }
lkl cat part /new/input | cmp - <(printf 'in\r\nput') || fail "what was written differs"
[ "$(lkl stat -c '%a %s %Y' part /new/numbers)" = "640 288894 1580702706" ] ||
	fail "what was changed differs: $(lkl stat -c '%a %s %Y' part /new/numbers)"
[ "$(lkl ls part /)" = "$(printf 'etc\nlink\nlost+found\nnew')" ] ||
	fail "lkl.exe has left other files: $(lkl ls part /)"

# lkl cp is the other programs.
mkdir out
exits 0 lkl cp part:/new out
cmp tree/numbers out/new/numbers || fail "lkl.exe cp: the file differs"
quiet lkl cp out/new/numbers 'tree/ä ß' part:/new/dir
lkl cat part "/new/dir/ä ß/日本語.txt" | cmp - "tree/ä ß/日本語.txt" ||
	fail "lkl.exe cp into the image: the file differs"

# What is not there says so.
exits 2 lkl sh part -c ls
grep -q 'this verb is there on Linux only' tool.log || { cat tool.log; fail "lkl.exe sh"; }
