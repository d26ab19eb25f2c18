#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Kernels that check themselves: the tests of the library and of the tools with each
# flavour, and four virtual CPUs under stress, for an hour with the one that watches locks.

. "$(dirname "$0")/../common/tools.sh"
need gcc make
export LIMIT=7200

# stress FLAVOUR SECONDS
stress() {
	STRESS_SECONDS=$2 FLAVOUR=$1 BUILD=$TOP/build/$1 "$TOP/tests/run" stress || fail "$1: stress"
}

for flavour in lockdep kasan; do
	make -C "$TOP" -s FLAVOUR=$flavour BUILD="$TOP/build/$flavour" all tests >make.log 2>&1 ||
		{ tail -n 30 make.log; fail "make FLAVOUR=$flavour"; }
	FLAVOUR=$flavour BUILD=$TOP/build/$flavour "$TOP/tests/run" library tools || fail "$flavour"
done
stress kasan $((${STRESS_SECONDS:-3600} / 6))
stress lockdep "${STRESS_SECONDS:-3600}"
