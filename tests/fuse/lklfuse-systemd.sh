#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The service for USB sticks is valid and well confined, and its way of mounting
# works: a server without rights, and somebody with rights who only mounts.

. "$(dirname "$0")/../common/fuse.sh"
need systemd-analyze

service=lklfuse-mount@.service
prefix=${BIN%/bin}
sed "s|@PREFIX@|$prefix|" "$TOP/packaging/$service.in" >"$service"
systemd-analyze verify --man=no "./${service/@/@sdx1}" >log 2>&1 ||
	{ cat log; fail "systemd does not like it"; }
[ ! -s log ] || { cat log; fail "systemd complains"; }
# of 10; in tenths there
systemd-analyze security --offline=true --threshold=15 "./$service" >log ||
	{ grep ✗ log; fail "too much is allowed"; }
if udevadm verify --help >/dev/null 2>&1; then
	udevadm verify "$TOP/packaging/60-lklfuse.rules"
fi

is_root || { echo "skip: only root can do the mounting part"; exit 77; }
need setpriv
image img 64M mkfs.ext4 -q
chown 65534 img
chmod 755 .
setpriv --reuid 65534 --regid 65534 --clear-groups test -r img ||
	skip "nobody has no access to $TMP"
sed -n 's/^Environment=LKLFUSE_OPTIONS=//p' "$service" >options
setpriv --reuid 65534 --regid 65534 --clear-groups lklfuse -f img /dev/fd/0 \
	-o "allow_other,$(cat options)" 0<>/dev/fuse &
pid=$!
wait_for pgrep -P $pid
lklfuse --attach=$pid img mnt
[ "$(stat -c %u mnt/lost+found)" = 1000 ] || fail "not the user's"
echo x >mnt/file
umount mnt
wait $pid
check ext4 img
refuses 2 "cannot mount on '.*/mnt': .*" lklfuse --attach=$$ img mnt
