#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel tree that was built is the pristine one, but for arch/lkl.

. "$(dirname "$0")/../common/tools.sh"
need tar diff
BUILD=$(cd "$BIN/.." && pwd)
source=$(cut -d ' ' -f 1 "$BUILD/linux.origin")
linux=$BUILD/linux

# What differs, a line each, and what is in only one of the two.
if [ -d "$source" ]; then
	diff -rq --no-dereference -x .git "$source" "$linux" >changes || [ $? = 1 ] ||
		fail "cannot compare"
	sed -i "\\|^Only in $linux/arch: lkl$|d" changes
else
	[ -f "$source" ] || skip "$source is gone"
	# without a copy of the tree, which takes a minute to write
	tar -dvf "$source" -C "$linux" --strip-components=1 --show-transformed-names \
		>listed 2>&1 || [ $? = 1 ] || fail "cannot compare"
	grep -E ': (Contents|Size|Symlink|File type|Warning: Cannot stat)' listed |
		grep -v '^tar: : ' >changes || true
	grep -v '^tar: \|: [A-Z][a-z]* [a-z]* *differs$' listed | sed 's|/$||' | sort -u >there
	[ "$(wc -l <there)" -gt 50000 ] || fail "only $(wc -l <there) files"
	(cd "$linux" && find . -mindepth 1 ! -path './arch/lkl*' -printf '%P\n') | sort |
		comm -23 - there | sed 's/^/only in the tree: /' >>changes
fi
[ ! -s changes ] || { head -40 changes; fail "the tree is not pristine"; }
