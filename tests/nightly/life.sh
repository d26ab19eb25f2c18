#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# An hour of life-cycle calls from several threads, under the sanitizer.

. "$(dirname "$0")/../common/tools.sh"
need gcc make
BUILD=$(cd "$BIN/.." && pwd)
export UBSAN_OPTIONS=halt_on_error=1

make -C "$TOP" -s BUILD="$BUILD" SANITIZE=address,undefined lib \
	"$BUILD/sanitize/tests/life-threads" >make.log 2>&1 ||
	{ cat make.log; fail make; }
LIFE_SECONDS=${LIFE_SECONDS:-3600} "$BUILD/sanitize/tests/life-threads" >out.log 2>&1 ||
	{ cat out.log; fail life-threads; }
! grep -E 'Sanitizer|runtime error' out.log || fail life-threads
