#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Make a tree with one of everything a file system can hold.
#
# usage: make-tree.sh DIR [USER]
#
# With "root" as USER also what only root may make: devices, owners, capabilities.

set -e
mkdir "$1"
cd "$1"

echo hello >file
: >empty
head -c 3000000 /dev/urandom >big
head -c 1048576 /dev/urandom >exactly-1MiB
printf 'x' >mode-0; chmod 0 mode-0
printf 'x' >setuid; chmod 4755 setuid
printf 'x' >read-only; chmod 444 read-only
printf 'x' >$'new\nline'
printf 'x' >"$(printf 'n%.0s' $(seq 255))"
ln file hard-link
ln -s file sym-link
ln -s /no/such/file dangling
ln -s "$(printf 'p%.0s' $(seq 1000))" long-link
mkfifo -m 640 fifo
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'

mkdir -p dir/a/b/c sticky setgid empty-dir no-write
echo deep >dir/a/b/c/deep
ln file dir/a/other-hard-link
ln sym-link dir/link-to-link
echo x >no-write/file
chmod 1777 sticky
chmod 2755 setgid
chmod 555 no-write

truncate -s 5M all-hole
truncate -s 3M holes
printf data | dd of=holes bs=1 seek=1048576 conv=notrunc status=none
printf tail | dd of=holes bs=1 seek=2621440 conv=notrunc status=none

setfattr -n user.color -v blue file
setfattr -n user.empty -v '' file
setfattr -n user.color -v red dir
setfacl -m u:12345:rw,g:54321:r file
setfacl -d -m u:12345:rwx dir

if [ "$2" = root ]; then
	mknod -m 600 null c 1 3
	mknod -m 660 disk b 259 262143
	echo x >owned; chown 1234:70000 owned
	echo x >owned-setuid; chown 1234:4321 owned-setuid
	chmod 6755 owned-setuid
	ln -s nowhere owned-link; chown -h 1234:4321 owned-link
	chown 1234:4321 sticky
	echo x >capable; setcap cap_net_raw+ep capable
	echo x >labelled
	setfattr -n security.selinux -v 'system_u:object_r:bin_t:s0' labelled
	setfattr -h -n security.selinux -v 'link_t' sym-link
	setfattr -n trusted.secret -v 1 labelled
fi

# times with nanoseconds, before and after what 32 bits can count
touch -d '2001-02-03 04:05:06.123456789' file
touch -h -d '1999-12-31 23:59:59.999999999' sym-link
touch -d '2040-01-01 00:00:00.000000001' big
touch -d '2010-10-10 10:10:10.101010101' dir/a
touch -h -d '2011-11-11 11:11:11.111111111' fifo
touch -d '2012-12-12 12:12:12.121212121' .
