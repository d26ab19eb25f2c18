#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Progress is shown on a terminal and nowhere else.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 script

image img 64M mkfs.ext4 -q
echo x >file
[ -z "$(cptofs -i img file / 2>&1)" ] || fail "not quiet"
script -qec 'cptofs -i img file /' /dev/null </dev/null | tr '\r' '\n' >log
grep -q '^1 files, 2 B' log || { cat log; fail "no progress"; }
