#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# --sync reaches the host's disk, the default does not wait for it.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 strace

strace -o /dev/null true 2>/dev/null || skip "strace may not trace here"
image img 64M mkfs.ext4 -q
echo x >file

syncs() {
	strace -f -e trace=fsync,fdatasync,sync_file_range,io_uring_enter \
		-o trace "$@"
	grep -cE '(fsync|fdatasync)\(.*= 0' trace || true
}

[ "$(syncs cptofs -i img file /)" = 0 ] || { cat trace; fail "synced"; }
[ "$(syncs cptofs --sync -i img file /)" -gt 0 ] || fail "not synced"
