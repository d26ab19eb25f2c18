#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A name too long for the target is reported, the rest is copied.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.minix

mkdir tree
long=$(printf 'n%.0s' $(seq 100))
echo 1 >tree/short
echo 2 >"tree/$long"
mkdir "tree/${long}d"
echo 3 >tree/zshort
image img 8M mkfs.minix -n 30
status=0
cptofs -i img tree / 2>log || status=$?
[ $status = 1 ] || fail "status $status"
diff - log <<END || fail "messages differ"
cptofs: cannot create regular file 'img:/tree/$long': File name too long
cptofs: cannot create directory 'img:/tree/${long}d': File name too long
END
fsck.minix -f img >/dev/null || fail "the image is damaged"
cpfromfs -i img /tree out
[ "$(cd out && echo *)" = "short zshort" ] || fail "wrong files were copied"
