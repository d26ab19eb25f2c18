#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A forked process that writes garbage into all that it shares with its parent,
# for a minute under each way in, and with AddressSanitizer and UBSan in the parent.

. "$(dirname "$0")/../common/tools.sh"
need gcc make
BUILD=$(cd "$BIN/.." && pwd)
export BUILD
HOSTILE_SECONDS=60
. "$(dirname "$0")/../common/hostile-child.sh"

for way in lkl-hijack.sh lkl-run; do
	HIJACK_BY=$way HOSTILE_SECONDS=55 "$BUILD/tests/hijack-hostile" || exit
done
