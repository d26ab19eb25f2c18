#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# -s writes SELinux labels to a file and takes them from it.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 bsdtar

mkdir -p "tree/a dir"
echo x >"tree/a dir/file"
echo x >tree/plain
image img 64M mkfs.ext4 -q
cptofs -i img -s u:r:some_t:s0 tree/. /
cptofs -i img tree/plain /
fs2tar -s labels img a.tar
cat >want <<'END'
/ u:r:some_t:s0
/a\040dir u:r:some_t:s0
/a\040dir/file u:r:some_t:s0
END
cmp labels want || { cat labels; fail "wrong labels"; }

# an archive from a program that lost the labels, and others instead
sed 's/some_t/other_t/' labels >labels2
(cd tree && bsdtar -cf ../b.tar .)
image img 64M mkfs.ext4 -q
tar2fs -s labels2 b.tar img
fs2tar -s labels3 img c.tar
cmp labels2 labels3
# they go before those in the archive
image img 64M mkfs.ext4 -q
tar2fs -s labels2 a.tar img
fs2tar -s labels3 img c.tar
cmp labels2 labels3
tar2fs a.tar img
fs2tar -s labels3 img c.tar
cmp labels labels3

echo "no label" >bad
refuses 2 "'bad', line 1: not a path and a label" tar2fs -s bad a.tar img
