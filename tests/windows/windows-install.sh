#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What `make HOST=windows install` installs is all that it takes to build the example of
# README.md for Windows (but for its long), with the library in it and with the DLL.

. "$(dirname "$0")/../common/tools.sh"
. "$(dirname "$0")/../common/wine.sh"
need make x86_64-w64-mingw32-gcc-posix x86_64-w64-mingw32-g++-posix pkg-config
unset MAKEFLAGS MAKELEVEL FLAVOUR

make -s -C "$TOP" HOST=windows BUILD="$WINDOWS" install DESTDIR="$TMP/root" PREFIX=/opt/lkl \
	>log 2>&1 || { tail -20 log; fail "make install"; }
export PKG_CONFIG_LIBDIR=$TMP/root/opt/lkl/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$TMP/root
awk '/^```c$/ { on = 1; next } /^```$/ { exit } on' "$TOP/README.md" |
	sed 's/%ld/%lld/; s/long fd/lkl_long_t fd/' >hello.c
[ -s hello.c ] || fail "no example"
sed -n 's/^    \(x86_64-w64-mingw32-.*\)/\1/p' "$TOP/docs/windows.md" >commands
[ "$(wc -l <commands)" = 2 ] || fail "not two ways to build it"

while read -r command; do
	rm -f hello.exe
	sh -c "$command -Wall -Wextra -Werror" || fail "$command"
	out=$(wine64 hello.exe) || fail "$command: exit status $?"
	[ "${out%$'\r'}" = "5 bytes written" ] || fail "$command: $out"
	# the second finds the library beside it
	cp root/opt/lkl/bin/lkl.dll .
done <commands

# C++, too.
sed 's/^#include <lkl.h>/&\n#include <vector>/' hello.c >hello.cc
# shellcheck disable=SC2046
x86_64-w64-mingw32-g++-posix -std=c++17 -Wall -Wextra -Werror hello.cc -o hello.exe -static \
	$(pkg-config --static --cflags --libs lkl)
out=$(wine64 hello.exe) || fail "C++: exit status $?"
[ "${out%$'\r'}" = "5 bytes written" ] || fail "C++: $out"

cmp root/opt/lkl/bin/cptofs.exe "$WINDOWS/bin/cptofs.exe"
