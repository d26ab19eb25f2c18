#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Owners and SELinux labels of the copies can be chosen.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 debugfs

image img 64M mkfs.ext4 -q
mkdir tree
echo x >tree/file
ln -s file tree/link
uid=$(id -u)
gid=$(id -g)

# owner PATH UID GID
owner() {
	debugfs -R "stat $1" img 2>/dev/null >stat.log
	grep -Eq "^User: +$2 +Group: +$3 " stat.log ||
		{ cat stat.log; fail "owner of $1 is not $2:$3"; }
}

cptofs -i img tree /plain
owner /plain/file "$uid" "$gid"
cptofs -i img -o 1000 -g 70000 tree /fixed
owner /fixed 1000 70000
owner /fixed/file 1000 70000
owner /fixed/link 1000 70000
cptofs -i img -o "$uid:7,*:8" -g "4242:9" tree /map
owner /map/file 7 "$gid"
cptofs -i img -o "4242:7,*:8" -g "$gid:9" tree /map2
owner /map2/file 8 9
cptofs -i img -s some_u:some_r:some_t:s0 tree /label
for path in /label /label/file /label/link; do
	debugfs -R "ea_get $path security.selinux" img 2>/dev/null |
		grep -q 'some_u:some_r:some_t:s0' || fail "no label on $path"
done
check ext4 img
