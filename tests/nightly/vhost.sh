#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A million requests and answers of vhost-user, mutated, the same on each run, with
# AddressSanitizer and UBSan in the library's host part.

. "$(dirname "$0")/../common/tools.sh"
need gcc make
BUILD=$(cd "$BIN/.." && pwd)
export UBSAN_OPTIONS=halt_on_error=1
make -C "$TOP" -s BUILD="$BUILD" SANITIZE=address,undefined lib \
	"$BUILD/sanitize/tests/vhost-hostile" >make.log 2>&1 ||
	{ cat make.log; fail make; }
ROUNDS=${ROUNDS:-40000} "$BUILD/sanitize/tests/vhost-hostile" >out.log 2>&1 ||
	{ cat out.log; fail vhost-hostile; }
! grep -E 'Sanitizer|runtime error|ASan' out.log || fail "a sanitizer has found something"
