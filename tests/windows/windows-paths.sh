#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# cptofs.exe and cpfromfs.exe, under Wine: paths that are longer than Windows takes by
# default, in each way to write them; what is read-only; an image that is in use.

. "$(dirname "$0")/../common/tools.sh"
. "$(dirname "$0")/../common/wine.sh"
need mkfs.ext4 mkfifo

# tool NAME ARGUMENT...: nothing may be said
tool() {
	wine64 "$WINDOWS/bin/$1.exe" "${@:2}" >tool.log 2>&1 || { cat tool.log; fail "$*"; }
	[ ! -s tool.log ] || { cat tool.log; fail "$* has something to say"; }
}

part=$(printf 'long%.0s' {1..50})
mkdir -p "tree/$part/$part/$part"
seq 1000 >"tree/$part/$part/$part/$part"
chmod 444 "tree/$part/$part/$part/$part"
image img 64M mkfs.ext4 -q
here="z:${TMP//\//\\}"

tool cptofs -i img tree /
tool cptofs -i "$here\\img" "\\\\?\\$here\\tree\\$part\\$part" /two
tool cptofs -i img "./tree/$part\\$part/$part/$part" /file
check ext4 img
cpfromfs -i img / out
diff -r tree out/tree || fail "a long path in the image"
diff -r "tree/$part/$part" out/two || fail "a path that begins with \\\\?\\"
cmp "tree/$part/$part/$part/$part" out/file || fail "slashes of both kinds"
[ "$(stat -c %a out/file)" = 444 ] || fail "a read-only file in the image"

tool cpfromfs -i img /tree back
diff -r tree back || fail "a long path of Windows"
[ "$(stat -c %a "back/$part/$part/$part/$part")" = 444 ] || fail "a read-only file"
tool cpfromfs -i img "/tree/$part/$part/$part/$part" "\\\\?\\$here\\one"
cmp "tree/$part/$part/$part/$part" one || fail "a target that begins with \\\\?\\"

# A drive's name is none of an image.
for drive in "$here\\" "\\\\?\\$here\\" "z:$TMP/"; do
	seq 10 >"numbers"
	tool lkl cp "${drive}numbers" "${drive}img:/"
	tool lkl cp "${drive}img:/numbers" "${drive}again"
	cmp numbers again || fail "a copy by ${drive}img"
	lkl rm img /numbers
	rm again
done

# The other program has the image until its input ends.
mkfifo input
wine64 "$WINDOWS/bin/lkl.exe" write img /written <input >write.log 2>&1 &
writer=$!
exec 7>input
# Wine's server opens files for programs.
until [ "$(find /proc/[0-9]*/fd -lname "$TMP/img" -print -quit 2>/dev/null)" ]; do
	kill -0 $writer || { cat write.log; fail "lkl.exe write has ended"; }
	sleep 0.05
done
status=0
wine64 "$WINDOWS/bin/cptofs.exe" -i img tree /again >tool.log 2>&1 || status=$?
[ $status = 2 ] || { cat tool.log; fail "an image in use: exit status $status"; }
grep -q "'img' is in use by another program" tool.log || { cat tool.log; fail "an image in use"; }
echo text >&7
exec 7>&-
wait $writer || { cat write.log; fail "lkl.exe write"; }
[ "$(lkl cat img /written)" = text ] || fail "what was written meanwhile"
check ext4 img
