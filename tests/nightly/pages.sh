#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Kernels with pages of 16 and of 64 KiB pass the library's tests.

. "$(dirname "$0")/../common/tools.sh"
need gcc make
export LIMIT=1200
status=0

for page in 16 64; do
	build=$TOP/build${page}k
	make -C "$TOP" -s PAGE=$page BUILD="$build" all tests >make.log 2>&1 ||
		{ tail -n 30 make.log; fail "make PAGE=$page"; }
	BUILD=$build "$TOP/tests/run" library || { echo "FAIL: PAGE=$page"; status=1; }
done
exit $status
