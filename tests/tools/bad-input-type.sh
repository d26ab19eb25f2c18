#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A wrong -t is refused with one line that says what the image holds.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 mkfs.xfs

echo x >file
image img 512M mkfs.ext4 -q
refuses 2 "cannot mount 'img' as xfs: it contains ext4" cptofs -t xfs -i img file /
refuses 2 "cannot mount 'img' as vfat: it contains ext4" \
	cpfromfs -t vfat -i img / out
refuses 2 "cannot mount 'img' as nosuchfs: the kernel knows no such file system" \
	cptofs -t nosuchfs -i img file /
check ext4 img
# nor is an image an archive, though it begins with zeros as an empty one does
cp --sparse=always img other
refuses 2 "cannot read 'img': it is no archive" tar2fs img other
refuses 2 "cannot read 'img': it is no archive" lkl mkfs img new
[ ! -e new ] || fail "an image of an image"
head -c 10240 /dev/zero >empty.tar
tar2fs empty.tar other
gzip -k empty.tar && tar2fs empty.tar.gz other
cmp img other
image img 512M mkfs.xfs -q
refuses 2 "cannot mount 'img' as ext4: it contains xfs" cptofs -t ext4 -i img file /
check xfs img
if command -v mkswap >/dev/null; then
	image img 1M mkswap
	refuses 2 "'img' contains swap, which is not a file system" cptofs -i img file /
fi
