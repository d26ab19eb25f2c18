#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Under fakeroot, faked owners and devices get into the image and out again.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 fakeroot debugfs

image img 64M mkfs.ext4 -q
fakeroot bash -e <<'END'
mkdir tree
echo x >tree/file
chown 12:34 tree/file
mknod tree/null c 1 3
cptofs -i img tree /
cpfromfs -i img /tree out
[ "$(stat -c '%u:%g' out/file)" = 12:34 ]
[ "$(stat -c '%F %t:%T' out/null)" = 'character special file 1:3' ]
END
debugfs -R 'stat /tree/file' img 2>/dev/null | grep -q 'User: *12 *Group: *34 '
debugfs -R 'stat /tree/null' img 2>/dev/null | grep -q 'Type: character special'
