#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Copying again replaces files, merges directories, and keeps the rest.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4

image img 64M mkfs.ext4 -q
mkdir -p tree/dir
echo old >tree/file
echo old >tree/dir/file
ln -s old tree/link
ln tree/file tree/hard
cptofs -i img tree /

rm tree/hard tree/link tree/file
echo a longer new one >tree/file
ln -s new tree/link
echo more >tree/dir/more
chmod 700 tree/dir
cptofs -i img tree /
cpfromfs -i img /tree out
echo old | cmp - out/hard || fail "the other name of a replaced file changed"
rm out/hard
same -s time tree out

# a directory stays a directory, and a file a file
mkdir other
echo x >other/dir
refuses 1 "cannot create regular file 'img:/tree/dir': Is a directory" \
	cptofs -i img other/dir /tree
rm other/dir
mkdir other/file
refuses 1 "cannot open directory 'img:/tree/file': Not a directory" \
	cptofs -i img other/file /tree
check ext4 img
