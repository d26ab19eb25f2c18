#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tar2fs unpacks what GNU tar and bsdtar have written, in any of tar's formats.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 tar bsdtar setfattr setfacl fakeroot
is_root || skip "only root can make devices and owners"

"$COMMON/make-tree.sh" tree root
rm tree/socket
# GNU tar does not save attributes of special files
setfattr -h -x security.selinux tree/sym-link

# try SKIP FILE: unpack the archive and compare
try() {
	image img 400M mkfs.ext4 -q
	tar2fs "$2" img
	check ext4 img
	rm -rf out
	cpfromfs -i img / out
	same -s "$1" tree out/tree
}
tar --acls --xattrs --xattrs-include='*' --selinux --sparse -cf gnu.tar tree
try "" gnu.tar
LC_ALL=C.UTF-8 bsdtar --format=pax -cf - tree | zstd -q >bsd.tar.zst
try "" bsd.tar.zst
tar --format=gnu --sparse -czf old.tar.gz tree
try time,xattr old.tar.gz
[ "$(stat -c %Y tree/file)" = "$(stat -c %Y out/tree/file)" ] || fail "time"

# no entries for directories, several for a file, the parent after its child
mkdir -p s/a/b
echo 1 >s/a/b/f
echo 2 >s/a/g
touch -d @1000 s s/a s/a/b
tar --format=pax -C s -cf odd.tar ./a/b/f a/g
echo 3 >s/a/g
touch -d @1000 s/a
tar --format=pax -C s -rf odd.tar --no-recursion a/g a/b a .
image img 64M mkfs.ext4 -q
tar2fs odd.tar img
cpfromfs -i img /a out2
same s/a out2
