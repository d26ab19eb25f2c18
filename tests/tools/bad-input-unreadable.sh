#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# An unreadable source file is reported and left out, the rest is copied.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 setpriv

mkdir -p tree/locked
echo 1 >tree/one
echo 2 >tree/secret
echo 3 >tree/three
echo 4 >tree/locked/four
chmod 0 tree/secret tree/locked
image img 64M mkfs.ext4 -q
chmod 777 . img

user=()
if is_root; then
	user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	"${user[@]}" cptofs --version >/dev/null 2>&1 ||
		skip "an ordinary user cannot reach the tools"
fi
status=0
"${user[@]}" cptofs -i img tree /none /  2>log || status=$?
[ $status = 1 ] || fail "status $status"
sort log >sorted
diff - sorted <<'END' || fail "messages differ"
cptofs: cannot open 'tree/locked': Permission denied
cptofs: cannot open 'tree/secret': Permission denied
cptofs: cannot stat '/none': No such file or directory
END
check ext4 img
cpfromfs -i img /tree out
[ "$(cd out && echo *)" = "one three" ] || fail "wrong files were copied"
