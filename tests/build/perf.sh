#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# perf names the functions of the kernel and their callers.

. "$(dirname "$0")/../common/tools.sh"
need perf gcc
BUILD=$(cd "$BIN/.." && pwd)

gcc -O2 -I"$TOP/include" -I"$BUILD/include" "$COMMON/debuggee.c" \
	"$BUILD/lib/liblkl.a" $LKL_LIBS -o static
for program in "$BUILD/tests/debuggee" ./static; do
	perf record -q -e cpu-clock --call-graph fp -o data "$program" 20000 \
		>record.log 2>&1 || skip "perf record does not work here"
	perf report -i data --stdio --no-children -g caller >out.log 2>/dev/null
	for name in lkl_copy_user lkl_fiber_start vfs_read; do
		grep -q "$name" out.log || { head -n 60 out.log; fail "no $name"; }
	done
done
