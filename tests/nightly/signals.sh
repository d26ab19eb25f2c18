#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Hours of signals that come while a call is blocked: each must end it.

. "$(dirname "$0")/../common/tools.sh"
SIGNAL_SECONDS=${SIGNAL_SECONDS:-1500} "$BIN/../tests/interrupt" >out.log 2>&1 ||
	{ cat out.log; fail interrupt; }
