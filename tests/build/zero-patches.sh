#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel tree that was built is the pristine one, but for arch/lkl.

. "$(dirname "$0")/../common/tools.sh"
need tar diff
BUILD=$(cd "$BIN/.." && pwd)
source=$(cut -d ' ' -f 1 "$BUILD/linux.origin")

if [ -d "$source" ]; then
	pristine=$source
else
	[ -f "$source" ] || skip "$source is gone"
	pristine=$TMP/pristine
	mkdir "$pristine"
	tar -xf "$source" -C "$pristine" --strip-components=1
fi
status=0
diff -r -u -N --no-dereference -x lkl -x .git "$pristine" "$BUILD/linux" >changes ||
	status=$?
[ $status -le 1 ] || fail "cannot compare"
# -x takes names: see that it left out no other place of that name.
find "$pristine" "$BUILD/linux" -name lkl ! -path "$BUILD/linux/arch/lkl" \
	-print | grep . && fail "another place is named lkl"
lines=$(grep -c '^[-+][^-+]' changes || true)
echo "$lines lines of the kernel's tree are changed"
[ ! -s changes ] || { head -40 changes; fail "the tree is not pristine"; }
