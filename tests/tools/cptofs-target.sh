#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Where copies go is decided as cp decides it.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4

image img 64M mkfs.ext4 -q
mkdir dir
echo 1 >dir/one
echo 2 >dir/two
echo 3 >three

# into a directory, under its own name
cptofs -i img dir three /
cpfromfs -i img /dir out1
same dir out1
# a new name
cptofs -i img dir /new
cptofs -i img three /file
# contents only
cptofs -i img dir/. /new2
cptofs -i img dir/. /dir/
cpfromfs -i img /new new
cpfromfs -i img /new2/. new2
cpfromfs -i img /file file
same dir new
same dir new2
cmp three file
# a trailing slash, a path without leading slash, a link in the path
cptofs -i img dir/ new/
cpfromfs -i img new/dir out2
same dir out2
ln -s /new link
cptofs -i img link /
cptofs -i img three /link
cpfromfs -i img /new/three out3
cmp three out3
# into the current directory
mkdir here
(cd here && cpfromfs -i ../img /dir .)
same dir here/dir

refuses 1 "cannot open target directory 'img:/none': No such .*" \
	cptofs -i img dir three /none
refuses 1 "cannot create 'img:/none/none': No such .*" \
	cptofs -i img three /none/none
refuses 1 "cannot create regular file 'img:/none/': Not a directory" \
	cptofs -i img three /none/
refuses 1 "cannot create 'img:/three/one': Not a directory" \
	cptofs -i img dir/one /three/one
check ext4 img
