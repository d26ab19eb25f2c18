#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# An ordinary user mounts an image: without access for others the user may do
# everything in it, and can choose how the owners in it look.

. "$(dirname "$0")/../common/fuse.sh"
need setpriv debugfs

# Root becomes nobody, where /dev/fuse is as most systems have it.
if is_root; then
	if [ -z "${LKLFUSE_USER:-}" ]; then
		need unshare
		unshare -m true 2>/dev/null || skip "no mount namespaces here"
		# its files are to be within reach
		TMPDIR=/tmp LKLFUSE_USER=1 unshare -m "$TOP/tests/fuse/${0##*/}"
		exit
	fi
	mknod -m 666 fuse c 10 229
	mount --bind fuse /dev/fuse
	chmod 755 .
	as="setpriv --reuid 65534 --regid 65534 --clear-groups"
	$as test -r . || skip "nobody has no access to $TMP"
	id=65534
else
	as=
	id=$(id -u)
fi
image img 64M mkfs.ext4 -q
mkdir -p root
image full 64M mkfs.ext4 -q -d root
! is_root || chown $id img full mnt

# owner PATH: in the image
owner() {
	debugfs -R "stat $1" img 2>/dev/null |
		sed -n 's/^User: *\([0-9]*\) *Group: *\([0-9]*\) .*/\1:\2/p'
}

# alone
$as lklfuse img mnt
[ "$($as stat -c %u:%g mnt)" = 0:0 ] || fail "not as in the image"
$as sh -c 'cd mnt; echo x >mine; echo x >theirs; chown 12:34 theirs; mkdir dir
	   chown 0:0 dir; chmod 700 dir; echo x >dir/file'
! is_root || ! ls mnt 2>/dev/null || fail "root may look"
$as fusermount3 -u mnt
flock img true
[ "$(owner /theirs)" = 12:34 ] || fail "theirs is $(owner /theirs)'s"
[ "$(owner /mine)" = "$id:$($as id -g)" ] || fail "mine is $(owner /mine)'s"

# permissions count
$as lklfuse img mnt -o default_permissions
! $as touch mnt/new 2>/dev/null || fail "wrote into root's directory"
! $as ls mnt/dir 2>/dev/null || fail "looked into root's directory"
$as fusermount3 -u mnt
flock img true

# the image's root is me
$as lklfuse img mnt -o "default_permissions,uidmap=0:$id,gidmap=0:$id"
[ "$($as stat -c %u:%g mnt/dir)" = "$id:$id" ] || fail "dir is not mine"
[ "$($as stat -c %u:%g mnt/theirs)" = 12:34 ] || fail "theirs is mine"
$as sh -c "echo x >mnt/dir/roots; setfacl -m u:$id:rw mnt/dir/roots"
$as getfacl -cpn mnt/dir/roots | grep -q "^user:$id:rw-" || fail "no ACL"
! $as chown 12 mnt/dir/roots 2>/dev/null || fail "given away"
$as fusermount3 -u mnt
flock img true
[ "$(owner /dir/roots)" = 0:0 ] || fail "/dir/roots is $(owner /dir/roots)'s"

# everything is mine
$as lklfuse img mnt -o "default_permissions,uid=$id,gid=$id"
$as sh -c "cd mnt; cat theirs dir/file; chown $id theirs; rm dir/file" >out ||
	fail "not mine"
! $as chown 12 mnt/theirs 2>/dev/null || fail "given away"
$as fusermount3 -u mnt
flock img true
[ "$(owner /theirs)" = 12:34 ] || fail "the owner was changed"
check ext4 img
