#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A tree that goes through an archive is the same in every respect, whether
# tar2fs, GNU tar or bsdtar unpacks it.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 tar bsdtar setfattr setfacl
is_root || skip "only root can unpack devices and owners"

"$COMMON/make-tree.sh" tree root
image img 400M mkfs.ext4 -q
cptofs -i img tree /
fs2tar img a.tar

image img 400M mkfs.ext4 -q
tar2fs a.tar img
check ext4 img
cpfromfs -i img / out
same tree out/tree
# and once more, from what tar2fs wrote
fs2tar img b.tar
cmp a.tar b.tar || fail "the archive of the copy differs"

# tar knows no sockets
rm tree/socket
touch -r out/tree tree
unpack() {
	mkdir "$1"
	"$@" || fail "$1: status $?"
	[ -p "$1/tree/socket" ] || fail "$1: the socket is no FIFO"
	rm "$1/tree/socket"
	touch -r tree "$1/tree"
	same tree "$1/tree"
}
gnu() {
	tar -C gnu -xpf a.tar --acls --xattrs --xattrs-include='*' --selinux \
		--warning=no-timestamp
}
bsd() { bsdtar -C bsd -xpf a.tar; }
unpack gnu
unpack bsd
