#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# File systems on several devices, or on one that may not be written, are mounted
# read-only without changing any: xfs with its log and its realtime section
# elsewhere, a btrfs seed device.

. "$(dirname "$0")/../common/fuse.sh"

if command -v mkfs.xfs >/dev/null; then
	truncate -s 300M img
	truncate -s 32M rt
	truncate -s 64M log
	mkfs.xfs -q -f -l logdev=log -r rtdev=rt img >mkfs.log || fail "mkfs.xfs"
	options='opts=logdev=/disk1\,rtdev=/disk2'
	lklfuse img mnt -o "disk=log,disk=rt,$options"
	echo hello >mnt/file
	unmount img
	sums=$(sha256sum img log rt)
	lklfuse img mnt -o "ro,disk=log,disk=rt,$options" 2>messages ||
		{ cat messages; fail "xfs: not mounted read-only"; }
	[ ! -s messages ] || { cat messages; fail "xfs: not quiet"; }
	grep -q hello mnt/file || fail "xfs: no file"
	! touch mnt/new 2>/dev/null || fail "xfs: written"
	unmount img
	[ "$(cpfromfs -D log -D rt -O logdev=/disk1,rtdev=/disk2 -i img /file out &&
		cat out)" = hello ] || fail "cpfromfs cannot read it"
	[ "$(sha256sum img log rt)" = "$sums" ] || fail "xfs: changed"
fi
if command -v mkfs.btrfs >/dev/null && command -v btrfstune >/dev/null; then
	image seed 128M mkfs.btrfs -q
	lklfuse seed mnt
	echo hello >mnt/file
	unmount seed
	btrfstune -S 1 seed >mkfs.log 2>&1 || { cat mkfs.log; fail "btrfstune"; }
	sum=$(sha256sum <seed)
	lklfuse seed mnt 2>messages || { cat messages; fail "seed: not mounted"; }
	grep -q "^lklfuse: warning: 'seed' can only be read$" messages ||
		{ cat messages; fail "seed: no warning"; }
	grep -q hello mnt/file || fail "seed: no file"
	! touch mnt/new 2>/dev/null || fail "seed: written"
	unmount seed
	[ "$(sha256sum <seed)" = "$sum" ] || fail "seed: changed"
	refuses 2 "cannot write to 'seed': read-only file system \(btrfs\)" \
		cptofs -i seed messages /
fi
