#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel as an image of its own, as hosts have it whose objects are not ours:
# the library with one passes the tests of the library.

. "$(dirname "$0")/../common/tools.sh"
BUILD=$(cd "$BIN/.." && pwd)
shift=$(sed -n 's/^CONFIG_PAGE_SHIFT=//p' "$BUILD/kernel/.config")

make -C "$TOP" -s BUILD="$BUILD" PAGE=$((1 << (shift - 10))) IMAGE=1 lib >make.log 2>&1 ||
	{ cat make.log; fail "make IMAGE=1"; }
export LD_LIBRARY_PATH=$BUILD/image/lib
ldd "$BUILD/tests/portable" >libraries
grep -q "$BUILD/image/lib/liblkl.so" libraries ||
	fail "the tests do not use the library with an image"
nm "$BUILD/image/lib/liblkl.so.debug" >symbols
grep -q ' door_image$' symbols || fail "no image in the library"
! grep -q ' rest_init$' symbols || fail "the kernel itself is in the library"
for test in portable life pointers mmap fork; do
	timeout 60 "$BUILD/tests/$test" >log 2>&1 || { cat log; fail "$test"; }
done
