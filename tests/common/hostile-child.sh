# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For HOSTILE_SECONDS, a forked process that writes garbage into all that it shares with
# its parent, in which there are AddressSanitizer and UBSan. Faults and signal stacks are
# lkl-run's.

make -C "$TOP" -s BUILD="$BUILD" SANITIZE=address,undefined \
	"$BUILD/sanitize/bin/lkl-run" >make.log 2>&1 || { cat make.log; fail make; }
env BUILD="$BUILD/sanitize" HIJACK_BY=lkl-run HOSTILE_SECONDS="$HOSTILE_SECONDS" \
	UBSAN_OPTIONS=print_stacktrace=1 \
	ASAN_OPTIONS=detect_leaks=0:handle_segv=0:handle_sigbus=0:use_sigaltstack=0 \
	"$BUILD/tests/hijack-hostile" >out.log 2>&1 || { cat out.log; fail hijack-hostile; }
! grep -E 'Sanitizer|runtime error|ASan' out.log || { cat out.log; fail "a sanitizer has found something"; }
