#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# cpfromfs.exe --escape-names, under Wine: it gives files the names that the same option
# gives them on Linux, and refuses a second name that Windows takes for the first one;
# cptofs.exe --escape-names undoes it.  Without the option such names are refused.

. "$(dirname "$0")/../common/tools.sh"
. "$(dirname "$0")/../common/wine.sh"
need mkfs.ext4 python3

"$COMMON/windows_names.py" make all
# Windows takes "a" and "A" for one: only the first of each such name.
find all -mindepth 1 -print0 | sort -z | python3 -c '
import os, sys
seen = set()
for path in sys.stdin.buffer.read().split(b"\0")[:-1]:
    key = path.lower()
    if key in seen:
        os.unlink(path)
    seen.add(key)
'
image img 64M mkfs.ext4 -q
cptofs -i img all /
cpfromfs --escape-names -i img /all want

quiet cpfromfs --escape-names -i img /all there
diff -r want there || fail "cpfromfs.exe makes other files"
[ "$("$COMMON/windows_names.py" check there)" -gt 500 ] || fail "few files"

image back 64M mkfs.ext4 -q
quiet cptofs --escape-names -i back there/. /
cpfromfs -i back / again
rm -rf again/lost+found
diff -r all again || fail "cptofs.exe gives other names back"
quiet lkl cp --escape-names 'back:/a:b' .
cmp a%3Ab 'all/a:b'

# Without the option each such name is refused, and nothing else.
exits 1 cpfromfs -i img /all plain
find plain -type f -printf '%P\0' | while IFS= read -r -d '' name; do
	cmp "plain/$name" "all/$name" || fail "a file has another name"
done
[ "$(grep -c 'cannot create' tool.log)" -ge 500 ] || fail "few names are refused"

# Names that differ in case only.
mkdir case
echo lower >'case/x:y'
echo upper >'case/X:y'
echo looks >case/x%3Ay
echo same >case/X%3ay
cptofs -i img case /
exits 1 cpfromfs --escape-names -i img /case case.out
[ "$(grep -c "File exists" tool.log)" = 2 ] || { cat tool.log; fail "not two are refused"; }
grep -q "'case.out/x%3Ay': File exists" tool.log || { cat tool.log; fail "which is refused"; }
[ "$(cat case.out/*)" = "$(printf 'same\nupper')" ] || fail "$(head -v case.out/*)"
