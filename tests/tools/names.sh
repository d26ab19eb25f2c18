#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# No file is lost because of its name: hard links among operands, the same name
# twice, names that the target does not tell apart, names in other letters.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 mkfs.vfat mkfs.exfat mkntfs mdir mcopy python3 debugfs tar

# hard links among the operands
echo x >a
ln a b
image img 64M mkfs.ext4 -q
cptofs -i img a b /
lkl ls -l img /b | grep -q '^[-rw]* *2 ' || fail "not linked in the image"
cpfromfs -i img /a /b "$(mkdir out1 && echo out1)"
[ out1/a -ef out1/b ] || fail "not linked on the host"
lkl cp img:/a img:/b "$(mkdir out2 && echo out2)"
[ out2/a -ef out2/b ] || fail "lkl cp: not linked"
fs2tar img o.tar /a /b
mkdir out3
tar -C out3 -xf o.tar
[ out3/a -ef out3/b ] || fail "tar: not linked"
mkdir out4
(cd out4 && bsdtar -xf ../o.tar)
[ out4/a -ef out4/b ] || fail "bsdtar: not linked"

# Two operands with the same name, as cp has it: directories are merged, a file
# is not replaced by another that was made just now.
mkdir -p d1/sub d2/sub
echo 1 >d1/sub/f
echo 2 >d2/sub/f
echo 1 >d1/sub/only1
echo 2 >d2/sub/only2
for target in ext4 vfat; do
	image img 64M mkfs.$target
	refuses 1 "cannot create regular file 'img:/sub/f': File exists" \
		cptofs -i img d1/sub d2/sub /
	[ "$(lkl cat img /sub/f /sub/only1 /sub/only2 | tr -d '\n')" = 112 ] || fail "$target: merge"
done
image img 64M mkfs.ext4 -q
cptofs -i img d1 d2 /
rm -rf out
mkdir out
refuses 1 "cannot create regular file 'out/sub/f': File exists" \
	cpfromfs -i img /d1/sub /d2/sub out
[ "$(cat out/sub/*  | tr -d '\n')" = 112 ] || fail "merge on the host"
# what was there before is replaced, each time
cptofs -i img d2/. /d1
[ "$(lkl cat img /d1/sub/f)" = 2 ] || fail "not replaced"

# names that differ, but not for the target
mkdir pair pair/dir
echo 1 >pair/UPPER.TXT
echo 2 >pair/upper.txt
echo 3 >pair/dir/x
mkdir fold
printf '%s\n' 'mkdir /fold' 'sif /fold flags 0x40080000' >debugfs.cmd
tar -C pair -cf pair.tar UPPER.TXT dir upper.txt
for target in vfat exfat casefold hfsplus; do
	case $target in
	hfsplus)
		image img 16M "$COMMON/mkhfsplus.py"
		to=/
		;;
	casefold)
		image img 64M mkfs.ext4 -q -O casefold
		debugfs -w img <debugfs.cmd >debugfs.log 2>&1
		to=/fold
		;;
	*) image img 64M mkfs.$target; to=/ ;;
	esac
	before="img:${to%/}"
	for copy in "cptofs -i img pair/. $to" "tar2fs pair.tar img $to"; do
		# shellcheck disable=SC2086
		$copy 2>log && fail "$target: $copy lost a file"
		grep -q "cannot create regular file '$before/upper.txt': File exists" log ||
			{ cat log; fail "$target"; }
		[ "$(lkl cat img $to/UPPER.TXT)" = 1 ] || fail "$target: $copy overwrote"
		[ "$(lkl cat img $to/dir/x)" = 3 ] || fail "$target: stopped"
		# nor is one that was replaced under another name
		# shellcheck disable=SC2086
		$copy 2>log && fail "$target: $copy lost a file the second time"
	done
	# but what was there before is, under whatever name
	echo 4 >upper.txt
	cptofs -i img upper.txt $to
	[ "$(lkl cat img $to/UPPER.TXT)" = 4 ] || fail "$target: not replaced"
	mkdir -p DIR
	echo 5 >DIR/X
	cptofs -i img DIR $to
	[ "$(lkl cat img $to/dir/x)" = 5 ] || fail "$target: directory not merged"
	tar -cf again.tar upper.txt upper.txt
	tar2fs again.tar img $to
	[ "$(lkl cat img $to/UPPER.TXT)" = 4 ] || fail "$target: tar2fs did not replace"
	rm -rf DIR
done
# nor composed and decomposed letters
mkdir forms
echo 1 >forms/$'\xc3\xa9'
echo 2 >forms/$'e\xcc\x81'
tar -C forms -cf forms.tar $'\xc3\xa9' $'e\xcc\x81'
image casefold 64M mkfs.ext4 -q -O casefold
debugfs -w casefold <debugfs.cmd >debugfs.log 2>&1
image hfsplus 16M "$COMMON/mkhfsplus.py"
for target in casefold hfsplus; do
	to=/
	[ $target = hfsplus ] || to=/fold
	for copy in "cptofs -i $target forms/. $to" "tar2fs forms.tar $target $to"; do
		# shellcheck disable=SC2086
		$copy 2>log && fail "$target: $copy lost a file"
		grep -q "cannot create regular file '.*': File exists" log || { cat log; fail "$target"; }
		[ "$(lkl find $target $to -type f | wc -l)" = 1 ] || fail "$target: $copy"
	done
