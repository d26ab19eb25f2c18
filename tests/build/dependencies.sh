#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The README's table names the packages that `make deps` installs, and no others;
# without the right to install them, it prints what is missing.

. "$(dirname "$0")/../common/tools.sh"
need make
unset MAKEFLAGS MAKELEVEL

make -s -C "$TOP" --eval 'list:; @printf "%s\n" $(DEBS)' list | sort >installed
sed -n '/^| Debian package/,/^$/s/^| \([^|]*\)|.*/\1/p' "$TOP/README.md" |
	grep -o '`[^`]*`' | tr -d '`' | tr ' ' '\n' | sort >described
[ "$(wc -l <installed)" -gt 20 ]
diff installed described || fail "the table is not right"

# A host with nothing but the shell.
mkdir bin
ln -s "$(command -v sh)" bin/sh
if PATH=$TMP/bin sh "$TOP/scripts/deps.sh" one two 2>log; then
	fail "nothing was missing"
fi
grep -qx 'deps: this is no Debian system; please install: one two' log ||
	{ cat log; fail "not told"; }
