#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A kernel that checks itself: the tests of the library and of the tools, and four virtual
# CPUs under stress for an hour.

. "$(dirname "$0")/../common/tools.sh"
need gcc make
BUILD=$TOP/build/lockdep
export FLAVOUR=lockdep BUILD

make -C "$TOP" -s all tests >make.log 2>&1 || { tail -n 30 make.log; fail make; }
"$TOP/tests/run" library tools || fail tests
STRESS_SECONDS=${STRESS_SECONDS:-3600} LIMIT=7200 "$TOP/tests/run" stress || fail stress
