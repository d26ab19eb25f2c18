#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The example for libnl: what a program prints arrives whole, at the rate that was
# asked for, and AddressSanitizer finds no leak in what we do with libnl, nor any other
# fault of ours.

. "$(dirname "$0")/../common/tools.sh"
need gcc
BUILD=$(cd "$BIN/.." && pwd)

gcc -g -Wall -Werror -I"$TOP/include" -I"$BUILD/include" -I/usr/include/libnl3 \
	"$TOP/examples/shape.c" -o shape -L"$BUILD/lib" -llkl-nl -llkl \
	-lnl-route-3 -lnl-3 -pthread -Wl,-rpath,"$BUILD/lib"
head -c 2000000 /dev/urandom >file

# time_of RATE: milliseconds that the file takes
time_of() {
	local start
	start=$(date +%s%N)
	./shape "$1" cat file 2>log >copy || { cat log; fail "shape $1"; }
	cmp file copy || fail "shape $1: the output differs"
	echo $((($(date +%s%N) - start) / 1000000))
}

slow=$(time_of 8M)
fast=$(time_of 800M)
# 2 MB at 8 Mbit/s take 1.9 s.
[ "$slow" -gt 1700 ] || fail "8 Mbit/s: $slow ms only"
[ "$slow" -lt 4000 ] || fail "8 Mbit/s: $slow ms"
[ "$fast" -lt 1000 ] || fail "800 Mbit/s: $fast ms"

status=0
./shape 1M sh -c 'exit 7' 2>/dev/null || status=$?
[ $status = 7 ] || fail "the program's exit status 7 is $status"
! ./shape 1M /no/such/program 2>log || fail "no program, and no error"
grep -q '^shape: /no/such/program: No such file' log || fail "$(cat log)"

# instrument SOURCE: build the program with our part of libnl in it
instrument() {
	gcc -D_GNU_SOURCE -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all \
		-DKERNEL_PAGE=4096L -I"$TOP/include" -I"$COMMON" -I"$BUILD/include" -I/usr/include/libnl3 \
		"$TOP"/nl/*.c "$TOP/$1" -o instrumented "$BUILD/lib/liblkl.a" \
		-lnl-route-3 -lnl-3 -lmnl $LKL_LIBS
}
# clean ARGUMENT...: nothing is leaked, either of what libnl itself has allocated
clean() {
	ASAN_OPTIONS=detect_leaks=1 ./instrumented "$@" >out 2>log ||
		{ cat out log; fail "instrumented $*"; }
}
instrument tests/net/nl.c
clean caches
clean connected
clean events
instrument examples/shape.c
clean 8M echo hello
grep -q hello out || fail "nothing arrived"
