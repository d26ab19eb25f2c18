#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The service for USB sticks is valid and well confined, and its way of mounting
# works: a server without rights, and a process with rights that only mounts.

. "$(dirname "$0")/../common/fuse.sh"
need systemd-analyze

service=lklfuse-mount@.service
prefix=$TMP/prefix
mkdir -p prefix/share
ln -s "$BIN" prefix/bin
ln -s "$TOP/packaging" prefix/share/lkl
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
setpriv --reuid 65534 --regid 65534 --clear-groups lklfuse -f img /dev/fd/0 \
	-o "allow_other,uid=1000,gid=1000" 0<>/dev/fuse &
pid=$!
wait_for pgrep -P $pid
lklfuse --attach=$pid img mnt
[ "$(stat -c %u mnt/lost+found)" = 1000 ] || fail "not the user's"
echo x >mnt/file
grep -q "^img $TMP/mnt fuse.lklfuse rw,nosuid,nodev,noexec" /proc/mounts ||
	{ grep mnt /proc/mounts; fail "programs on it may be run"; }
umount mnt
wait $pid
check ext4 img
refuses 2 "cannot mount on '.*/mnt': .*" lklfuse --attach=$$ img mnt
