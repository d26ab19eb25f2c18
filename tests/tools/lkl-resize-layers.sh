#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# lkl resize where the file system is in something else: in a logical partition, in
# LUKS, in an image of another format than raw.

. "$(dirname "$0")/../common/resize.sh"

# logical partitions: the one that is last, and others stay
lkl mkfs -s 20M tree fs
truncate -s 100M disk
printf 'label: dos\nsize=20M\nsize=70M, type=5\npart5 : size=20M\npart6 : size=20M\n' | sfdisk -q disk
starts=$(sfdisk -d disk | sed -n 's/.*start= *\([0-9]*\).*type=83.*/\1/p')
for start in $starts; do dd if=fs of=disk bs=512 seek="$start" conv=notrunc status=none; done
sfdisk -d disk | sed 's/size=.*type/type/' >table
refuses 2 "another partition is behind partition 5 of 'disk'" lkl resize -P 5 disk 30M
lkl resize -P 6 disk 60M
lkl resize -P 5 disk 15M
lkl resize -P 6 disk 25M
sfdisk -d disk | sed 's/size=.*type/type/' | diff table - || fail "logical: the table"
sfdisk -V disk >sfdisk.log 2>&1 || { cat sfdisk.log; fail "logical"; }
[ "$(size disk)" = $((($(echo "$starts" | tail -n 1) * 512) + (25 << 20))) ] || fail "logical: $(size disk)"
for n in 1 5 6; do
	lkl diff -P $n -x lost+found disk tree || fail "logical: partition $n"
	lkl fsck -n -P $n disk >out.log 2>&1 || { cat out.log; fail "logical: partition $n"; }
done

# encrypted, alone and in a partition
if command -v qemu-img >/dev/null; then
	printf secret >key
	lkl mkfs -s 30M tree fs
	encrypt fs luks
	truncate -s 60M disk
	printf 'label: gpt\nsize=50M\n' | sfdisk -q disk
	dd if=luks of=disk bs=1M seek=1 conv=notrunc status=none
	for file in luks disk; do
		lkl resize -K key $file 60M
		[ "$(lkl df -K key --json $file | sed -n 's/.*"size": *\([0-9]*\).*/\1/p')" -gt $((50 << 20)) ] ||
			fail "$file: $(lkl df -K key $file)"
		before=$(size $file)
		lkl resize -K - $file 20M <key
		[ "$(size $file)" = $((before - (40 << 20))) ] || fail "$file: $(size $file)"
		lkl diff -K key -x lost+found $file tree || fail "$file: other files"
		lkl fsck -n -K key $file >out.log 2>&1 || { cat out.log; fail "$file"; }
		lkl resize -K key --minimum $file
		lkl fsck -n -K key $file >out.log 2>&1 || { cat out.log; fail "$file: --minimum"; }
	done
	sfdisk -V disk >sfdisk.log 2>&1 || { cat sfdisk.log; fail "encrypted"; }
	cp luks old
	refuses 2 "'luks' is encrypted, and there is no terminal .*" lkl resize luks 60M </dev/null
	printf other >wrong
	! lkl resize -K wrong luks 60M >out.log 2>&1 || fail "a wrong passphrase"
	cmp luks old || fail "a wrong passphrase: it has changed"
fi

# in an image of another format
if command -v qemu-img >/dev/null && command -v qemu-nbd >/dev/null; then
	for how in "" --gpt; do
		# shellcheck disable=SC2086
		lkl mkfs -s 40M $how tree fs
		head -c 440 /dev/urandom | dd of=fs conv=notrunc status=none
		head -c 440 fs >code
		qemu-img convert -O qcow2 fs q
		for to in 90M +10M 60M --minimum 50M; do
			if [ $to = --minimum ]; then
				lkl resize $to q
			else
				lkl resize q $to
			fi
			qemu-img check -q q || fail "qcow2 $how $to: the image"
			qemu-img convert -O raw q raw
			good ext4 raw
			head -c 440 raw | cmp - code || fail "qcow2 $how $to: the code before the table"
			more=$([ -z "$how" ] || echo 2)
			case $to in
			+10M) to=100M ;;
			--minimum) [ "$(size raw)" -lt $((60 << 20)) ] && continue ;;
			esac
			[ "$(size raw)" = $(((${to%M} + ${more:-0}) << 20)) ] || fail "qcow2 $how $to: $(size raw)"
		done
	done
	cp q old
	! lkl resize q 100k >out.log 2>&1 || fail "qcow2: too small"
	qemu-img compare -q q old || fail "qcow2: it has changed"
	qemu-img convert -O vmdk fs v
	refuses 2 "qemu-img failed: .*" lkl resize v 100M
	printf 'label: dos\nsize=20M\nsize=70M, type=5\npart5 : size=30M\n' >script
	truncate -s 100M disk
	sfdisk -q disk <script
	lkl mkfs -s 20M tree fs
	dd if=fs of=disk bs=512 seek="$(sfdisk -d disk | sed -n 's/^disk5.*start= *\([0-9]*\).*/\1/p')" conv=notrunc status=none
	qemu-img convert -O qcow2 disk q
	lkl resize -P 5 q 120M
	qemu-img convert -O raw q raw
	sfdisk -V raw >sfdisk.log 2>&1 || { cat sfdisk.log; fail "qcow2: logical"; }
	lkl diff -P 5 -x lost+found raw tree || fail "qcow2: logical"
fi
