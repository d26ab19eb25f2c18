#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the library is good for, in a minute and without root: put a folder into
# images of several file systems, let the host's own tools check them, and get
# the folder back.

set -eu -o pipefail
BUILD=${BUILD:-$(cd "$(dirname "$0")/.." && pwd)/build}
exec 2>&1
PATH=$BUILD/bin:$PATH:/usr/sbin:/sbin
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT

# say and do it
run() {
	echo "\$ $*"
	"$@"
}

# demo TYPE CHECK MKFS...
demo() {
	local type=$1 check=$2
	shift 2
	echo
	echo "== $type: $count files into an image and out again"
	truncate -s 300M "$type.img"
	"$@" "$type.img" >log 2>&1 || { cat log; return 1; }
	time run cptofs -t "$type" -i "$type.img" files /
	time run cpfromfs -t "$type" -i "$type.img" /files "from-$type"
	run diff -r files "from-$type"
	echo "\$ $check $type.img"
	$check "$type.img" >log 2>&1 || { cat log; return 1; }
	echo '   no difference, no error'
}

cp -r "$BUILD/include" files
count=$(find files -type f | wc -l)
TIMEFORMAT='   %R seconds'
demo ext4 'e2fsck -fn' mkfs.ext4 -q
demo xfs 'xfs_repair -n' mkfs.xfs -q
demo btrfs 'btrfs check' mkfs.btrfs -q
demo f2fs 'fsck.f2fs --dry-run' mkfs.f2fs -q
