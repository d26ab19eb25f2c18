#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# KERNEL_SRC= takes a tarball or a directory and is remembered; anything but a Linux
# source is refused, and changes nothing.

. "$(dirname "$0")/../common/tools.sh"
need make tar xz rsync
KERNEL=$(cd "$TOP/kernel" && pwd)
unset MAKEFLAGS MAKELEVEL KERNEL_SRC
export BUILD=$TMP/build

# overlay [VARIABLE]...: unpack and lay arch/lkl over it, as each build does
overlay() {
	make -s -C "$KERNEL" "$@" overlay >log 2>&1
}

# tree FILE CONTENTS: the tree is complete, and has the file
tree() {
	[ "$(cat "$BUILD/linux/$1")" = "$2" ] || fail "$1 is not $2"
	diff -r "$KERNEL/../arch/lkl" "$BUILD/linux/arch/lkl" ||
		fail "arch/lkl is not there"
}

# bad PATTERN SOURCE: refused, with such a line, and nothing has changed
bad() {
	! overlay KERNEL_SRC="$2" || fail "$2 is accepted"
	grep -q "$1" log || { cat log; fail "$2: no '$1'"; }
	tree one 2
	overlay || { cat log; fail "nothing goes after $2"; }
	tree one 2
}

mkdir -p "linux-6/arch/x86/entry" not-linux
touch linux-6/Kconfig not-linux/Kconfig
echo 1 >linux-6/one
echo 2 >linux-6/two
tar -cf linux.tar linux-6
touch -d @1000000000.1 linux.tar
overlay KERNEL_SRC="$TMP/linux.tar" || { cat log; fail "tarball"; }
tree one 1
tree two 2
# An update of the tarball is noticed, even one of the same second and size, and its
# removal does not matter.
rm linux-6/two
echo 2 >linux-6/one
tar -cf linux.tar linux-6
touch -d @1000000000.2 linux.tar
overlay || { cat log; fail "new tarball"; }
tree one 2
[ ! -e "$BUILD/linux/two" ] || fail "something is left of the old tree"
mv linux.tar moved.tar
overlay || { cat log; fail "no tarball"; }
tree one 2

bad 'no kernel source at /none' /none
bad 'is no Linux source' "$TMP/not-linux"
head -c 100 moved.tar >short.tar
bad 'tar: ' "$TMP/short.tar"
tar -cJf other.tar.xz not-linux
bad 'is no Linux source' "$TMP/other.tar.xz"
cp -r linux-6 built
touch built/.config
bad 'has been built in' "$TMP/built"

# An interrupted unpacking leaves a tree without a stamp.
rm -r "$BUILD/linux.origin" "$BUILD/linux/one"
overlay KERNEL_SRC="$TMP/moved.tar" || { cat log; fail "after an interruption"; }
tree one 2

# A directory is followed, and not written to.
mkdir "$BUILD/kernel"
find linux-6 | sort >before
overlay KERNEL_SRC="$TMP/linux-6" || { cat log; fail "directory"; }
tree one 2
[ ! -e "$BUILD/kernel" ] || fail "objects of another tree are left"
echo 3 >linux-6/one
# rsync does not see a change of the same second and size.
touch -d "1 minute" linux-6/one
overlay || { cat log; fail "directory again"; }
tree one 3
find linux-6 | sort | diff before - || fail "the directory has changed"
