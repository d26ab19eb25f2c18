#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# mount(8) mounts an image by its helper, with mount's options, and remounts it;
# and an image can be mounted again at once after it was unmounted.

. "$(dirname "$0")/../common/fuse.sh"

# more to be written than the moment takes in which the next one starts
image img 256M mkfs.ext4 -q
for i in 1 2; do
	lklfuse img mnt
	head -c 20M /dev/zero >mnt/file$i
	fusermount3 -u mnt
	lklfuse img mnt -o lock=lock || fail "no mount after the one before"
	[ "$(stat -c %s mnt/file$i)" = 20971520 ] || fail "not complete"
	fusermount3 -u mnt
done
flock img true

is_root || skip "mount(8) needs root"
if [ -z "${LKLFUSE_MOUNT:-}" ]; then
	unshare -m true 2>/dev/null || skip "no mount namespaces here"
	LKLFUSE_MOUNT=1 unshare -m "$TOP/tests/fuse/${0##*/}"
	exit
fi
mkdir scratch
trap 'fusermount3 -uqz "$TMP/mnt" || true; umount -l "$TMP/scratch"; cleanup' EXIT
mount -t tmpfs tmpfs scratch
mkdir scratch/upper scratch/work
mount -t overlay -o "lowerdir=/usr/sbin,upperdir=scratch/upper,workdir=scratch/work" \
	overlay /usr/sbin 2>/dev/null || skip "no overlay file system here"
ln -s "$BIN/lklfuse" /usr/sbin/mount.fuse.lklfuse

# has OPTION...: the mount has them
has() {
	local option
	for option; do
		grep " $TMP/mnt fuse.lklfuse " /proc/mounts | cut -d' ' -f4 |
			grep -Eq "(^|,)$option(,|\$)" ||
			{ grep "$TMP" /proc/mounts; fail "no $option"; }
	done
}
image img 64M mkfs.ext4 -q
mount -t fuse.lklfuse img mnt -o nosuid,nodev
has rw nosuid nodev
mknod -m 666 mnt/null c 1 3
! : 2>/dev/null >mnt/null || fail "devices in spite of nodev"
mount -o remount,ro mnt
has ro nosuid nodev
! touch mnt/new 2>/dev/null || fail "written after remount,ro"
[ -n "$(debugfs -R 'stat /null' img 2>/dev/null)" ] || fail "the image lacks something"
mount -o remount,rw,noexec mnt
has rw nosuid nodev noexec
exec 5>mnt/new
! mount -o remount,ro mnt 2>log || fail "remounted while in use"
grep -Eq "busy|remount" log || { cat log; fail "no reason"; }
exec 5>&-
unmount img
mount -t fuse.lklfuse img mnt -o dev,suid,noauto,x-systemd.automount,uidmap=0:1234,_netdev
has rw default_permissions
! grep " $TMP/mnt " /proc/mounts | grep -q "nodev\|nosuid" || fail "not as mount(8) does by default"
: >mnt/null || fail "no device"
[ "$(stat -c %u mnt/null)" = 1234 ] || fail "not lklfuse's own options"
unmount img
echo "$TMP/img $TMP/mnt fuse.lklfuse ro,user,nofail 0 0" >fstab
mount -T fstab "$TMP/mnt"
has ro
unmount img
status=0
mount -t fuse.lklfuse none mnt 2>log || status=$?
[ $status != 0 ] && grep -q "cannot open" log || { cat log; fail "no error"; }
check ext4 img
