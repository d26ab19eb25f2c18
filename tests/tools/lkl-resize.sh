#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# lkl resize makes file systems larger and smaller, with their partitions and the
# image: the files stay the same, the host's programs find no error in the file system
# and the partition table, and what cannot be done leaves the image as it was.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 mkfs.xfs sfdisk resize2fs fusermount3 python3
[ -w /dev/fuse ] || skip "no /dev/fuse here"
export TMPDIR=$PWD
# landlock_create_ruleset(): is it there?
LANDLOCK=$(python3 -c 'import ctypes; print("yes" * (ctypes.CDLL(None).syscall(444, None, 0, 1) > 0))')

mkdir tree
cp -R "$TOP/docs" tree/docs
head -c 3000000 /dev/urandom >tree/big
touch -d @1000000000 tree

size() {
	stat -c %s "$1"
}

# total IMAGE: size of the file system, without what it needs itself, in MiB
total() {
	echo $(($(lkl df --json "$1" | sed -n 's/.*"size": *\([0-9]*\).*/\1/p') >> 20))
}

# good TYPE IMAGE: no errors, and the same files
good() {
	local file=$2
	if [ "$(sfdisk -d "$2" 2>/dev/null | grep -c ' : start=')" = 1 ]; then
		sfdisk -V "$2" >sfdisk.log 2>&1 || { cat sfdisk.log; fail "$1: the partition table"; }
		set -- "$1" "$2" $(sfdisk -d "$2" | sed -n 's/.*start= *\([0-9]*\), size= *\([0-9]*\).*/\1 \2/p')
		dd if="$2" of=part bs=1M iflag=skip_bytes,count_bytes skip=$(($3 * 512)) \
			count=$(($4 * 512)) conv=sparse status=none
		truncate -s $(($4 * 512)) part
		file=part
	fi
	check "$1" "$file"
	lkl diff -x lost+found "$2" tree || fail "$1: other files"
}

for type in ext4 ext2 xfs btrfs f2fs; do
	command -v mkfs.$type >/dev/null || continue
	for gpt in "" --gpt; do
		[ -z "$gpt" ] || [ $type = ext4 ] || [ $type = btrfs ] || continue
		# shellcheck disable=SC2086
		lkl mkfs -t $type $gpt -s 400M tree img
		more=$([ -z "$gpt" ] || echo 2)
		before=$(total img)
		lkl resize img 700M
		[ "$(size img)" = $(((700 + ${more:-0}) << 20)) ] || fail "$type $gpt: 700M: $(size img)"
		[ $(($(total img) - before)) -ge 250 ] || fail "$type $gpt: $before, $(total img)"
		good $type img
		lkl resize img +24M
		[ "$(size img)" = $(((724 + ${more:-0}) << 20)) ] || fail "$type $gpt: +24M"
		good $type img
		case $type in
		xfs | f2fs)
			cp img old
			refuses 2 "'img' contains $type, which cannot be made smaller" lkl resize img -100M
			refuses 2 "'img' contains $type, which cannot be made smaller" lkl resize --minimum img
			cmp img old
			continue
			;;
		esac
		lkl resize img -224M
		[ "$(size img)" = $(((500 + ${more:-0}) << 20)) ] || fail "$type $gpt: -224M: $(size img)"
		good $type img
		lkl resize --minimum img
		[ "$(size img)" -lt $((300 << 20)) ] || fail "$type $gpt: --minimum: $(size img)"
		good $type img
		lkl resize img 400M
		good $type img
	done
done

# partitions before and behind, of MBR and GPT; codes and names stay
for label in dos gpt; do
	lkl mkfs -s 20M tree fs
	truncate -s 70M disk
	printf 'label: %s\nsize=20M\nsize=20M, bootable\n' $label | sed "$([ $label = dos ] || echo 's/, bootable/, name="my disk"/')" |
		sfdisk -q disk
	head -c 440 /dev/urandom | dd of=disk conv=notrunc status=none
	head -c 440 disk >code
	for n in 1 21; do dd if=fs of=disk bs=1M seek=$n conv=notrunc status=none; done
	sfdisk -d disk | sed 's/size=.*type/type/; /^last-lba/d' >table
	refuses 2 "another partition is behind partition 1 of 'disk'" lkl resize -P 1 disk 30M
	lkl resize -P 2 disk 60M
	lkl resize -P 1 disk 15M
	lkl resize -P 2 disk 30M
	sfdisk -d disk | sed 's/size=.*type/type/; /^last-lba/d' | diff table - || fail "$label: the table"
	head -c 440 disk | cmp - code || fail "$label: the code before the table"
	[ "$(size disk)" = $(((51 + ($(echo $label | grep -c gpt) )) << 20)) ] || fail "$label: $(size disk)"
	sfdisk -V disk >sfdisk.log 2>&1 || { cat sfdisk.log; fail "$label"; }
	for n in 1 2; do
		lkl diff -P $n -x lost+found disk tree || fail "$label: partition $n"
		lkl fsck -n -P $n disk >out.log 2>&1 || { cat out.log; fail "$label: partition $n"; }
	done
done

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

