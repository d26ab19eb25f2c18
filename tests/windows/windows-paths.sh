#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# cptofs.exe and cpfromfs.exe, under Wine: paths that are longer than Windows takes by
# default, in each way to write them; what is read-only; an image that is in use.

. "$(dirname "$0")/../common/tools.sh"
. "$(dirname "$0")/../common/wine.sh"
need mkfs.ext4 mkfifo

part=$(printf 'long%.0s' {1..50})
mkdir -p "tree/$part/$part/$part"
seq 1000 >"tree/$part/$part/$part/$part"
chmod 444 "tree/$part/$part/$part/$part"
image img 64M mkfs.ext4 -q
here="z:${TMP//\//\\}"

quiet cptofs -i img tree /
quiet cptofs -i "$here\\img" "\\\\?\\$here\\tree\\$part\\$part" /two
quiet cptofs -i img "./tree/$part\\$part/$part/$part" /file
check ext4 img
cpfromfs -i img / out
diff -r tree out/tree || fail "a long path in the image"
diff -r "tree/$part/$part" out/two || fail "a path that begins with \\\\?\\"
cmp "tree/$part/$part/$part/$part" out/file || fail "slashes of both kinds"
[ "$(stat -c %a out/file)" = 444 ] || fail "a read-only file in the image"

quiet cpfromfs -i img /tree back
diff -r tree back || fail "a long path of Windows"
[ "$(stat -c %a "back/$part/$part/$part/$part")" = 444 ] || fail "a read-only file"
quiet cpfromfs -i img "/tree/$part/$part/$part/$part" "\\\\?\\$here\\one"
cmp "tree/$part/$part/$part/$part" one || fail "a target that begins with \\\\?\\"

# A drive and a share have no name of their own; without a slash behind it, a drive is
# where the program is in it.
(cd tree && quiet cptofs -i ../img z: /root)
lkl diff img:/root tree || fail "where the program is in z:"
quiet cptofs -i img z:tree /root
lkl diff img:/root/tree tree || fail "a name behind a drive"
lkl rm -r img /root
quiet cpfromfs -i img "/file" z:new
cmp "tree/$part/$part/$part/$part" new || fail "a target behind a drive"
devices=$WINEPREFIX/dosdevices
trap 'rm -rf "$devices/t:" "$devices/unc/test"; end_wine' EXIT
mkdir -p "$devices/unc/test"
ln -sfn "$TMP/tree" "$devices/t:"
ln -sfn "$TMP/tree" "$devices/unc/test/share"
for path in t: 't:\' t:/ '\\?\t:\' '\\test\share' '\\test\share\' z:tree/. "z:tree\\$part\\.."; do
	lkl mkdir img /root
	quiet cptofs -i img "$path" /root
	lkl diff img:/root tree || fail "a path of Windows: $path"
	lkl rm -r img /root
done

# A drive's name is none of an image.
for drive in "$here\\" "\\\\?\\$here\\" "z:$TMP/"; do
	seq 10 >"numbers"
	quiet lkl cp "${drive}numbers" "${drive}img:/"
	quiet lkl cp "${drive}img:/numbers" "${drive}again"
	cmp numbers again || fail "a copy by ${drive}img"
	lkl rm img /numbers
	rm again
done

# The other program has the image until its input ends.
mkfifo input
windows lkl write img /written <input >write.log 2>&1 &
writer=$!
exec 7>input
# Wine's server opens files for programs.
until [ "$(find /proc/[0-9]*/fd -lname "$TMP/img" -print -quit 2>/dev/null)" ]; do
	kill -0 $writer || { cat write.log; fail "lkl.exe write has ended"; }
	sleep 0.05
done
exits 2 cptofs -i img tree /again
grep -q "'img' is in use by another program" tool.log || { cat tool.log; fail "an image in use"; }
echo text >&7
exec 7>&-
wait $writer || { cat write.log; fail "lkl.exe write"; }
[ "$(lkl cat img /written)" = text ] || fail "what was written meanwhile"
check ext4 img
