#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# lkl resize makes file systems larger and smaller, with their partitions and the
# image: the files stay the same, the host's programs find no error in the file system
# and the partition table, and what cannot be done leaves the image as it was.

. "$(dirname "$0")/../common/resize.sh"
need gcc

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
# nor does a program that is confined speak of what the user has preloaded
gcc -shared -x c -o preloaded.so /dev/null
refuses 2 "resize2fs failed: New size smaller than minimum .*" \
	env LD_PRELOAD="$PWD/preloaded.so" lkl resize img 100k
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
