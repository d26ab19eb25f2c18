#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# lkl sh shows a directory of the host in an image; nothing outside of it is
# reached, and what cannot be is said in a line.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4

image img 32M mkfs.ext4 -q
mkdir -p src/sub outside
echo one >src/one
echo secret >outside/secret
ln -s ../outside/secret src/link
ln -s "$TMP/outside" src/sub/absolute
lkl sh img -c 'mkdir /mnt /two' || fail "mkdir"

# said PATTERN STATUS COMMAND...: it fails like that, with a line
said() {
	local pattern=$1 status=$2 got=0
	shift 2
	"$@" >out 2>err || got=$?
	[ $got = "$status" ] && [ "$(head -n 1 err | grep -c "$pattern")" = 1 ] ||
		fail "$*: $(cat out err)"
}

lkl sh --hostdir=src:/mnt img -c 'cat /mnt/one; cp :/mnt/one :/one; write /mnt/sub/new </dev/null
mv /mnt/one /mnt/sub/two; ls /mnt/sub; ls -l /mnt/sub/two; cp :/mnt/sub :/copy' >out ||
	fail "read and write"
grep -qx one out && grep -qx two out && grep -q ' 0 0 .*two$' out || fail "$(cat out)"
[ "$(cat src/sub/two)" = one ] && [ -e src/sub/new ] && [ ! -e src/one ] || fail "on the host"
[ "$(lkl cat img /one)" = one ] && [ "$(lkl cat img /copy/two)" = one ] || fail "in the image"
[ -z "$(lkl ls img /mnt)" ] || fail "the mount remains"

said "Read-only file system" 1 lkl sh --hostdir=src:/mnt:ro img -c 'rm /mnt/sub/two'
lkl sh --hostdir=src:/mnt:ro --hostdir=outside:/two img -c 'cat /mnt/sub/two /two/secret' >out ||
	fail "two directories"
grep -qx secret out || fail "$(cat out)"
[ "$(lkl sh -r --hostdir=src:/mnt img -c 'cat /mnt/sub/two')" = one ] || fail "a read-only image"
cp src/sub/two src/x

# Links lead to the image.
said "No such file" 1 lkl sh --hostdir=src:/mnt img -c 'cat /mnt/link'
said "No such file" 1 lkl sh --hostdir=src:/mnt img -c 'cat /mnt/sub/absolute/secret'
lkl sh img -c 'ln -s /two /mnt/link; mkdir /outside'
said "Too many\|symbolic" 2 lkl sh --hostdir=src:/mnt/link img -c ls
lkl sh --hostdir=src:/mnt img -c 'write /outside/secret <src/sub/two; cat /mnt/link' >out ||
	fail "a link into the image"
[ "$(cat out)" = one ] && [ "$(cat outside/secret)" = secret ] || fail "outside: $(cat out)"

lkl sh --no-sandbox --hostdir=src:/mnt img -c "cat /mnt/sub/two" >out && grep -qx one out || fail "--no-sandbox"
said "none" 2 lkl sh --hostdir=none:/mnt img -c ls
said "Not a directory" 2 lkl sh --hostdir=src/x:/mnt img -c ls
said "No such file" 2 lkl sh --hostdir=src:/none img -c ls
for wrong in src :/mnt src:mnt src: ''; do
	said "not DIR:/PATH" 2 lkl sh --hostdir="$wrong" img -c ls
done
check ext4 img