# nobody else gets the image between two steps, nor while another program has it
lkl mkfs --gpt -s 30M tree img
mkdir spies
for program in sfdisk e2fsck resize2fs; do
	printf '#!/bin/sh\n! flock -n "%s" true || echo "%s" >>"%s"\nexec %s "$@"\n' "$PWD/img" \
		$program "$PWD/free" "$(command -v $program)" >spies/$program
	chmod +x spies/$program
done
PATH=$PWD/spies:$PATH lkl resize --no-sandbox img 60M
PATH=$PWD/spies:$PATH lkl resize --no-sandbox img 20M
[ ! -e free ] || { cat free; fail "not locked all along"; }
good ext4 img
refuses 2 "'img' is in use by another program" flock -s img lkl resize img 60M

# programs that the image has taken over get nothing but the file system
echo secret >secret
for program in sfdisk e2fsck resize2fs; do
	cat >spies/$program <<END
#!/bin/sh
{ true >"$PWD/written"; } 2>/dev/null && exit 9
{ read -r line <"$PWD/secret"; } 2>/dev/null && exit 9
kill -0 \$PPID 2>/dev/null && exit 9
echo x >>"$PWD/tried" 2>/dev/null
exec $(command -v $program) "\$@"
END
done
lkl mkfs --gpt -s 30M tree img
if [ -n "$LANDLOCK" ]; then
	PATH=$PWD/spies:$PATH lkl resize img 60M
	PATH=$PWD/spies:$PATH lkl resize img 20M
	PATH=$PWD/spies:$PATH lkl fsck img >out.log || { cat out.log; fail "a spy"; }
	! PATH=$PWD/spies:$PATH lkl resize --no-sandbox img 40M 2>out.log || fail "--no-sandbox"
	grep -q "sfdisk failed" out.log || { cat out.log; fail "--no-sandbox"; }
	rm written
	good ext4 img
	# nor can it make a process
	printf '#!/bin/sh\n(exit 0)\nexec true\n' >spies/sfdisk
	refuses 2 "sfdisk failed: .*Cannot fork" env PATH="$PWD/spies:$PATH" lkl resize img 60M
fi

# what cannot be: one line, and all is as it was
lkl mkfs -s 30M tree img
cp img old
for case in "100k:resize2fs failed: New size smaller than minimum .*" "1:.*" "0:.*" "x:.*" "-30M:.*"; do
	! lkl resize img "${case%%:*}" >out.log 2>&1 || fail "$case"
	grep -Eq "^lkl resize: ${case#*:}" out.log || { cat out.log; fail "$case"; }
	cmp img old || fail "$case: it has changed"
done
lkl mkfs --gpt -s 30M tree img
cp img old
refuses 2 "resize2fs failed: .*" lkl resize img 100k
cmp img old || fail "it has changed"
# what became larger for a file system that then does not is undone
for gpt in "" --gpt; do
	# shellcheck disable=SC2086
	lkl mkfs $gpt -s 30M tree img
	printf '%064d' 0 | dd of=img bs=1 seek=$((4096 + ($(echo "$gpt" | grep -c gpt) << 20))) conv=notrunc status=none
	cp img old
	! lkl resize img 60M >out.log 2>&1 || fail "a damaged file system $gpt"
	[ "$(wc -l <out.log)" = 1 ] && cmp img old || { cat out.log; fail "not undone $gpt"; }
done
lkl mkfs -t vfat tree img
refuses 2 "'img' contains vfat, which cannot be made larger" lkl resize img 100M
refuses 2 "cannot open 'none': No such .*" lkl resize none 100M
for args in "" "img" "img 1M 2M" "--minimum img 3M" "-x"; do
	# shellcheck disable=SC2086
	! lkl resize $args >out.log 2>&1 || fail "lkl resize $args"
	grep -q "^lkl resize: .*" out.log || fail "lkl resize $args"
done
[ "$(echo lkl-fsck.*)" = "lkl-fsck.*" ] || fail "something is left"

# names that a program could take for options, or a table for its own words
lkl mkfs --gpt -s 20M tree -- -size=1M.img
lkl resize -- -size=1M.img 40M
good ext4 ./-size=1M.img
# the image has been made larger before, and the copy of its table is not at its end
truncate -s 80M ./-size=1M.img
lkl resize -- -size=1M.img 60M
good ext4 ./-size=1M.img

# on a host that is full, a file system that has become larger in part is not cut off
if is_root; then
	mkdir full
	mount -t tmpfs -o size=40M none full
	trap 'umount -l "$TMP/full"; cleanup' EXIT
	lkl mkfs -s 20M tree full/img
	! dd if=/dev/zero of=full/more bs=64k status=none 2>/dev/null || fail "not full"
	! lkl resize full/img 20G >out.log 2>&1 || fail "a full host"
	blocks=$(dumpe2fs -h full/img 2>/dev/null | sed -n 's/^Block count: *//p')
	[ $((blocks * 4096)) -le "$(size full/img)" ] || { cat out.log; fail "cut off: $blocks blocks, $(size full/img)"; }
	grep -q "'full/img' stays larger" out.log || { cat out.log; fail "a full host: the message"; }
	rm full/more
	lkl fsck full/img >out.log 2>&1 || [ $? = 1 ] || { cat out.log; fail "not repaired"; }
	lkl diff -x lost+found full/img tree || fail "other files on a full host"
fi
