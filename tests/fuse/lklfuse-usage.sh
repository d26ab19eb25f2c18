#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Options do what they say, and mistakes are reported on the terminal before the
# program becomes a daemon.

. "$(dirname "$0")/../common/fuse.sh"
need mkfs.vfat sfdisk

lklfuse --help | grep -q "^Usage: lklfuse " || fail "--help"
lklfuse --version | grep -Eq "^lklfuse \(lkl\) [0-9]" || fail "--version"

image img 64M mkfs.ext4 -q
for args in "" "img" "img mnt -o none" "img mnt -o part=x" "img none" \
	"img mnt -o uid=x" "img mnt -o uidmap=1" "img mnt more" "--none img mnt"; do
	status=0
	# shellcheck disable=SC2086
	lklfuse $args >out.log 2>&1 || status=$?
	[ $status = 2 ] || fail "lklfuse $args: status $status"
	[ "$(grep -c "^lklfuse: " out.log)" = 1 ] ||
		{ cat out.log; fail "lklfuse $args: not one message"; }
	grep -q -- "--help' for more" out.log || fail "lklfuse $args"
done

truncate -s 1M zeros
refuses 2 "cannot open 'none': No such .*" lklfuse none mnt
refuses 2 "cannot open '/tmp': Is a directory" lklfuse /tmp mnt
refuses 2 "no file system found in 'zeros'" lklfuse zeros mnt
refuses 2 "cannot mount 'img' as xfs: it contains ext4" lklfuse img mnt -o type=xfs
refuses 2 "'img' has no partition 3 and .*" lklfuse -f img mnt -o part=3
refuses 2 "cannot mount 'img' as ext4: .*bogus.*" lklfuse img mnt -o opts=bogus
refuses 2 "cannot open log file '/none/log': .*" lklfuse img mnt -o log=/none/log
! mountpoint -q mnt || fail "mounted all the same"

# only one has the image, or the lock
lklfuse img mnt -o lock=lock
refuses 2 "'img' is in use by another program" lklfuse img mnt
image img2 64M mkfs.ext4 -q
refuses 2 "'lock' is locked by another program" lklfuse img2 mnt -o lock=lock
unmount img

# what is mounted, and with which options
truncate -s 128M parts
printf 'label: gpt\n,40M,L\n,40M,L\n' | sfdisk -q parts
image part 40M mkfs.ext4 -q
dd if=part of=parts bs=1M seek=41 conv=notrunc,sparse status=none
refuses 2 "'parts' is partitioned, choose one with part=: 1, 2 \(ext4\)" \
	lklfuse parts mnt -o part=0
lklfuse parts mnt -o ro
[ -d mnt/lost+found ] || fail "the only partition with a file system is not found"
unmount parts
# the other tools' names of options
for how in "-P 2" "-P2 -t ext4 -m 64" "--partition=2 --type=ext4 --memory=64 --sector-size=512 -O noquota"; do
	# shellcheck disable=SC2086
	lklfuse $how parts mnt -o ro
	[ -d mnt/lost+found ] || fail "$how"
	unmount parts
done
refuses 2 "'parts' is partitioned, .*" lklfuse -P none parts mnt
for how in "-D none" "-Dnone" "--disk=none" "-o disk=none"; do
	# shellcheck disable=SC2086
	refuses 2 "cannot open 'none': No such file or directory" lklfuse $how -P 2 parts mnt
done
lklfuse parts mnt -o 'part=2,opts=noquota\,nodelalloc,mb=64,log=log'
grep -q "^$TMP/parts $TMP/mnt fuse.lklfuse rw," /proc/mounts ||
	{ grep mnt /proc/mounts; fail "not named after the image"; }
echo x >mnt/file
unmount parts
grep -q "mounted filesystem" log || fail "no kernel messages in the log"
[ "$(grep -c "mem=64M" log)" -gt 0 ] || fail "mb= has no effect"

refuses 2 "cannot mount at '$TMP/parts': Not a directory" lklfuse parts parts

# a single thread serves, too; -d shows what
lklfuse -s -f -d parts mnt -o part=2 2>debug &
pid=$!
wait_for mountpoint -q mnt
grep -q x mnt/file
fusermount3 -u mnt
wait $pid
grep -q "LOOKUP" debug || fail "-d shows nothing"

# a journal is replayed, but not in an image that is only read; a file system
# with errors is mounted with a warning
image img 64M mkfs.ext4 -q
lklfuse -f img mnt 2>log &
pid=$!
wait_for mountpoint -q mnt
echo x >mnt/file
sync mnt/file
kill -9 "$(pgrep -P $pid)"
wait $pid || true
sum=$(sha256sum <img)
lklfuse img mnt -o ro 2>log
grep -q "^lklfuse: warning: 'img' was not unmounted cleanly" log ||
	{ cat log; fail "no warning"; }
grep -q x mnt/file
unmount img
[ "$(sha256sum <img)" = "$sum" ] || fail "ro has changed the image"
debugfs -w -R 'ssv state 3' img 2>/dev/null
lklfuse img mnt 2>log
grep -q "^lklfuse: warning: kernel: .*errors" log || { cat log; fail "quiet"; }
unmount img
