#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A truncated image is refused with one line that says so.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 mkfs.xfs sfdisk

echo x >file
for type in ext4 xfs; do
	image img 512M "mkfs.$type" -q
	truncate -s 100M img
	before=$(sha256sum img)
	refuses 2 "cannot mount 'img' as $type: .+" cptofs -i img file /
	refuses 2 "cannot mount 'img' as $type: .+" cpfromfs -i img / out
	[ "$before" = "$(sha256sum img)" ] || fail "the image has changed"
done

truncate -s 128M disk
printf 'label: dos\n,40M,L\n,60M,L\n' | sfdisk -q disk
truncate -s 64M disk
refuses 2 "'disk' is truncated: partition 2 ends at byte 105906176, .*67108864" \
	cptofs -i disk -P 2 file /
