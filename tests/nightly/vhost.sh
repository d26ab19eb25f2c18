#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A million requests and answers of vhost-user, mutated, the same on each run, to a device
# and to a driver of the library, with AddressSanitizer and UBSan in its host part.

. "$(dirname "$0")/../common/tools.sh"
need gcc make
BUILD=$(cd "$BIN/.." && pwd)
export UBSAN_OPTIONS=halt_on_error=1
make -C "$TOP" -s BUILD="$BUILD" SANITIZE=address,undefined lib \
	"$BUILD"/sanitize/tests/vhost-hostile{,-device} >make.log 2>&1 ||
	{ cat make.log; fail make; }

# hostile PROGRAM ROUNDS
hostile() {
	ROUNDS=$2 "$BUILD/sanitize/tests/$1" >out.log 2>&1 || { cat out.log; fail "$1"; }
	! grep -E 'Sanitizer|runtime error|ASan' out.log || fail "a sanitizer has found something"
}
hostile vhost-hostile "${ROUNDS:-200000}"
hostile vhost-hostile-device "${ROUNDS:-10000}"
