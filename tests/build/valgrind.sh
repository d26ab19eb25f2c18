#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# valgrind reports nothing for a program that uses the library correctly, and reports
# the errors of one that does not.

. "$(dirname "$0")/../common/tools.sh"
need valgrind gcc
BUILD=$(cd "$BIN/.." && pwd)

# Handlers of faults must find the registers as they were at the instruction.
export VALGRIND_OPTS='--px-default=allregs-at-mem-access
--px-file-backed=allregs-at-mem-access'

check_with() {
	valgrind -q --error-exitcode=9 "$@" >out.log 2>&1 ||
		{ cat out.log; fail "valgrind $*"; }
}

memcheck=(--suppressions="$TOP/packaging/valgrind.supp")
NO_BAD_POINTERS=1 check_with "${memcheck[@]}" --leak-check=full "$BUILD/tests/debuggee"
check_with --tool=callgrind --callgrind-out-file=callgrind.out "$BUILD/tests/debuggee"
grep -Eq 'fn=.* (ksys_write|vfs_write)' callgrind.out || fail "callgrind knows no kernel function"

cat >wrong.c <<'END'
#include <stdlib.h>
#include <lkl.h>
int main(void)
{
	char *p = malloc(10);
	struct lkl_timespec *ts = malloc(sizeof(*ts));

	lkl_init(&lkl_host_ops);
	lkl_start_kernel("mem=64M loglevel=4");
	lkl_sys_write(lkl_sys_memfd_create("x", 0), p, 11);	/* too long */
	lkl_sys_nanosleep((void *)ts, NULL);			/* not set */
	return lkl_sys_halt();
}
END
gcc -g -I"$TOP/include" -I"$BUILD/include" wrong.c "$BUILD/lib/liblkl.a" $LKL_LIBS -o wrong
valgrind -q "${memcheck[@]}" ./wrong >out.log 2>&1 || true
for text in 'Invalid read of size' 'lkl_copy_user' \
		'is 0 bytes after a block of size 10' \
		'Conditional jump or move depends on uninitialised' 'nanosleep'; do
	grep -q "$text" out.log || { cat out.log; fail "no '$text'"; }
done
