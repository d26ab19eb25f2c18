#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# mkdir, rm, mv, ln, chmod, chown, touch and truncate change an image as GNU's
# tools change a tree: with the same result and the same exit status.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4

mkdir tree
image img 32M mkfs.ext4 -q -b 4096
lkl rm -r img /lost+found

# both COMMAND: on the tree and the image
both() {
	local verb here=0 there=0 how
	how=$1
	(cd tree && eval "$how") >/dev/null 2>&1 || here=$?
	verb=${how%% *}
	eval "lkl $verb img ${how#* }" >log 2>&1 || there=$?
	if ((here ? !there : there)); then
		cat log
		fail "$how: status $here and $there"
	fi
}

for how in "mkdir a" "mkdir -p b/c/d" "mkdir -p b/c/d" "mkdir a" "mkdir none/a" \
	"mkdir -m 1700 e" "mkdir -m u=rwx,go-rwx f/" "touch a/x" "touch -d 2020-01-02 a/y" \
	"touch -d '2021-02-03 04:05:06.789' a/x" "touch -c a/none" "ln -s x a/l" \
	"ln -s ../a/x b" "ln a/x a/h" "ln a/x a/h" "ln -f a/y a/h" "ln a none/x" \
	"mv a/y b" "mv b/y b/z" "mv -n b/z a/x" "mv a/none b" "chmod 4755 a/x" \
	"chmod g-w,o=u,+X b/z" "chmod -R a=rX b" "chmod 2750 e" "chmod 755 e" \
	"chmod 00755 e" "chmod u=rw,g=u,o=g-w a/x" "chmod -x a/x" "chmod 9 a" \
	"chmod a-q a" "truncate -s 12345 a/t" "truncate -s +1K a/t" "truncate -s %4096 a/t" \
	"truncate -s '<5' a/x" "truncate -s 1kB a/x" "truncate -r a/t a/x" "truncate -s -x a/t" \
	"truncate -c -s 1 a/none" "ln -sfn nowhere a/l" "touch -h -d @5 a/l" "touch -d @7.5 b" \
	"ln -s b/c way" "touch way/new" "mv way/new way/newer" "rm a/h" "rm none" "rm -f none" \
	"rm a" "rm -r a/." "mv a/t b/c b/c/d" "mv b b/c" "mv -T a/x b/c" "mkdir -p a/x/y" \
	"mv a b none" "touch s1 s2" "mv s1 s2 b" "rm -d f" "rm -d b" "rmdir none" \
	"mkdir -p deep/1/2/3 deep/4" "ln -s / deep/1/root" "rm -rf deep" "ln -s a/x" \
	"touch 'new
line'" "mv 'new
line' b" "touch same" "ln same other" "mv same same" "mv -f same ./same" "mv same other" \
	"ln -f same same" "ln -f same ./same" "ln -f same other" "ln -sf same same" \
	"mv -n same same" "mkdir same.d" "mv same.d same.d" "mv same.d ." "mv -T same.d same.d" \
	"mv same same.d/.." "rm other" "mv same same" "ln -f same same" "ln -sf same same" \
	"ln -s same sym" "mv same sym" "ln -s none dangling" "mv sym dangling" "ln -f sym sym" \
	"touch -- -dash" "rm ./-dash" "touch -d '2021-02-03 04:05:06.789' b/z" "touch -r b/z a/r"; do
	both "$how"
done
if is_root; then
	both "chown 5:6 a/x"
	both "chown -R 7 b"
	both "chown :8 b/z"
	both "chown -h 9 a/l"
	both "chown nobodyknows a/x"
	both "chmod 6755 a/x"
fi
format='%p %m %s %y %l %n\n'
! is_root || format="%U:%G $format"
(cd tree && find . ! -type d -printf "$format" -o -printf "%p %m\n") | sort >want
lkl find img . ! -type d -printf "$format" -o -printf "%p %m\n" | sort >have
cmp want have || { diff want have; fail "they differ"; }
format='%p %TY-%Tm-%Td %T@\n'
(cd tree && find a/r b/z -printf "$format") >want
lkl find img a/r b/z -printf "$format" | cmp - want
[ "$(lkl stat -c %Y img a/l)" = 5 ] || fail "touch -h"
check ext4 img

# what is refused stays as it was
refuses 1 "cannot remove 'img:/': it is the root directory" lkl rm -rf img /
refuses 1 "refusing to remove 'img:b/..': it is '.' or '..'" lkl rm -rf img b/..
refuses 1 "cannot create directory 'img:/a': File exists" lkl mkdir img /a
lkl mkdir -v img /v | grep -qx "created directory '/v'" || fail "mkdir -v"
lkl rm -rv img /v | grep -qx "removed directory '/v'" || fail "rm -v"

# names that differ only for us: the file gets the other spelling
for fs in vfat exfat; do
	command -v mkfs.$fs >/dev/null || continue
	image $fs 32M mkfs.$fs
	echo x | lkl write $fs /abc
	lkl mkdir $fs /dir
	lkl mv $fs /abc /ABC
	lkl mv -T $fs /dir /DIR
	[ "$(lkl ls $fs | sort | tr '\n' ' ')" = "ABC DIR " ] || fail "$fs: $(lkl ls $fs)"
	[ "$(lkl cat $fs /ABC)" = x ] || fail "$fs: contents"
	refuses 1 "cannot move to '$fs:/ABC': they are the same file" lkl mv $fs /ABC /ABC
done

# paths do not lead out of the image
lkl ln -s img /../../../etc/passwd /out
refuses 1 "cannot open 'img:/out': No such .*" lkl cat img /out
refuses 1 "cannot touch 'img:/out/x': No such .*" lkl touch img /out/x

for how in rm chmod chown mkdir mv ln touch truncate "chmod x" "chown 1" \
	"truncate x" "mv x" "touch -d yesterday x" "touch --time=x x"; do
	status=0
	# shellcheck disable=SC2086
	lkl ${how%% *} img ${how#"${how%% *}"} >out.log 2>&1 || status=$?
	[ $status = 2 ] || { cat out.log; fail "lkl $how: status $status"; }
done

# neither an image that is read-only nor one that is none
refuses 2 "no file system found in 'zeros'" sh -c 'truncate -s 1M zeros; lkl rm zeros /x'
refuses 2 "cannot open '.*': Is a directory" lkl mkdir tree /x
refuses 2 "'empty' is empty" sh -c ': >empty; lkl touch empty /x'
if ! is_root; then
	chmod 444 img
	refuses 2 "cannot open 'img': Permission denied" lkl rm img /a/x
	chmod 644 img
fi
if command -v mksquashfs >/dev/null; then
	mksquashfs tree squash -quiet -no-progress >/dev/null
	refuses 2 "cannot write to 'squash': read-only file system .*" lkl rm squash a/x
fi
