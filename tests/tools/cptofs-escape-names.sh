#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# --escape-names: what is copied out of an image has names that Windows can hold, each
# of which stands for the one in the image, and comes back as it was.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 python3

mkdir tree
"$COMMON/windows_names.py" make tree
ln 'tree/a:b' 'tree/dir:/li*nk'
ln -s '../dir:/in?ner/./x%3F' 'tree/to:'
ln -s '/abs:/con' tree/absolute
image img 64M mkfs.ext4 -q
cptofs -i img tree /

cpfromfs --escape-names -i img /tree out
rm 'tree/dir:/li*nk'
count=$(find tree -type f -printf . | wc -c)
[ "$(readlink out/to%3A)" = '../dir%3A/in%3Fner/./x%253F' ] || fail "$(readlink out/to%3A)"
[ "$(readlink out/absolute)" = '/abs%3A/%63on' ] || fail "$(readlink out/absolute)"
[ out/a%3Ab -ef out/dir%3A/li%2Ank ] || fail "a hard link leads elsewhere"
rm out/dir%3A/li%2Ank
[ "$("$COMMON/windows_names.py" check out)" = "$count" ] || fail "not as many files: $count"

# The same way back, by its own name and by another.
ln out/a%3Ab out/dir%3A/li%2Ank
ln 'tree/a:b' 'tree/dir:/li*nk'
touch -r 'tree/dir:' out/dir%3A
mv out tr%3Fee
image back 64M mkfs.ext4 -q
cptofs --escape-names -i back tr%3Fee /
cptofs --escape-names -i back tr%3Fee/dir%3A /user:s%3A
cpfromfs -i back / again
same tree 'again/tr?ee'
diff -r 'tree/dir:' 'again/user:s%3A'
lkl cp --escape-names 'back:/tr?ee/a:b' .
cmp a%3Ab 'tree/a:b'
lkl cp --escape-names 'back:/tr?ee/a:b' the:copy
cmp the:copy 'tree/a:b'

# A name that only looks like one of these stays, and replaces no other.
mkdir odd
touch odd/x%41 odd/%2E odd/%2F odd/%00 odd/%3a odd/50%25
echo first >odd/5%2541
echo second >odd/5%41
image odd.img 16M mkfs.ext4 -q
# The second time, what was there before may be replaced, but once.
for _ in 1 2; do
	refuses 1 "cannot create regular file 'odd.img:/odd/5%41': File exists" \
		cptofs --escape-names -i odd.img odd /
	[ "$(lkl ls odd.img /odd | sort | tr '\n' ' ')" = '%00 %2E %2F %3a 5%41 50%25 x%41 ' ] ||
		fail "$(lkl ls odd.img /odd)"
	[ "$(lkl cat odd.img /odd/5%41)" = first ] || fail "a file was replaced"
done
