#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The example of README.md builds as it says there, from what `make install`
# installed and with nothing but pkg-config to find it, and runs; so do the
# installed tools.

. "$(dirname "$0")/../common/tools.sh"
need make gcc pkg-config
unset MAKEFLAGS MAKELEVEL

make -s -C "$TOP" install DESTDIR="$TMP/root" PREFIX=/opt/lkl >log 2>&1 ||
	{ tail -20 log; fail "make install"; }
PREFIX=$TMP/root/opt/lkl
export PKG_CONFIG_PATH=$PREFIX/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$TMP/root
[ "$(pkg-config --modversion lkl)" ]

# The C program, and the commands that follow it.
awk '/^```c$/ { on = 1; next } /^```$/ { exit } on' "$TOP/README.md" >hello.c
[ -s hello.c ] || fail "no example"
sed -n 's/^    \(cc hello\.c .*\)/\1/p' "$TOP/README.md" >commands
[ "$(wc -l <commands)" = 2 ] || fail "not two ways to build it"
# Where the library is not installed for good, the loader has to be told.
export LD_LIBRARY_PATH=$PREFIX/lib
while read -r command; do
	rm -f hello
	CPATH='' LIBRARY_PATH='' sh -c "$command -Wall -Wextra -Werror" ||
		fail "$command"
	out=$(./hello) || fail "$command: exit status $?"
	[ "$out" = "5 bytes written" ] || fail "$command: $out"
done <commands
! ldd ./hello >/dev/null 2>&1 || fail "the second is not static"

# C++, too.
sed 's/^#include <lkl.h>/&\n#include <vector>/' hello.c >hello.cc
# shellcheck disable=SC2046
g++ -std=c++17 -Wall -Wextra -Werror hello.cc -o hello $(pkg-config --cflags --libs lkl)
[ "$(./hello)" = "5 bytes written" ] || fail "C++"
unset LD_LIBRARY_PATH

"$PREFIX/bin/cptofs" --version >version
cmp -s "$PREFIX/bin/cptofs" "$BIN/cptofs" || fail "another tool was installed"
for page in lkl.3 cptofs.1; do
	[ -s "$PREFIX/share/man/man${page##*.}/$page" ] || fail "no manual page $page"
done
