#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A hundred thousand returns to a state: memory and descriptors do not grow.

. "$(dirname "$0")/../common/tools.sh"
FREEZE_ROUNDS=${FREEZE_ROUNDS:-100000} "$BIN/../tests/freeze" nothing-grows >out.log 2>&1 ||
	{ cat out.log; fail freeze; }
