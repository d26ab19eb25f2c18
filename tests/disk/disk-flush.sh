#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fsync() of a file in an image is fdatasync() of the image on the host, each
# time; a write alone is not.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 strace
strace -o /dev/null true 2>/dev/null || skip "strace may not trace here"

# syncs TEST: how often the image was flushed
syncs() {
	strace -f -e trace=fdatasync -o trace "$BIN/../tests/disk" "$1" >log 2>&1 ||
		{ cat log; fail "$1"; }
	grep -cE '(fdatasync\(|resumed>).*= 0$' trace || true
}

n=$(syncs without-fsync)
[ "$n" -lt 5 ] || { cat trace; fail "$n flushes for 10 writes without fsync()"; }
n=$(syncs with-fsync)
[ "$n" -ge 10 ] || { cat trace; fail "$n flushes for 10 times fsync()"; }