done
# dots at the end, which vfat leaves out
mkdir dots
echo 1 >dots/n
echo 2 >dots/n.
image img 64M mkfs.vfat
refuses 1 "cannot create regular file 'img:/n\.': File exists" cptofs -i img dots/. /

# What archives call the same, or not: names are bytes.
cat >make.py <<'EOF'
import tarfile, io, sys
for format, file in (tarfile.PAX_FORMAT, "pax.tar"), (tarfile.GNU_FORMAT, "gnu.tar"):
    t = tarfile.open(file, "w", format=format, encoding="utf-8", errors="surrogateescape")
    for name in ("\u00e9", "e\u0301", "n" * 120 + "\u00e9", "n" * 120 + "e\u0301",
                 b"raw\xff\xfe".decode("utf-8", "surrogateescape"),
                 "\u212b", "\ud55c", "\u1112\u1161\u11ab", "\U0001f600"):
        i = tarfile.TarInfo(name)
        data = name.encode("utf-8", "surrogateescape")
        i.size = len(data)
        t.addfile(i, io.BytesIO(data))
        i = tarfile.TarInfo("link-" + name)
        i.type, i.linkname = tarfile.SYMTYPE, name
        t.addfile(i)
        i = tarfile.TarInfo("hard-" + name)
        i.type, i.linkname = tarfile.LNKTYPE, name
        t.addfile(i)
    t.close()
EOF
python3 make.py
cat >look.py <<'EOF'
import os, sys
top = os.fsencode(sys.argv[1])
names = [n for n in os.listdir(top) if not n.startswith((b"link-", b"hard-", b"lost"))]
assert len(names) == 9, names
for n in names:
    p = os.path.join(top, n)
    assert open(p, "rb").read() == n, n
    assert os.readlink(os.path.join(top, b"link-" + n)) == n, n
    assert os.path.samefile(os.path.join(top, b"hard-" + n), p), n
EOF
for file in pax gnu; do
	image img 64M mkfs.ext4 -q
	tar2fs $file.tar img
	rm -rf out
	cpfromfs -i img /. out
	python3 look.py out
	# and back, as other programs read it
	fs2tar img back.tar
	for tar in tar bsdtar; do
		rm -rf out
		mkdir out
		LC_ALL=C.UTF-8 $tar -C out -xf back.tar 2>log || { cat log; fail $tar; }
		[ $tar = bsdtar ] || python3 look.py out
	done
	image img 64M mkfs.ext4 -q
	tar2fs back.tar img
	rm -rf out
	cpfromfs -i img /. out
	python3 look.py out
done

# Letters are UTF-8 on every file system that stores them otherwise.
mkdir -p letters
for name in Größe 한글 Привет.txt ascii; do echo "$name" >"letters/$name"; done
image vfat 64M mkfs.vfat
image exfat 64M mkfs.exfat
image ntfs 64M mkntfs -qF
for fs in vfat exfat ntfs; do
	cptofs -i $fs letters/. / 2>log || { cat log; fail $fs; }
	cpfromfs -i $fs /. "back-$fs"
	diff -r letters "back-$fs"
done
LC_ALL=C.UTF-8 mdir -b -i vfat :: | sort >log
grep -qx '::/Größe' log && grep -qx '::/Привет.txt' log || { cat log; fail "as mtools reads it"; }
LC_ALL=C.UTF-8 mcopy -i vfat letters/Größe ::/Änderung
lkl ls vfat | grep -qx Änderung || fail "what mtools wrote"
if command -v genisoimage >/dev/null; then
	genisoimage -quiet -J -input-charset utf-8 -o iso letters
	cpfromfs -i iso /. back-iso
	diff -r letters back-iso
fi
if command -v mkudffs >/dev/null; then
	truncate -s 64M udf
	mkudffs udf >/dev/null
	cptofs -i udf letters/. / 2>log || { cat log; fail udf; }
	cpfromfs -i udf /. back-udf
	rm -rf back-udf/lost+found
	diff -r letters back-udf
fi
truncate -s 16M hfsplus
"$COMMON/mkhfsplus.py" hfsplus
cptofs -i hfsplus letters/. / 2>log || { cat log; fail hfsplus; }
cpfromfs -i hfsplus /. back-hfsplus 2>log || { cat log; fail "from hfsplus"; }
diff -r letters back-hfsplus

# A link takes the place of an empty directory, as with tar; a full one stays.
mkdir -p t/empty t/full/x
image img 64M mkfs.ext4 -q
cptofs -i img t/. /
rm -r t
mkdir t
ln -s elsewhere t/empty
echo file >t/full
tar -C t -cf t.tar empty full
refuses 1 "cannot create regular file 'img:/full': Directory not empty" tar2fs t.tar img
lkl ls -l img /empty | grep -q -- '-> elsewhere' || fail "not replaced"
lkl ls img /full | grep -qx x || fail "replaced"
mkdir t/dir
touch t/file
tar -C t -cf t.tar file dir
image img 64M mkfs.ext4 -q
tar2fs t.tar img
rm t/file
rmdir t/dir
mkdir t/file
touch t/dir
tar -C t -cf t.tar file dir
tar2fs t.tar img
lkl ls -l img | grep -q '^d.* file$' && lkl ls -l img | grep -q '^-.* dir$' || fail "kinds"
check ext4 img
[ "$(lkl ls -P ' 0' img | wc -l)" = 3 ] || fail "a number with a space before it"
