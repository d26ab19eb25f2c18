#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A host without space for the image is reported, not ignored.

. "$(dirname "$0")/../common/tools.sh"
is_root || skip "only root can mount"
need mkfs.ext4

trap 'umount "$TMP/mnt" 2>/dev/null || true; cleanup' EXIT
mkdir mnt
mount -t tmpfs -o size=16M tmpfs mnt || skip "cannot mount tmpfs"
image mnt/img 200M mkfs.ext4 -q
head -c 100M /dev/urandom >file
status=0
cptofs -i mnt/img file / 2>log || status=$?
[ $status = 1 ] || { cat log; fail "status $status"; }
grep -Eq "^cptofs: error writing 'mnt/img:/.*': (Input/output error|No space.*)" \
	log || { cat log; fail "no message"; }
