#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A child that was taken over writes garbage into all that it shares with the process that
# has the kernel, in which AddressSanitizer and UBSan find nothing.

. "$(dirname "$0")/../common/tools.sh"
need gcc make
BUILD=$(cd "$BIN/.." && pwd)
HOSTILE_SECONDS=5
. "$(dirname "$0")/../common/hostile-child.sh"
