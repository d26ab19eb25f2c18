#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# chattr +i and +a protect files also after the image was mounted again, whatever
# rights the writer has.  A server with one thread does all that, too.

. "$(dirname "$0")/../common/fuse.sh"
is_root || skip "flags need root"

for type in ext4 xfs btrfs f2fs; do
	command -v mkfs.$type >/dev/null || continue
	image img 512M mkfs.$type -q
	lklfuse img mnt
	echo one >mnt/append
	echo one >mnt/keep
	chattr +a mnt/append
	chattr +i mnt/keep
	unmount img
	lklfuse img mnt
	echo two >>mnt/append || fail "$type: cannot append"
	! dd if=/dev/zero of=mnt/append bs=1 count=1 conv=notrunc 2>/dev/null ||
		fail "$type: overwritten"
	! { echo x >>mnt/keep; } 2>/dev/null || fail "$type: written"
	! fallocate -l 9000 mnt/keep 2>/dev/null || fail "$type: extended"
	! truncate -s 0 mnt/append 2>/dev/null || fail "$type: truncated"
	unmount img
	lklfuse img mnt -o ro
	[ "$(cat mnt/append)" = $'one\ntwo' ] || fail "$type: append-only changed"
	[ "$(cat mnt/keep)" = one ] || fail "$type: immutable changed"
	unmount img
	check $type img
done

image img 512M mkfs.ext4 -q
chmod 755 .
lklfuse -s img mnt -o allow_other
"$BIN/../tests/lklfuse-beside" mnt || fail "with one thread"
unmount img
