#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The example that fuzzes a file system: it compiles as it says, each round is the
# same when it is done again alone, and the image never changes.

. "$(dirname "$0")/../common/tools.sh"
need gcc mkfs.ext4
BUILD=$(cd "$BIN/.." && pwd)

gcc -O2 -Wall -Wextra -Werror -I"$TOP/include" -I"$BUILD/include" "$TOP/examples/fuzz.c" \
	-o fuzz -L"$BUILD/lib" -llkl -Wl,-rpath,"$BUILD/lib" || fail compile
truncate -s 4M image
mkfs.ext4 -q -F -d "$TOP/scripts" image || fail mkfs
sum=$(sha256sum <image)

./fuzz ext4 image 300 >out || fail "exit status $?"
read -r rounds _ mounted _ <out
[ "$rounds" = 300 ] || fail "no rounds: $(cat out)"
# Some damage is noticed, some is not.
[ "$mounted" -gt 0 ] && [ "$mounted" -lt 300 ] || fail "mounted: $(cat out)"
[ "$(sha256sum <image)" = "$sum" ] || fail "the image has changed"

# What was mounted among 20, and what each of them says alone.
./fuzz ext4 image 20 100 >out || fail "exit status $?"
read -r _ _ mounted _ <out
alone=0
for seed in $(seq 100 119); do
	./fuzz ext4 image 1 "$seed" >out || fail "seed $seed: exit status $?"
	read -r _ _ one _ <out
	alone=$((alone + one))
done
[ "$alone" = "$mounted" ] || fail "$mounted mounted in a row, $alone alone"

! ./fuzz ext4 2>/dev/null || fail "no usage"
! ./fuzz ext4 nowhere 2>err || fail "an image that is not there"
grep -q nowhere err || fail "$(cat err)"
