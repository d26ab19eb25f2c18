#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The library by what POSIX says alone: it is built without any other name of the
# system's headers, and passes the tests of the library that ask for nothing it has not.

. "$(dirname "$0")/../common/tools.sh"
BUILD=$(cd "$BIN/.." && pwd)
shift=$(sed -n 's/^CONFIG_PAGE_SHIFT=//p' "$BUILD/kernel/.config")

make -C "$TOP" -s BUILD="$BUILD" PAGE=$((1 << (shift - 10))) HOST=posix >make.log 2>&1 ||
	{ cat make.log; fail "make HOST=posix"; }

# Headers that glibc shows whatever is asked for, and calls of Linux.
cd "$BUILD/posix/obj"
find . -name '*.d' -print0 | xargs -0 sed 's/[ :\\]/\n/g' | sort -u |
	grep -E "^(host|lib|tools)/.*[.][ch]$" >"$TMP/sources"
grep -q '^host/posix/memory.c$' "$TMP/sources" || fail "the sources are not known"
cd "$TOP"
! xargs grep -nE '#include <(linux|asm)/|#include <sys/(epoll|eventfd|inotify|prctl|random|signalfd|syscall|sysmacros|timerfd|vfs|xattr)\.h>|_GNU_SOURCE|raw_syscall' \
	<"$TMP/sources" || fail "there is something of Linux"
! grep '^host/linux/' "$TMP/sources" || fail "a file of the host Linux is used"
cd "$TMP"

export LD_LIBRARY_PATH=$BUILD/posix/lib
ldd "$BUILD/tests/portable" >libraries
grep -q "$BUILD/posix/lib/liblkl.so" libraries || fail "the tests use another library"
for test in portable pointers signals interrupt debug direct fork fs stress uring; do
	timeout 100 "$BUILD/tests/$test" >log 2>&1 || { cat log; fail "$test"; }
done

# What is not there cannot be linked.
echo '#include <lkl_host.h>
int main(void) { return lkl_netdev_pipe_create("a|b") != 0; }' >missing.c
! cc missing.c -I"$TOP/include" -I"$BUILD/include" -L"$BUILD/posix/lib" -llkl \
	-o missing 2>link.log || fail "a wire can be linked, and there are none"
grep -q lkl_netdev_pipe_create link.log || { cat link.log; fail "another mistake"; }
