#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Nothing in an image or an archive leads a copy out of the directory it goes to:
# not a link that is there, nor one that came before in the same run.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 python3 gcc setfacl

# a hard link through a link that is in the target
mkdir -p tree/a secret
echo image >tree/a/f
ln tree/a/f tree/b
echo secret >secret/f
image img 64M mkfs.ext4 -q
cptofs -i img tree/. /
mkdir out
ln -s ../secret out/a
status=0
cpfromfs -i img /a /b out 2>log || status=$?
[ $status = 1 ] || fail "status $status"
grep -q "cannot open directory 'out/a': Not a directory" log || { cat log; fail "followed"; }
grep -q "cannot create hard link 'out/b': Too many levels of symbolic links" log ||
	{ cat log; fail "link"; }
[ "$(stat -c %h secret/f)" = 1 ] || fail "a hard link to a stranger's file"
# which is followed when the user says so
cpfromfs --keep-directory-symlink -i img /a /b out
[ out/b -ef secret/f ] && [ "$(cat secret/f)" = image ] || fail "not followed"

# a link that the image brings is not followed, even then
mkdir -p one two/l/x
echo evil >two/l/x/f
ln -s "$TMP/secret" one/l
ln -s . one/dot
image img 64M mkfs.ext4 -q
cptofs -i img one two /
rm -rf out
mkdir out
status=0
cpfromfs --keep-directory-symlink -i img /one/. /two/. out 2>log || status=$?
[ $status = 1 ] || fail "status $status"
grep -q "cannot open directory 'out/l': Too many levels of symbolic links" log ||
	{ cat log; fail "followed its own link"; }
[ ! -e secret/x ] || fail "wrote elsewhere"
# nor through one that is there
rm -rf out
mkdir -p out
ln -s l/deeper out/way
mkdir -p secret/deeper three/way
echo evil >three/way/f
cptofs -i img three /
status=0
cpfromfs --keep-directory-symlink -i img /one/. /three/. out 2>log || status=$?
[ $status = 1 ] && grep -q "cannot open directory 'out/way': Too many levels" log ||
	{ cat log; fail "followed its own link behind another"; }
[ -z "$(ls secret/deeper)" ] || fail "wrote elsewhere"

# nor through one that takes the place of what the copy has just made
cat >swap.c <<'END'
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
int mknodat(int dir, const char *name, mode_t mode, dev_t dev)
{
	if (syscall(SYS_mknodat, dir, name, mode, dev))
		return -1;
	unlinkat(dir, name, 0);
	return symlinkat(getenv("VICTIM"), dir, name);
}
END
gcc -shared -fPIC -o swap.so swap.c
mkdir four
mkfifo -m 777 four/fifo
setfacl -m u:7:rwx four/fifo
cptofs -i img four /
touch -d 2001-01-01 victim
chmod 600 victim
before=$(stat -c '%a %u %g %Y %N' victim)
rm -rf out
VICTIM=$TMP/victim LD_PRELOAD=$TMP/swap.so cpfromfs -i img -o 1234 -g 1234 /four/fifo out 2>log || true
[ -L out ] || fail "not swapped"
[ "$(stat -c '%a %u %g %Y %N' victim)" = "$before" ] || fail "a stranger's file: $(stat victim)"
[ "$(getfacl -c victim | grep -c user:)" = 1 ] || fail "a stranger's file: $(getfacl victim)"

# the same with archives
cat >make.py <<'EOF'
import tarfile, io
def archive(file, *entries):
    t = tarfile.open(file, "w", format=tarfile.PAX_FORMAT)
    for name, type, link in entries:
        i = tarfile.TarInfo(name)
        i.type, i.linkname = type, link
        data = b"evil\n" if type == tarfile.REGTYPE else b""
        i.size = len(data)
        t.addfile(i, io.BytesIO(data))
    t.close()
R, S, L, D = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE
archive("own.tar", ("l", S, "../etc"), ("l/passwd", R, ""), ("m", S, "/etc"), ("m/new", R, ""))
archive("hard.tar", ("d", S, "../etc"), ("h", L, "d/passwd"))
archive("there.tar", ("h", L, "there/passwd"), ("there/n", R, ""))
EOF
python3 make.py
mkdir -p base/etc base/in
echo passwd >base/etc/passwd
ln -s ../etc base/in/there
image img 64M mkfs.ext4 -q
cptofs -i img base/. /
for option in "" --keep-directory-symlink; do
	for file in own hard; do
		status=0
		# shellcheck disable=SC2086
		tar2fs $option $file.tar img /in 2>log || status=$?
		[ $status = 1 ] || { cat log; fail "$file: status $status"; }
	done
done
grep -q "cannot create hard link 'img:/in/h': Too many levels" log || { cat log; fail; }
[ "$(lkl ls img /etc)" = passwd ] || fail "an archive wrote elsewhere"
[ "$(lkl cat img /etc/passwd)" = passwd ] || fail "an archive changed a file"
lkl ls -l img /etc/passwd | grep -q '^[-rw]* *1 ' || fail "an archive linked a file"
tar2fs there.tar img /in 2>log && fail "followed"
tar2fs --keep-directory-symlink there.tar img /in
[ "$(lkl ls img /etc | tr '\n' ' ')" = "n passwd " ] || fail "not followed"
[ "$(lkl cat img /in/h)" = passwd ] || fail "not linked"
check ext4 img

# An ordinary user gets no programs that run as whoever unpacked them.
touch program
chmod 6755 program
mkdir -m 2755 shared
cptofs -i img program shared /
if is_root; then
	cpfromfs -i img -o 0 -g 0 /program as-root
	[ "$(stat -c %a as-root)" = 6755 ] || fail "root lost set-id bits"
	chmod 755 .
	mkdir -m 777 for-user
	chmod 644 img
	run=(setpriv --reuid=4321 --regid=4321 --clear-groups)
else
	mkdir for-user
	run=()
fi
"${run[@]}" "$BIN/cpfromfs" -i img -o "$("${run[@]}" id -u)" -g "$("${run[@]}" id -g)" \
	/program /shared for-user 2>log
[ "$(stat -c %a for-user/program for-user/shared | tr '\n' ' ')" = "755 2755 " ] ||
	fail "set-id bits: $(stat -c %a for-user/*)"
grep -q "warning: leaving out set-id bits, as those of 'for-user/program'" log || { cat log; fail; }
