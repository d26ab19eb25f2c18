#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# With SOURCE_DATE_EPOCH the same files give the same ext4 image, bit for bit: at
# another time, from a directory with its files in another order and newer times,
# on a busy machine.  So do those of which other programs promise it.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 e2fsck python3

user=user
! is_root || user=root
"$COMMON/make-tree.sh" tree $user
mkdir tree/many tree/deep
for ((i = 0; i < 800; i++)); do echo $i >tree/many/name$i; done
cp -R "$TOP/docs" tree/deep/docs
touch -d @1600000000 tree/many tree/many/*
# the same names, made in the opposite order, so that a directory lists others first
cp -a tree tree2
(
	cd tree2/many
	mkdir ../reverse
	ls | sort -r | while read -r name; do mv "$name" ../reverse/; done
	cd ..
	rmdir many
	mv reverse many
	touch -d @1600000000 many
)
[ "$(ls -U tree/many | sha1sum)" != "$(ls -U tree2/many | sha1sum)" ] ||
	echo "the host lists both in one order"
# newer than the time that counts: when does not matter
find tree/deep -exec touch -h -d @1710000000 {} +
find tree2/deep -exec touch -h -d @1720000000 {} +
# holes where there were zeros, and the other way round; attributes in another order
for name in holes all-hole; do
	cat tree/$name >data
	touch -r tree/$name data
	cat data >tree2/$name
	touch -r data tree2/$name
done
head -c 700000 /dev/zero >tree/zeros
truncate -s 700000 tree2/zeros
printf 'x' | dd of=tree/zeros bs=1 seek=300000 conv=notrunc status=none
printf 'x' | dd of=tree2/zeros bs=1 seek=300000 conv=notrunc status=none
for attr in a b c; do setfattr -n user.$attr -v "$attr" tree/empty; done
for attr in c b a; do setfattr -n user.$attr -v "$attr" tree2/empty; done
touch -d @1600000000 tree tree2 tree/zeros tree2/zeros
[ "$(stat -c %b tree/zeros)" != "$(stat -c %b tree2/zeros)" ] || echo "the host has no holes"
export SOURCE_DATE_EPOCH=1700000000

make_twice() {
	local begin=$EPOCHSECONDS
	lkl mkfs "$@" tree one
	# a clock that counts seconds tells them apart
	while [ "$EPOCHSECONDS" = "$begin" ]; do sleep 0.05; done
	cat tree2/big >/dev/null
	lkl mkfs "$@" tree2 two
	cmp one two || fail "lkl mkfs $*"
}

(for ((i = 0; i < 40; i++)); do sync; head -c 20000000 /dev/zero; done >/dev/null) &
busy=$!
for type in ext4 ext2; do
	make_twice -t $type
	check $type one
done
make_twice --gpt -L label
kill $busy 2>/dev/null || true
for ((i = 0; i < 3; i++)); do
	lkl mkfs tree three
	lkl mkfs tree2 four
	cmp three four || fail "round $i"
done
rm -rf out
mkdir out
cpfromfs -i three /. out
rm -rf out/lost+found
find tree -newermt @1700000000 -exec touch -h -d @1700000000 {} +
touch -d @1600000000 out
same -s holes tree out

# layers, which remove files
"$COMMON/mkoci.py" 7 oci want
lkl mkfs oci one
sleep 1
lkl mkfs oci two
cmp one two || fail "an OCI image"
check ext4 one

# another source gives another UUID, and one may be chosen
echo more >tree2/more
lkl mkfs tree2 two
[ "$(blkid -p -s UUID -o value two)" != "$(blkid -p -s UUID -o value three)" ] ||
	fail "two sources have the same UUID"
lkl mkfs -U 12345678-9abc-def0-1234-56789abcdef0 tree2 two
[ "$(blkid -p -s UUID -o value two)" = 12345678-9abc-def0-1234-56789abcdef0 ] || fail "-U"
rm tree2/more

rm -f tree/nnn* tree2/nnn* # which mkfs.erofs 1.5 cannot read
if [ -w /dev/fuse ] && command -v fusermount3 >/dev/null; then
	if command -v mksquashfs >/dev/null; then
		lkl mkfs -t squashfs tree one 2>/dev/null
		lkl mkfs -t squashfs tree2 two 2>/dev/null
		cmp one two || fail "squashfs"
		rm -rf out && mkdir out
		cpfromfs -i one /. out
		[ ! -e out/lost+found ] || fail "lost+found in squashfs"
		same -s xattr,owner,holes,time tree out
	fi
	if command -v mkfs.erofs >/dev/null; then
		make_twice -t erofs --gpt
		rm -rf out && mkdir out
		cpfromfs -i one /. out
		same -s xattr,owner,holes,time tree out
	fi
fi

# without, chance is in it: this test could not tell otherwise
unset SOURCE_DATE_EPOCH
lkl mkfs tree one
lkl mkfs tree two
! cmp -s one two || fail "there is no difference to be removed"
! SOURCE_DATE_EPOCH=x lkl mkfs tree two 2>log || fail "SOURCE_DATE_EPOCH=x"
grep -q "invalid SOURCE_DATE_EPOCH: 'x'" log || { cat log; fail "SOURCE_DATE_EPOCH=x"; }
