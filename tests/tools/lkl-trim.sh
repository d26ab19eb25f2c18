#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# trim gives the space of removed files back to the host, and changes no file.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4

# used FILE: the space that it takes on the host, in MiB
used() {
	echo $(($(stat -c %b "$1") / 2048))
}

head -c 20000000 /dev/urandom >large
head -c 5000000 /dev/urandom >kept
truncate -s 1M holes
[ "$(used holes)" = 0 ] || skip "the host has no holes in files here"
for type in ext4 xfs btrfs f2fs; do
	command -v mkfs.$type >/dev/null || continue
	options=
	# else the kernel goes on with tables, in space that would be trimmed
	[ $type != ext4 ] || options="-E lazy_itable_init=0,lazy_journal_init=0"
	# shellcheck disable=SC2086
	image img 400M mkfs.$type -q $options
	lkl sh img -c 'cp kept :/'
	without=$(used img)
	lkl sh img -c 'cp large :/'
	with=$(used img)
	[ $((with - without)) -ge 18 ] || fail "$type: $without MiB, with a file $with MiB"
	lkl rm img /large
	# f2fs discards by itself, as soon as it removes
	[ $type = f2fs ] || [ "$(used img)" -ge $((with - 1)) ] ||
		fail "$type: no space is left to be trimmed"
	lkl trim -v img >out
	grep -Eq '^[0-9.]+[KMG]? \([0-9]+ bytes\) trimmed$' out || { cat out; fail "$type: -v"; }
	[ "$(used img)" -le $((without + 1)) ] ||
		fail "$type: $without MiB without the file, $(used img) MiB after"
	lkl cat img /kept | cmp - kept
	check $type img
done

# all that is free is told, and only larger ranges are taken if that is asked for
image img 400M mkfs.ext4 -q -b 4096
cptofs -i img kept /
free=$(lkl df --json img | sed -n 's/.*"size": \?\([0-9]*\).*"used": \?\([0-9]*\).*/\1 - \2/p')
trimmed() {
	lkl trim -v "$@" img | sed 's/.*(\([0-9]*\) bytes.*/\1/'
}
[ "$(trimmed)" = $((free)) ] || fail "$(trimmed) bytes of $((free)) are trimmed"
part=$(trimmed --minimum=120M)
[ "$part" -gt 0 ] && [ "$part" -lt $((free)) ] || fail "--minimum: $part bytes of $((free))"
refuses 2 "cannot trim 'img:/': Invalid argument" lkl trim --minimum=1G img
! lkl trim --minimum=x img 2>log || fail "--minimum=x"
grep -qx "lkl trim: invalid size: 'x'" log || { cat log; fail "--minimum=x"; }

if command -v mkfs.minix >/dev/null; then
	image minix 16M mkfs.minix
	refuses 2 "cannot trim 'minix:/': Operation not supported" lkl trim minix
fi
if command -v mksquashfs >/dev/null; then
	mksquashfs kept squash -quiet -no-progress >/dev/null
	refuses 2 "cannot write to 'squash': read-only file system .*" lkl trim squash
fi
refuses 2 "cannot open 'none': No such .*" lkl trim none
