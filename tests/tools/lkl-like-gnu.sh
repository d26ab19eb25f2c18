#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# ls, stat, find, du and sum print for an image what GNU's tools print for the
# tree that is in it, with the image's own users.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 find sha256sum
export TZ=UTC

mkdir -p tree/dir/sub tree/etc tree/empty
printf 'root:x:0:0::/:/bin/sh\nmy self:x:1000:1000::/:/bin/sh\n' >tree/etc/passwd
printf 'root:x:0:\nothers:x:1000:\n' >tree/etc/group
seq 30000 >tree/numbers
echo hello >tree/dir/file
echo x >tree/.hidden
printf 'x' >$'tree/dir/new\nline'
printf 'x' >$'tree/dir/\xff\xfe\033[31m'
printf 'x' >'tree/dir/back\slash'
ln -s /dir/file tree/link
ln tree/dir/file tree/dir/hard
mkfifo tree/fifo
truncate -s 3M tree/sparse
head -c 1500 /dev/zero >tree/z
chmod 4755 tree/dir/file
chmod 1777 tree/empty
touch -d @1234567890.5 tree/dir/file
if is_root; then
	mknod tree/block b 8 16
	mknod tree/char c 250 1000
	chown 5:7 tree/empty
fi
image img 64M mkfs.ext4 -q -b 4096
cptofs -i img tree/. /
lkl rm -r img /lost+found
# what is made, and where directories grow, may differ
touch -r tree/empty tree

# like HOST-COMMAND LKL-COMMAND: they print the same, in some order
like() {
	(cd tree && eval "$1") | sort >want
	eval "lkl $2" | sort >have
	cmp want have || { diff want have | tail -n 5; fail "lkl $2"; }
}

# names of users are the image's, so compare numbers
for how in -ln -lnh -lnS -lnr -lnR -lnF -lns -sh -A -R -lnA "-ln --full-time" \
	"-lnd dir numbers" "-ln dir/file numbers dir" "-ln --time-style=iso" \
	"-ln --time-style=locale" "-lnh --sort=time" "-F" "-nZ" "-d link" "link"; do
	# shellcheck disable=SC2086
	(cd tree && ls -1 --time-style=long-iso $how) >want
	place=
	[[ $how != *R* ]] || place=.
	# shellcheck disable=SC2086
	lkl ls img $how $place >have
	cmp want have || { diff want have; fail "ls $how"; }
done
(cd tree && ls -di dir link numbers | awk '{ print $2 }') >want
lkl ls -di img dir link numbers | awk '{ print $2 }' | cmp - want
[ "$(lkl ls -i img dir | awk '$2 == "file" || $2 == "hard" { print $1 }' | uniq | wc -l)" = 1 ] ||
	fail "ls -i"
lkl chown img "my self:others" /z
lkl ls -l img z | grep -q '^-rw-r--r-- 1 my self others 1500 ' || fail "no names"
chown 1000:1000 tree/z 2>/dev/null || lkl chown img "$(id -u):$(id -g)" /z
if is_root; then
	lkl touch -r /numbers img /z
	touch -r tree/numbers tree/z
fi

for file in dir/file link empty numbers fifo; do
	like "stat $file | grep -v 'Device\|^Access: [0-9]\|Change\|Birth\|Uid\|  File:'" \
		"stat img $file | grep -v 'Device\|^Access: [0-9]\|Change\|Birth\|Uid\|  File:'"
done
like "stat -c '%a %A %b %B %f %F %g %h %o %s %t %T %u %y %Y %n %5a|%-8s|%08s%%' *" \
	"stat -c '%a %A %b %B %f %F %g %h %o %s %t %T %u %y %Y %n %5a|%-8s|%08s%%' img $(cd tree && echo *)"
