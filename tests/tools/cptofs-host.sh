#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The host mounts what cptofs wrote and sees the same tree.

. "$(dirname "$0")/../common/tools.sh"
is_root || skip "only root can mount"
need mkfs.ext4 mkfs.xfs setfattr setfacl setcap

trap 'umount "$TMP/mnt" 2>/dev/null || true; cleanup' EXIT
mkdir mnt
"$COMMON/make-tree.sh" tree root

for type in ext4 xfs; do
	image img 512M "mkfs.$type" -q
	cptofs -i img tree /
	mount -t "$type" -o loop,ro img mnt 2>/dev/null ||
		skip "cannot mount $type by loop device"
	# xfs shows ACLs to root a second time
	"$COMMON/manifest.py" tree >tree.manifest
	"$COMMON/manifest.py" mnt/tree |
		sed 's/ trusted.SGI_ACL_[A-Z]*=[0-9a-f]*//g' >mnt.manifest
	diff tree.manifest mnt.manifest || fail "$type differs"
	umount mnt
done
