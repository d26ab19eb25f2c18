#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The same image gives the same bytes, compressed too, and with --mtime another
# copy of the same tree does.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4

mkdir -p tree/dir
for i in 3 1 2; do echo "$i" >"tree/dir/$i"; done
image img 64M mkfs.ext4 -q
cptofs -i img tree/. /
for suffix in tar tar.gz tgz tar.bz2 tar.xz tar.zst tar.lz4 tar.lzma; do
	fs2tar img "a.$suffix"
	sleep 0.1
	fs2tar img "b.$suffix"
	cmp "a.$suffix" "b.$suffix"
	tar2fs "a.$suffix" img /dir
done
sleep 1.1 # and the time in gzip's header
fs2tar img - >c.tar
fs2tar img c.tar.gz
zcat c.tar.gz | cmp c.tar -
fs2tar img d.tar.gz
cmp c.tar.gz d.tar.gz

image img 64M mkfs.ext4 -q
cptofs -i img tree/. /
fs2tar --mtime=@1000000000 -o 7 -g 0:8,1:9 img a.tar
touch tree/dir/*
image img 64M mkfs.ext4 -q
cptofs -i img tree/. /
fs2tar --mtime=@1000000000 -o 7 -g 0:8,1:9 img b.tar
cmp a.tar b.tar
tar -tvf a.tar --utc --numeric-owner >list
is_root && ! grep -vq ' 7/8 .* 2001-09-09 01:46 ' list ||
	! grep -vq ' 7/.* 2001-09-09 01:46 ' list || { cat list; fail "--mtime"; }
