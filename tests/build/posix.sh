#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The library and the tools that copy, by what POSIX says alone: they are built without
# any other name of the system's headers, and pass the tests that ask for nothing they
# have not.

. "$(dirname "$0")/../common/tools.sh"
BUILD=$(cd "$BIN/.." && pwd)
shift=$(sed -n 's/^CONFIG_PAGE_SHIFT=//p' "$BUILD/kernel/.config")

make -C "$TOP" -s BUILD="$BUILD" PAGE=$((1 << (shift - 10))) HOST=posix >make.log 2>&1 ||
	{ cat make.log; fail "make HOST=posix"; }

# Headers that glibc shows whatever is asked for, and calls of Linux.
cd "$BUILD/posix/obj"
find . -name '*.d' -print0 | xargs -0 sed 's/[ :\\]/\n/g' | sort -u |
	grep -E '^(host|lib|tools|door)/.*[.][ch]$' >"$TMP/named"
cd "$TOP"
# What was built before may name some that are gone.
xargs ls <"$TMP/named" >"$TMP/sources" 2>/dev/null || true
grep -q '^host/posix/memory.c$' "$TMP/sources" || fail "the sources are not known"
! grep -E '^(host|lib|door)/' "$TMP/sources" |
	xargs grep -nE '#include <(linux|asm)/|#include <sys/(epoll|eventfd|inotify|prctl|random|signalfd|syscall|sysmacros|timerfd|vfs|xattr)\.h>|raw_syscall' ||
	fail "there is something of Linux"
# Headers of tools/posix/include/ stand for some.
! grep '^tools/' "$TMP/sources" |
	xargs grep -nE '#include <sys/(epoll|eventfd|inotify|prctl|random|signalfd|syscall|timerfd|vfs)\.h>|SYS_[a-z]|__NR_' ||
	fail "there is something of Linux in the tools"
! grep '^host/linux/' "$TMP/sources" || fail "a file of the host Linux is used"
# No files need each other.
scripts/circles.py "$BUILD/posix/obj" host lib door tools >"$TMP/circles" || fail "circles.py"
[ ! -s "$TMP/circles" ] || { cat "$TMP/circles"; fail "files need each other"; }
cd "$TMP"

export LD_LIBRARY_PATH=$BUILD/posix/lib
ldd "$BUILD/tests/portable" >libraries
grep -q "$BUILD/posix/lib/liblkl.so" libraries || fail "the tests use another library"
for test in portable pointers signals interrupt debug direct fork fs stress uring; do
	timeout 100 "$BUILD/tests/$test" >log 2>&1 || { cat log; fail "$test"; }
done

export -n LD_LIBRARY_PATH
for test in cptofs-owner cptofs-again cptofs-partition cptofs-target cptofs-usage \
	cptofs-interrupt cptofs-sync cpfromfs-dirty cpfromfs-host bad-input-host-full \
	bad-input-image bad-input-name bad-input-unreadable; do
	status=0
	BIN=$BUILD/posix/bin timeout 100 "$TOP/tests/tools/$test.sh" >log 2>&1 || status=$?
	[ $status = 0 ] || [ $status = 77 ] || { cat log; fail "$test"; }
done

# Verbs, beside those of the ordinary build, and what is refused in words.
mkdir -p "tree/a b"
seq 20000 >"tree/a b/numbers"
ln -s 'a b/numbers' tree/link
need mkfs.ext4
image img 32M mkfs.ext4 -q
"$BUILD/posix/bin/cptofs" -i img tree/. /
for verb in 'ls -lR' 'cat /link' 'stat /link' 'du /' 'df' 'info --json' 'sum /link'; do
	# shellcheck disable=SC2086
	set -- ${verb%% *} img ${verb#"${verb%% *}"}
	lkl "$@" >want
	"$BUILD/posix/bin/lkl" "$@" >is 2>log || { cat log; fail "$verb"; }
	diff want is || fail "$verb prints something else"
done
status=0
"$BUILD/posix/bin/lkl" sh img -c ls 2>log || status=$?
[ $status != 0 ] && grep -q 'on Linux only' log || { cat log; fail "sh is not refused"; }

# What is not there cannot be linked.
echo '#include <lkl_host.h>
int main(void) { return lkl_netdev_pipe_create("a|b") != 0; }' >missing.c
! cc missing.c -I"$TOP/include" -I"$BUILD/include" -L"$BUILD/posix/lib" -llkl \
	-o missing 2>link.log || fail "a wire can be linked, and there are none"
grep -q lkl_netdev_pipe_create link.log || { cat link.log; fail "another mistake"; }
