#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tools whose kernel starts from a snapshot do the same as ever, in the sandbox, too, in
# which they cannot open it; and without one they boot.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 strace
[ "${FLAVOUR:-}" != kasan ] || skip "a kernel with KASAN has no snapshot"
export LD_LIBRARY_PATH=$BIN/../lib/lkl-fixed LKL_SNAPSHOT=yes
mkdir -m 700 cache
export XDG_CACHE_HOME=$PWD/cache

mkdir -p tree/a/b
head -c 3000000 /dev/urandom >tree/a/b/file
echo hello >tree/hello
image disk.img 64M mkfs.ext4 -q -d tree

# uses COMMAND...: it starts from a snapshot
uses() {
	strace -f -y -o trace -e trace=mmap "$@" >out 2>err || fail "$*: $(cat err)"
	[ ! -s err ] || fail "$*: $(cat err)"
	grep -q 'MAP_FIXED.*\.snapshot>' trace || fail "$* boots"
}

# boots COMMAND...: it does not, and says nothing
boots() {
	strace -f -y -o trace -e trace=mmap "$@" >out 2>err || fail "$*: $(cat err)"
	[ ! -s err ] || fail "$*: $(cat err)"
	! grep -q 'MAP_FIXED.*\.snapshot>' trace || fail "$* has a snapshot"
}

# The first one has it made before it enters the sandbox.
uses lkl cat disk.img /hello
[ "$(cat out)" = hello ] || fail "$(cat out)"
[ "$(find cache -type f | wc -l)" = 1 ] || fail "$(find cache)"
uses lkl cat disk.img /a/b/file
cmp out tree/a/b/file
uses lkl cat --no-sandbox disk.img /a/b/file
cmp out tree/a/b/file
uses lkl ls disk.img /a
[ "$(cat out)" = b ] || fail "$(cat out)"
mkdir copy
uses cpfromfs -i disk.img /a copy
cmp copy/a/b/file tree/a/b/file
echo more >more
uses cptofs -i disk.img more /
uses lkl cat disk.img /more
[ "$(cat out)" = more ] || fail "$(cat out)"
uses fs2tar disk.img all.tar
tar -xOf all.tar ./a/b/file 2>/dev/null | cmp - tree/a/b/file ||
	tar -xOf all.tar a/b/file | cmp - tree/a/b/file
e2fsck -fn disk.img >out 2>&1 || fail "$(cat out)"

LKL_SNAPSHOT=no boots lkl cat disk.img /hello
LKL_SNAPSHOT='' boots lkl cat disk.img /hello
! LKL_SNAPSHOT=maybe lkl cat disk.img /hello >out 2>err || fail "maybe"
grep -q "neither yes nor no" err || fail "$(cat err)"

# What is wrong with it is said once, and then it is well.
for file in cache/lkl/*; do echo x >>"$file"; done
lkl cat disk.img /hello >out 2>err || fail "$(cat err)"
[ "$(cat out)" = hello ] || fail "$(cat out)"
[ "$(grep -c "is damaged" err)" = 1 ] || fail "$(cat err)"
uses lkl cat disk.img /hello

chmod 770 cache
lkl cat disk.img /hello >out 2>err || fail "$(cat err)"
[ "$(cat out)" = hello ] || fail "$(cat out)"
[ "$(grep -c "none, as others can change" err)" = 1 ] || fail "$(cat err)"
