#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The manual covers every function of the library and every command, and its
# example works.

. "$(dirname "$0")/../common/tools.sh"
need scdoc gcc mkfs.ext4
BUILD=$(cd "$BIN/.." && pwd)

sed -n 's|^\t\t\(lkl_.*\);|\1|p' "$TOP/lib/lkl.map" >functions
[ "$(wc -l <functions)" -gt 30 ] || fail "no list of functions"
while read -r function; do
	grep -Eqw "$function" "$TOP"/docs/man/*.3.scd ||
		fail "$function is in no manual page"
done <functions

# Its last block of code, in a function.  scdoc takes backslashes for its own.
{
	printf '#include <fcntl.h>\n#include <stdio.h>\n#include <lkl.h>\nint main(void)\n{\n'
	awk '/^```$/ { on = !on; next } on' "$TOP/docs/man/lkl.3.scd" |
		sed 's/\\\(.\)/\1/g'
	echo '}'
} >example.c
mkdir -p tree/etc
head -c 1234 /dev/zero >tree/etc/passwd
image disk.img 16M mkfs.ext4 -q -d tree
gcc -Wall -Wextra -Werror -I"$TOP/include" -I"$BUILD/include" example.c -o example \
	-L"$BUILD/lib" -llkl -Wl,-rpath,"$BUILD/lib"
[ "$(./example)" = "1234 bytes" ] || fail "the example prints something else"
