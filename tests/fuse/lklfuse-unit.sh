#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A stick is plugged in: udev's rule and systemd's unit mount it for the user of
# the seat, if there is one, and for no other.  udev and systemd are the real ones,
# in namespaces of their own; the stick is a loop device, and a program in place of
# loginctl names the user.

. "$(dirname "$0")/../common/fuse.sh"
is_root || skip "systemd and loop devices need root"
need systemctl losetup setpriv udevadm nsenter mkfs.vfat fsck.vfat
SYSTEMD=/lib/systemd/systemd UDEVD=/lib/systemd/systemd-udevd
[ -x $SYSTEMD ] && [ -x $UDEVD ] || skip "no systemd here"
unshare -p -m -C -f true 2>/dev/null || skip "no namespaces here"

image img 64M mkfs.vfat
loop=$(losetup -f --show img 2>/dev/null) || skip "no loop device here"
name=${loop#/dev/}
cgroup=
leave() {
	[ -z "${manager:-}" ] || kill -9 "$manager" 2>/dev/null || true
	wait 2>/dev/null || true
	losetup -d "$loop" || true
	if [ -n "$cgroup" ]; then
		echo 0 >"$TMP/cgroup/cgroup.procs" || true
		for i in 1 2 3 4 5 6 7 8 9 10; do
			find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || true
			[ -d "$cgroup" ] || break
			sleep 0.1
		done
		umount "$TMP/cgroup" || true
	fi
	cleanup
}
trap leave EXIT

# systemd's groups of processes are to be below a group of ours.
mkdir cgroup
mount -t cgroup2 cgroup2 cgroup 2>/dev/null || skip "no cgroup2 here"
cgroup=$TMP/cgroup/lkl-test-$$-$RANDOM
mkdir "$cgroup" || skip "no group of processes can be made here"
echo 0 >"$cgroup/cgroup.procs"

chmod 755 .
mkdir units rules
# where the server's user finds the programs: it has a /tmp of its own
PREFIX=/run/prefix
sed "s|@PREFIX@|$PREFIX|" "$TOP/packaging/lklfuse-mount@.service.in" \
	>"units/lklfuse-mount@.service"
mkdir "units/lklfuse-mount@.service.d"
cat >"units/lklfuse-mount@.service.d/test.conf" <<END
[Service]
StandardError=append:$TMP/messages
END
for unit in sysinit basic shutdown umount; do
	printf '[Unit]\nDefaultDependencies=no\n' >units/$unit.target
done
printf '[Unit]\nDefaultDependencies=no\nWants=udevd.service\n' >units/boot.target
printf '[Unit]\nDefaultDependencies=no\n[Service]\nType=notify\nExecStart=%s\n' \
	$UDEVD >units/udevd.service
cp "$TOP/packaging/60-lklfuse.rules" rules/
cat >rules/10-stick.rules <<END
KERNEL=="$name", ENV{ID_BUS}="usb", ENV{ID_FS_USAGE}="filesystem", GROUP="disk", MODE="0660"
KERNEL=="$name", TAG+="systemd", ENV{SYSTEMD_READY}="1"
END
# loginctl show-seat | show-session NAME -p PROPERTY --value
cat >loginctl <<END
#!/bin/sh
case \$4 in
ActiveSession) cat $TMP/session ;;
Class) echo user ;;
User) echo 1234 ;;
LockedHint) cat $TMP/locked ;;
esac
END
cat >id <<END
#!/bin/sh
[ "\$*" = "-g 1234" ] && echo 4321
END
cat >init <<END
#!/bin/bash
mount --make-rprivate /
mount -t tmpfs tmpfs /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs tmpfs /run
mkdir -p $PREFIX/bin $PREFIX/lib $PREFIX/share/lkl
mount --bind $BIN $PREFIX/bin
mount --bind $BIN/../lib $PREFIX/lib
mount --bind $TOP/packaging $PREFIX/share/lkl
mount --bind $TMP/console /dev/kmsg
mount -t tmpfs tmpfs /etc/udev/rules.d
mount --bind $TMP/rules /lib/udev/rules.d
mount --bind $TMP/loginctl /bin/loginctl
mount --bind $TMP/id /bin/id
export container=lkl SYSTEMD_UNIT_PATH=$TMP/units
exec $SYSTEMD --system --unit=boot.target --log-target=kmsg --show-status=0
END
chmod +x loginctl id init
: >console
: >messages
[ -e /bin/loginctl ] || skip "no loginctl here"
unshare -p -m -C -f --kill-child --mount-proc ./init </dev/null >init.log 2>&1 &
manager=$!

# fail() with what systemd and the service have said
unit_fail() {
	tail -n 30 init.log console messages
	inside systemctl --no-pager status "lklfuse-mount@$name" || true
	fail "$@"
}
inside() {
	nsenter -t "$(pgrep -P $manager)" -m -p "$@"
}
# state STATE: of the unit
state() {
	[ "$(inside systemctl show -p ActiveState --value "lklfuse-mount@$name")" = "$1" ]
}
where=/run/media/lklfuse/$name
# not by looking into it, which only the user may
is_mounted() {
	inside grep -q " $where fuse.lklfuse " /proc/self/mounts
}
# plug ACTION: as if the stick had just come (add) or gone (remove)
plug() {
	inside udevadm trigger --settle --action="$1" "/sys/class/block/$name"
	[ "$1" = add ] || wait_for gone
}
gone() {
	! inside systemctl is-active -q "dev-$name.device"
}
begun() { inside systemctl is-active -q udevd; }
wait_for begun

# no user there, or a locked session: nothing is mounted
for locked in no yes; do
	echo $locked >locked
	if [ $locked = no ]; then echo >session; else echo 1 >session; fi
	: >messages
	plug add
	wait_for grep -Eq "no user has logged in|is locked" messages
	plug remove
	wait_for state inactive
	! is_mounted || unit_fail "mounted without a user"
done

echo no >locked
plug add
wait_for is_mounted
wait_for state active
for dir in /run/media /run/media/lklfuse; do
	[ "$(inside stat -c %a $dir)" = 755 ] || fail "$dir: the user cannot enter it"
done
user() {
	inside setpriv --reuid "$1" --regid 4321 --clear-groups "${@:2}"
}
user 1234 sh -c "echo x >$where/file" || unit_fail "the user cannot write"
[ "$(user 1234 stat -c %u:%g "$where/file")" = 1234:4321 ] || fail "not the user's"
! user 1235 ls "$where" 2>/dev/null || fail "another user may look"
user 1234 sh -c "cp /bin/true $where/ && ! $where/true 2>/dev/null" ||
	fail "programs on it may be run"
plug remove
wait_for state inactive
! inside test -e "$where" || fail "the mount point stays"
! inside test -e "/run/lklfuse/$name" || fail "the user's numbers stay"
check vfat img
