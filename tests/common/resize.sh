# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the tests of lkl resize share, on top of tools.sh: a tree, and what is to be
# right about an image with it.

. "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
need mkfs.ext4 mkfs.xfs sfdisk resize2fs fusermount3 python3
[ -w /dev/fuse ] || skip "no /dev/fuse here"
export TMPDIR=$PWD
# landlock_create_ruleset(): is it there?
LANDLOCK=$(python3 -c 'import ctypes; print("yes" * (ctypes.CDLL(None).syscall(444, None, 0, 1) > 0))')

mkdir tree
cp -R "$TOP/docs" tree/docs
head -c 3000000 /dev/urandom >tree/big
touch -d @1000000000 tree

size() {
	stat -c %s "$1"
}

# total IMAGE: size of the file system, without what it needs itself, in MiB
total() {
	echo $(($(lkl df --json "$1" | sed -n 's/.*"size": *\([0-9]*\).*/\1/p') >> 20))
}

# good TYPE IMAGE: no errors, and the same files
good() {
	local file=$2
	if [ "$(sfdisk -d "$2" 2>/dev/null | grep -c ' : start=')" = 1 ]; then
		sfdisk -V "$2" >sfdisk.log 2>&1 || { cat sfdisk.log; fail "$1: the partition table"; }
		set -- "$1" "$2" $(sfdisk -d "$2" | sed -n 's/.*start= *\([0-9]*\), size= *\([0-9]*\).*/\1 \2/p')
		dd if="$2" of=part bs=1M iflag=skip_bytes,count_bytes skip=$(($3 * 512)) \
			count=$(($4 * 512)) conv=sparse status=none
		truncate -s $(($4 * 512)) part
		file=part
	fi
	check "$1" "$file"
	lkl diff -x lost+found "$2" tree || fail "$1: other files"
}
