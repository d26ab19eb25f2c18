#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# write and edit change all of a file or nothing: the old content stays when the
# image is full, the writer is killed, or the editor fails; owner, permissions and
# attributes stay in any case.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 setfattr

image img 16M mkfs.ext4 -q -b 1024
echo old | lkl write img /file
[ "$(lkl cat img /file)" = old ] || fail "write"
[ "$(lkl stat -c %a:%u img /file)" = 644:0 ] || fail "a new file's mode"
lkl chmod img 4711 /file
lkl chown img 12:34 /file
lkl chmod img 4711 /file
lkl mkdir img /dir
lkl ln -s img ../file /dir/link
lkl ln -s img /dir/link /chain

# links are followed, and stay
seq 1000 | lkl write img /chain
seq 1000 | cmp - <(lkl cat img /file)
[ "$(lkl find img /dir/link -printf %l)" = ../file ] || fail "the link is gone"
[ "$(lkl stat -c %a:%u:%g img /file)" = 4711:12:34 ] || fail "owner or mode"
echo more | lkl write -a img /file
(seq 1000; echo more) | cmp - <(lkl cat img /file)
echo x | lkl write --mode=u=rw,go= img /secret
[ "$(lkl stat -c %a img /secret)" = 600 ] || fail "--mode"
lkl ln -s img made /dir/dangling
echo x | lkl write img /dir/dangling
[ "$(lkl cat img /dir/made)" = x ] || fail "through a link to nothing"
head -c 3000000 /dev/urandom >random
lkl write img $'/new\nline' <random
lkl cat img $'/new\nline' | cmp - random
lkl rm img $'/new\nline'

# ACLs and attributes
if lkl cp img:/file . && setfattr -n user.kept -v yes file 2>/dev/null; then
	lkl cp file img:/attr
	echo new | lkl write img /attr
	rm -f attr
	lkl cp img:/attr .
	[ "$(getfattr --only-values -n user.kept attr)" = yes ] || fail "attributes"
fi

# a full image: the old content is kept, and nothing else is left
head -c 40000000 /dev/zero >large
refuses 2 "error writing 'img:/file': No space left on device" \
	sh -c 'lkl write img /file <large'
(seq 1000; echo more) | cmp - <(lkl cat img /file)
[ -z "$(lkl find img / -name '.lkl*')" ] || fail "something is left"
check ext4 img

# lkl_waits PID: it has made its new file, and sleeps in poll()
lkl_waits() {
	grep -q "^7 0x" /proc/"$1"/syscall
}

# killed in the middle
mkfifo pipe
lkl write img /file <pipe &
exec 3>pipe
echo begun >&3
until lkl_waits $!; do sleep 0.01; done
kill $!
wait $! && fail "not killed"
exec 3>&-
(seq 1000; echo more) | cmp - <(lkl cat img /file)
[ -z "$(lkl find img / -name '.lkl*')" ] || fail "something is left"

refuses 2 "cannot write 'img:/dir': Is a directory" lkl write img /dir
refuses 2 "cannot write 'img:/none/x': No such .*" lkl write img /none/x
lkl ln -s img loop /loop
refuses 2 "cannot write 'img:/loop': Too many levels of symbolic links" lkl write img /loop

# edit
cat >editor <<'END'
#!/bin/sh
echo "$1" >>seen
[ "$2" = "" ] || exit 9
sed -i s/more/less/ "$1"
END
chmod +x editor
EDITOR=./editor lkl edit img /file
(seq 1000; echo less) | cmp - <(lkl cat img /file)
[ "$(lkl stat -c %a:%u:%g img /file)" = 4711:12:34 ] || fail "edit: owner or mode"
[ "$(basename "$(cat seen)")" = file ] || fail "the editor saw another name"
[ ! -e "$(dirname "$(cat seen)")" ] || fail "files are left"
before=$(lkl stat -c %i:%y img /file)
for path in / /. /none/..; do
	refuses 2 "cannot read 'img:$path': Is a directory" lkl edit img $path
done
refuses 1 "'img:/file' was not changed" env VISUAL=true lkl edit img /file
[ "$(lkl stat -c %i:%y img /file)" = "$before" ] || fail "edit: changed"
# nobody loses what another program writes meanwhile
cp img other
refuses 2 "cannot replace 'other:/file': it was changed meanwhile" \
	env VISUAL="lkl write other /file <seen; sed -i 1s/^/x/" lkl edit other /file
[ "$(lkl cat other /file)" = "$(cat seen)" ] || fail "edit: another program's content is lost"
refuses 2 "the editor 'false' failed, nothing is changed" env VISUAL=false lkl edit img /file
refuses 2 "cannot read 'img:/none': No such .*" env VISUAL=true lkl edit img /none
cat >grow <<'END'
#!/bin/sh
cat large >>"$1"
END
chmod +x grow
refuses 2 "error writing 'img:/file': No space left on device" env VISUAL=./grow lkl edit img /file
(seq 1000; echo less) | cmp - <(lkl cat img /file)
check ext4 img
