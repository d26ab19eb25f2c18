#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Encrypted disks, LUKS 1 and 2: read what qemu-img wrote, and the other way
# around.

. "$(dirname "$0")/../common/tools.sh"
need qemu-img cryptsetup mkfs.ext4 script

printf 'correct horse' >key
mkdir tree
seq 200000 >tree/big
ln tree/big tree/link

# decrypt FILE TO
decrypt() {
	rm -f "$2"
	qemu-img convert -O raw --object secret,id=s,file=key --image-opts \
		"driver=luks,key-secret=s,file.driver=file,file.filename=$1" "$2"
}

image raw 40M mkfs.ext4 -q
encrypt raw one
cptofs -i one -K key tree /
decrypt one plain
check ext4 plain
cpfromfs -i plain /tree out
same tree out
lkl info --key-file=key one | grep -Eq '^ +- +- +42 MB +[0-9.]+ MB +ext4 ' || fail "info"
lkl info -K - one <key | grep -q ' ext4 ' || fail "info, key from a pipe"
refuses 2 "cannot mount 'one' as xfs: it contains ext4" lkl ls -t xfs -K key one
lkl info one | grep -q ext4 && fail "info without a key"

# Version 2, with the same key for the disk, so that qemu-img can read it again
cryptsetup luksDump -q --dump-volume-key --volume-key-file mk -d key one >/dev/null
truncate -s 64M two
cryptsetup luksFormat -q --type luks2 --pbkdf argon2id --pbkdf-memory 32 --pbkdf-parallel 1 \
	--pbkdf-force-iterations 4 --sector-size 512 --volume-key-file mk two key
dd if=one of=two bs=1M iflag=skip_bytes oflag=seek_bytes skip=$((4040 * 512)) \
	seek=$((32768 * 512)) conv=notrunc status=none
lkl cat -K key two /tree/big | cmp - tree/big
cptofs -i two -K key key /new
dd if=two of=one bs=1M iflag=skip_bytes oflag=seek_bytes seek=$((4040 * 512)) \
	skip=$((32768 * 512)) count=40 conv=notrunc status=none
decrypt one plain
check ext4 plain
lkl cat plain /new | cmp - key

# Nothing in it
truncate -s 24M empty
cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \
	--sector-size 4096 empty key
refuses 2 "'empty' contains crypto_LUKS, which is not a file system" lkl ls -K key empty

# type_it COMMAND: on a terminal, whose output is in the file typescript
type_it() {
	rm -f typescript
	{
		until grep -q Passphrase typescript 2>/dev/null; do sleep 0.1; done
		sleep 0.3
		printf 'correct horse\n'
		until grep -q '^Script done' typescript; do sleep 0.1; done
	} | script -qefc "$1" typescript >/dev/null
}

# A passphrase is asked for on the terminal, and not shown.
type_it "lkl cat two /new"
grep -q "^Passphrase for 'two': " typescript || fail "not asked"
[ "$(grep -c 'correct horse' typescript)" = 1 ] || { cat typescript; fail "shown"; }

# Mistakes
printf 'wrong' >wrong
refuses 2 "cannot unlock 'two': the passphrase is wrong" lkl ls -K wrong two
refuses 2 "cannot read key file 'none': No such file or directory" lkl ls -K none two
refuses 2 "'two' is encrypted, and there is no terminal to ask for the passphrase; give a file with -K" \
	setsid -w lkl ls two
cp two damaged
dd if=/dev/zero of=damaged bs=64K count=4 seek=1 conv=notrunc status=none
refuses 2 "cannot unlock 'damaged': .*" lkl ls -K key damaged
truncate -s 20K damaged
refuses 2 "cannot unlock 'damaged': .*" lkl ls -K key damaged

# The confined server unlocks, and gives up what that took.
[ -w /dev/fuse ] && command -v fusermount3 >/dev/null || skip "the rest needs FUSE"
mkdir mnt
refuses 2 "'two' is encrypted, choose passphrase or keyfile=" lklfuse two mnt
trap 'fusermount3 -uqz "$TMP/mnt" || true; cleanup' EXIT
lklfuse two mnt -o keyfile=key
cmp mnt/tree/big tree/big
cp key mnt/newer
server=$(pgrep -f "lklfuse two mnt" | tail -n 1)
[ "$(sed -n 's/^Seccomp_filters:\s*//p' "/proc/$server/status")" -ge 2 ] || fail "not confined"
fusermount3 -u mnt
flock two true
[ "$(lkl cat -K key two /newer)" = 'correct horse' ] || fail "not written"
type_it "lklfuse two mnt -o ro,passphrase"
cmp mnt/new key
fusermount3 -u mnt