(cd tree && stat --printf '%n\t%s\n' dir/*) >want
lkl find img dir -mindepth 1 -maxdepth 1 -print0 | sort -z |
	xargs -0 lkl stat --printf '%n\t%s\n' img | cmp - want

# -print0 keeps names apart that -print does not
for how in "" "-name '*e*'" "-size +1k" "-size -2" "-size 3c" "-mtime +10" "-mtime -1" \
	"-mmin -600" "-perm /4000" "-perm -1777 -o -empty" "! -type d" "-maxdepth 1" \
	"-mindepth 2 -links 2" "-newer dir/file" "'(' -name dir -prune ')' -o -print" \
	"-depth" "-uid 0" "-uid -3" "-iname FILE" "-regex '.*/fi.*'" "-lname '/dir/*'" \
	"-type f,l" "-type f -o -type d -false" "-path './d*' -not -name file"; do
	like "find . $how" "find img . $how"
done
like "find . -mindepth 1 -printf '%p:%P:%f:%h:%s:%b:%k:%m:%M:%U:%G:%n:%y:%d:%l:%T@:%TY-%Tm%%\\n'" \
	"find img . -mindepth 1 -printf '%p:%P:%f:%h:%s:%b:%k:%m:%M:%U:%G:%n:%y:%d:%l:%T@:%TY-%Tm%%\\n'"
(cd tree && find . -type f -print0) | sort -z >want
lkl find img . -type f -print0 | sort -z | cmp - want
[ "$(lkl find img / -name dir -quit | wc -l)" = 0 ] || fail "-quit"
[ "$(lkl find img / -name dir -print -quit)" = /dir ] || fail "-quit"
[ "$(lkl find img -user 'my self')" = "$(! is_root || echo /z)" ] ||
	! is_root || fail "-user"

for how in "" -a -b -h -s -c "-d 1" -S "-l" "-a0" "-ab --max-depth=1" --si; do
	like "du $how . | tr '\\0' '\\n'" "du $how img . | tr '\\0' '\\n'"
done

for name in md5 sha1 sha224 sha256 sha384 sha512 b2; do
	(cd tree && find . -type f -print0 | sort -z | xargs -0 ${name}sum) | sort >want
	lkl sum -r -a $name img . | sort >have
	cmp want have || { diff want have; fail "sum -a $name"; }
done
(cd tree && sha256sum -z numbers 'dir/back\slash') >want
lkl sum -z img numbers 'dir/back\slash' | cmp - want

# df: what statfs() says, in df's form
lkl df img >have
awk 'NR == 1 { exit $0 !~ /^Filesystem +1K-blocks +Used Available Use% Mounted on$/ }' have
awk 'NR == 2 { exit !($1 == "img" && $2 > 50000 && $4 < $2 && $6 == "/") }' have
lkl df -hT img | grep -Eq '^img +ext4 +5[0-9]M +[0-9.]+[KM] +[0-9]+M +[0-9]+% /$' ||
	fail "df -hT"

# control characters do not reach a terminal
if command -v script >/dev/null; then
	script -qc "lkl ls img dir; lkl find img dir; lkl stat img dir/*31m" /dev/null >typed
	! grep -q $'\033' typed || fail "control characters on a terminal"
fi

refuses 2 "unknown time style 'x'" sh -c 'lkl ls --time-style=x img 2>&1 | head -n 1; exit 2'
refuses 1 "cannot access 'img:/none': No such .*" lkl find img /none
refuses 1 "cannot stat 'img:/none': No such .*" lkl stat img /none
refuses 1 "error reading 'img:/dir': Is a directory" lkl sum img /dir
for args in "find img -nonsense" "find img -name" "find img (" "find img -size x" \
	"find img -type x" "find img ( -true" "find img -true )" "sum -a x img z" \
	"du -d x img" "ls --sort=x img" "df img x" "stat img"; do
	status=0
	# shellcheck disable=SC2086
	lkl $args >out.log 2>&1 || status=$?
	[ $status = 2 ] || { cat out.log; fail "lkl $args: status $status"; }
	[ "$(wc -l <out.log)" = 2 ] && grep -q -- "--help' for more" out.log ||
		{ cat out.log; fail "lkl $args"; }
done
