#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Archives that are damaged, or want out of the directory they are unpacked in.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 python3

cat >make.py <<'END'
import tarfile, io
t = tarfile.open("evil.tar", "w", format=tarfile.PAX_FORMAT)
def add(name, type=tarfile.REGTYPE, link="", data=b""):
    i = tarfile.TarInfo(name)
    i.type, i.linkname, i.size = type, link, len(data)
    t.addfile(i, io.BytesIO(data))
add("../up", data=b"evil")
add("a/../../up", data=b"evil")
add("/absolute", data=b"good")
add("link", tarfile.SYMTYPE, "/etc")
add("link/passwd", data=b"evil")
add("hard", tarfile.LNKTYPE, "../etc/passwd")
add("last", data=b"good")
t.close()
END
python3 make.py
image img 64M mkfs.ext4 -q
mkdir -p tree/etc tree/in
echo secret >tree/etc/passwd
cptofs -i img tree/. /
status=0
tar2fs evil.tar img /in 2>log || status=$?
[ $status = 1 ] || fail "status $status"
[ "$(grep -c "leads elsewhere: 'evil.tar:" log)" = 3 ] || { cat log; fail; }
grep -q "cannot open directory 'img:/in/link'" log || { cat log; fail "link"; }
cpfromfs -i img /. out
echo secret | cmp - out/etc/passwd
[ "$(cd out/in && echo *)" = "absolute last link" ] || fail "$(ls out/in)"
[ ! -e out/up ] || fail "went up"
check ext4 img

# the end is missing: what is incomplete is not left there
head -c 3000000 /dev/urandom >big
tar -cf t.tar big
head -c 2000000 t.tar >cut.tar
image img 64M mkfs.ext4 -q
refuses 1 "error reading 'cut.tar': Truncated .*" tar2fs cut.tar img
! cpfromfs -i img /big . 2>/dev/null || fail "half a file is left"
gzip -k t.tar
head -c 2000000 t.tar.gz >cut.tar.gz
refuses 1 "error reading 'cut.tar.gz': .*" tar2fs cut.tar.gz img
tar --format=pax -cf t2.tar log
head -c 700 t2.tar >cut.tar
refuses 2 "error reading 'cut.tar': (Truncated|Damaged) .*" tar2fs cut.tar img
check ext4 img

# nothing of it is an archive: the image is not touched
cp --sparse=always img before
: >empty
for file in big empty; do
	refuses 2 "cannot read '$file': Unrecognized archive format" \
		tar2fs $file img
done
refuses 2 "cannot open 'none': No such .*" tar2fs none img
cmp img before
refuses 2 "cannot open target directory 'img:/none': No such .*" \
	tar2fs t.tar img /none
# a full image
image small 2M mkfs.ext4 -q
refuses 1 "error writing 'small:/big': No space left on device" \
	tar2fs t.tar small
check ext4 small
