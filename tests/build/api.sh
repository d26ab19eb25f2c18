#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tests/library/api.c compiles in strict C11 and in C++17 as in the compiler's own C.

. "$(dirname "$0")/../common/tools.sh"
need gcc g++
BUILD=$(cd "$BIN/.." && pwd)

# try COMPILER...
try() {
	"$@" -D_DEFAULT_SOURCE -Wall -Wextra -Werror -I"$TOP/include" \
		-I"$BUILD/include" "$TOP/tests/library/api.c" -L"$BUILD/lib" -llkl \
		-Wl,-rpath,"$BUILD/lib" -o api || fail "$*"
	./api || fail "$*: exit status $?"
}

try gcc -std=c11
try g++ -x c++ -std=c++17
