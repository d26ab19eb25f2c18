#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The commands of lkl that are not separate tools: cat, cp, info, ls; and that it
# finds the separate ones.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 mkfs.vfat sfdisk

mkdir -p tree/dir/sub
seq 300000 >tree/numbers
echo hello >tree/dir/file
echo x >tree/.hidden
ln -s /dir/file tree/link
ln -s ../../../dir/sub tree/dir/sub/up
printf 'x' >$'tree/dir/new\nline'
touch -d @1234567890 tree/dir/file
image part 60M mkfs.ext4 -q -L 'my root' -U 01234567-89ab-cdef-0123-456789abcdef
cptofs -i part tree/. /
image fat 20M mkfs.vfat -n EFI -i 12345678
truncate -s 100M disk
printf 'label: gpt\nsize=20M,type=U,name=boot\nsize=60M,type=L\nsize=1M\n' |
	sfdisk -q disk
dd if=fat of=disk bs=1M seek=1 conv=notrunc,sparse status=none
dd if=part of=disk bs=1M seek=21 conv=notrunc,sparse status=none

# cat: also through links, which do not lead out of the image
lkl cat -P 2 disk /numbers dir/file /link >out
cat tree/numbers tree/dir/file tree/dir/file | cmp - out
lkl cat part /link | cmp - tree/dir/file
status=0
lkl cat part /none /link >out 2>log || status=$?
[ $status = 1 ] || fail "status $status"
cmp out tree/dir/file
grep -qx "lkl cat: cannot open 'part:/none': No such file or directory" log
refuses 1 "error reading 'part:/dir': Is a directory" lkl cat part /dir
refuses 2 "no file system found in 'empty'" \
	bash -c 'truncate -s 1M empty; lkl cat empty /x'
if [ -c /dev/full ]; then
	lkl cat part /numbers 2>log >/dev/full && fail "not full"
	grep -q "No space left" log
fi

# ls
[ "$(lkl ls part)" = $'dir\nlink\nlost+found\nnumbers' ] || fail "ls"
[ "$(lkl ls -A part /dir/sub)" = up ] || fail "ls -a"
lkl ls -a part | grep -qx '.hidden' || fail "ls -a"
TZ=UTC lkl ls -l part /dir >out
grep -Eqx -- '-rw-r--r-- 1 +[a-z0-9]+ +[a-z0-9]+ +6 2009-02-13 23:31 file' out ||
	{ cat out; fail "ls -l"; }
lkl ls -l part /link | grep -Eqx -- 'lrwxrwxrwx.* /link -> /dir/file' ||
	fail "ls -l of a link"
[ "$(lkl ls -d part /dir /link)" = $'/dir\n/link' ] || fail "ls -d"
lkl ls -R part /dir | tr '\n' ' ' >out
[ "$(cat out)" = "/dir: file new line sub  /dir/sub: up " ] ||
	{ cat out; fail "ls -R"; }
refuses 1 "cannot access 'part:/none': No such .*" lkl ls part /none

# info
lkl info disk >out
grep -q '^disk: 105 MB, partition table gpt$' out || { cat out; fail "info"; }
for line in '   1 +2048 +21 MB .* vfat +EFI +1234-5678 +boot' \
	'   2 +43008 +63 MB +[0-9.]+ MB +ext4 +my_root +01234567-.*-456789abcdef +-' \
	'   3 +165888 +1.0 MB +- +- +- +- +-'; do
	grep -Eqx -- "$line" out || { cat out; fail "info: no '$line'"; }
done
lkl info part | grep -Eq '   - .* ext4 ' || fail "info of a file system"
cmp part <(dd if=disk bs=1M skip=21 count=60 status=none) || fail "changed"

# cp, both ways; the other tools
lkl cp -P 2 --memory 64 tree/dir disk:/new
lkl cp -P 2 disk:/new disk:/numbers .
same -s time tree/dir new
cmp tree/numbers numbers
lkl tar -P 2 disk disk.tar /dir
lkl untar -P2 disk.tar disk /new
lkl cat -P2 disk /new/dir/file | cmp - tree/dir/file
refuses 2 "cannot open 'none': No such .*" lkl tar none out.tar

for args in "" "none" "ls" "cat part" "cp a b" "cp part:/a part:/b" "ls -x" \
	"cp a:/x b:/y c" "info" "info a b"; do
	status=0
	# shellcheck disable=SC2086
	lkl $args >out.log 2>&1 || status=$?
	[ $status = 2 ] || fail "lkl $args: status $status"
	grep -q -- "--help' for more" out.log || { cat out.log; fail "lkl $args"; }
done
# nor are options taken that would have no effect
for args in "info -P 1 disk" "info --type=ext4 part" "info -L x part" \
	"serve --no-sandbox part socket"; do
	status=0
	# shellcheck disable=SC2086
	EDITOR=true lkl $args >out.log 2>&1 || status=$?
	[ $status = 2 ] || fail "lkl $args: status $status"
	grep -Eq "^lkl ${args%% *}: (un|in).* option " out.log || { cat out.log; fail "lkl $args"; }
done
lkl cp --no-sandbox part:/numbers again
cmp tree/numbers again
lkl cp --no-sandbox again part:/again
tar -cf again.tar again
tar2fs --no-sandbox again.tar part /
lkl cat part /again | cmp - again
lkl rm part /again

lkl --version | grep -Eq '^lkl [0-9]' || fail "--version"
# the nearest verb is suggested, if there is one that is near
for pair in "lss ls" "chwon chown" "catt cat" "tuoch touch" "finf find"; do
	lkl ${pair% *} img >out.log 2>&1 && fail "lkl $pair"
	head -n 1 out.log | grep -qx "lkl: no such verb: '${pair% *}'; did you mean '${pair#* }'?" ||
		{ cat out.log; fail "lkl ${pair% *}"; }
done
lkl guestmount >out.log 2>&1 && fail "no such verb"
grep -qx "lkl: no such verb: 'guestmount'" out.log || { cat out.log; fail "a suggestion"; }

# every verb has help, with examples that begin with it
lkl --help | sed -n 's/^  \([a-z]*\)  .*/\1/p' >verbs
[ "$(wc -l <verbs)" -gt 20 ] || fail "--help"
while read -r verb; do
	case $verb in fuse | run | tar | untar) continue ;; esac # below
	lkl "$verb" --help >help
	head -n 1 help | grep -q "^Usage: lkl $verb " || fail "lkl $verb --help"
	grep -q "^  lkl $verb " help || fail "lkl $verb --help has no example"
	lkl "$verb" --version | grep -Eqx "lkl $verb \(lkl\) [0-9.]+" || fail "lkl $verb --version"
	grep -Eq "^(@|\*)$verb\b" "$TOP/docs/man/lkl.1.scd" || grep -q "\*$verb\*[, ]" "$TOP/docs/man/lkl.1.scd" ||
		fail "$verb is not in lkl(1)"
done <verbs

for command in cat cp info ls tar untar; do
	lkl --help | grep -q "^  $command " || fail "--help"
	lkl $command --help | grep -q "^Usage: " || fail "$command --help"
done

# so have the classic names
for tool in cptofs cpfromfs fs2tar tar2fs lklfuse lkl-run lkl-hijack.sh; do
	$tool --help >help || fail "$tool --help"
	head -n 1 help | grep -Eq "^Usage: $tool " || { cat help; fail "$tool --help"; }
	sed '1,/^Examples:/d' help | grep -q "^  .*$tool " || { cat help; fail "$tool --help has no example"; }
	$tool --version | grep -Eqx "$tool \(lkl\) [0-9.]+" || fail "$tool --version"
done
