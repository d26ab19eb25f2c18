#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# AddressSanitizer and UBSan in the library's host part and in the programs: no
# complaint about ours, and faults of the application are still seen.

. "$(dirname "$0")/../common/tools.sh"
need gcc make
BUILD=$(cd "$BIN/.." && pwd)
export ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=halt_on_error=1

make -C "$TOP" -s BUILD="$BUILD" SANITIZE=address,undefined lib \
	"$BUILD"/sanitize/tests/{debuggee,fs,ring,life-threads} >make.log 2>&1 ||
	{ cat make.log; fail make; }
for program in debuggee fs ring life-threads; do
	"$BUILD/sanitize/tests/$program" >out.log 2>&1 ||
		{ cat out.log; fail "$program"; }
	! grep -E 'Sanitizer|runtime error|ASan' out.log || fail "$program"
done

# The application writes behind a buffer that came from the kernel's call.
cat >wrong.c <<'END'
#include <stdlib.h>
#include <lkl.h>
int main(void)
{
	char *p = malloc(10);

	lkl_init(&lkl_host_ops);
	lkl_start_kernel("mem=64M loglevel=4");
	lkl_sys_getcwd(p, 10);
	p[10] = 0;
	return 0;
}
END
gcc -g -fsanitize=address -I"$TOP/include" -I"$BUILD/include" wrong.c \
	-L"$BUILD/sanitize/lib" -llkl -Wl,-rpath,"$BUILD/sanitize/lib" -o wrong
! ./wrong >out.log 2>&1 || fail "overrun not seen"
grep -q 'heap-buffer-overflow' out.log || { cat out.log; fail "no report"; }
