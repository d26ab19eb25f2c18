#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A million requests of vhost-user, and a million answers, mutated, the same on each run, to a
# device and to a driver of the library, with AddressSanitizer and UBSan in its host part.

. "$(dirname "$0")/../common/tools.sh"
need gcc make
BUILD=$(cd "$BIN/.." && pwd)
export ASAN_OPTIONS="log_path=$PWD/found" UBSAN_OPTIONS="halt_on_error=1:log_path=$PWD/found"
make -C "$TOP" -s BUILD="$BUILD" SANITIZE=address,undefined lib \
	"$BUILD"/sanitize/tests/vhost-hostile{,-device,-answers} >make.log 2>&1 ||
	{ cat make.log; fail make; }

# hostile PROGRAM ROUNDS
hostile() {
	ROUNDS=$2 "$BUILD/sanitize/tests/$1" >out.log 2>&1 || {
		cat out.log found* 2>/dev/null || true
		fail "$1"
	}
	! cat found* 2>/dev/null || fail "a sanitizer has found something"
}
hostile vhost-hostile "${ROUNDS:-200000}"
hostile vhost-hostile-device "${ROUNDS:-10000}"
hostile vhost-hostile-answers "${ROUNDS:-1000000}"
