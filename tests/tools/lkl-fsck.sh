#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# lkl fsck: what has no errors stays the same, bit for bit; what has some is either
# repaired, so that the host's own check finds none, or stays as it was; with -n
# nothing is changed ever.  A journal is replayed.  Behind a partition table and a
# key, too.

. "$(dirname "$0")/../common/tools.sh"
need python3 mkfs.ext4 e2fsck mkfs.xfs xfs_repair fusermount3 mkfs.vfat sfdisk
[ -w /dev/fuse ] || skip "no /dev/fuse here"
export TMPDIR=$PWD

mkdir tree
cp -R "$TOP/docs" tree/docs
for ((i = 0; i < 300; i++)); do echo $i >tree/docs/name$i; done

# status COMMAND...: its exit status
status() {
	local status=0
	"$@" >out.log 2>&1 || status=$?
	echo $status
}

# damage FILE SEED: in parts of it that are no holes
damage() {
	python3 - "$@" <<'END'
import os, random, sys
rng = random.Random(int(sys.argv[2]))
fd = os.open(sys.argv[1], os.O_RDWR)
parts, pos = [], 0
try:
    while True:
        data = os.lseek(fd, pos, os.SEEK_DATA)
        pos = os.lseek(fd, data, os.SEEK_HOLE)
        parts.append((data, pos))
except OSError:
    pass
for _ in range(60):
    start, end = rng.choice(parts)
    # not the first 64 KiB, without which nobody knows what it is
    off = max(65536, rng.randrange(start, end))
    os.pwrite(fd, rng.randbytes(rng.randrange(1, 200)), off)
END
}

repaired=0
for type in ext4 xfs f2fs vfat btrfs; do
	command -v mkfs.$type >/dev/null || continue
	lkl mkfs -t $type tree img
	cp img before
	[ "$(status lkl fsck -n img)" = 0 ] || { cat out.log; fail "$type: -n"; }
	[ "$(status lkl fsck img)" = 0 ] || { cat out.log; fail "$type"; }
	cmp img before || fail "$type: it was good, and has been changed"
	for seed in 1 2; do
		cp --sparse=always before img
		damage img $seed
		cp img damaged
		dry=$(status lkl fsck -n img)
		cmp img damaged || fail "$type $seed: -n has changed it"
		[ "$dry" = 0 ] || [ "$dry" = 4 ] || [ "$dry" = 8 ] || fail "$type $seed: -n: $dry"
		got=$(status lkl fsck img)
		case $got in
		0) [ "$dry" = 0 ] && cmp img damaged || fail "$type $seed: 0" ;;
		1)
			[ "$dry" != 0 ] || fail "$type $seed: there were no errors"
			check $type img
			repaired=$((repaired + 1))
			;;
		4 | 8) cmp img damaged || fail "$type $seed: half done" ;;
		*) cat out.log; fail "$type $seed: $got" ;;
		esac
	done
done
[ $repaired -ge 3 ] || fail "only $repaired have been repaired"

# a journal that is to be replayed: of a mounted file system, when all was written
for type in ext4 xfs; do
	lkl mkfs -t $type tree img
	printf 'mkdir /new\ncp tree/docs/name1 :/new\n! cp img dirty\n' >script
	lkl sh img script
	cp dirty before
	lkl log dirty | grep -Eq 'recovery complete|Starting recovery' || { echo "$type: no journal"; continue; }
	[ "$(status lkl fsck -n dirty)" = 0 ] || { cat out.log; fail "$type: -n of a journal"; }
	cmp dirty before || fail "$type: -n has replayed it"
	[ "$(status lkl fsck dirty)" = 1 ] || { cat out.log; fail "$type: a journal"; }
	check $type dirty
	[ "$(status lkl fsck dirty)" = 0 ] || { cat out.log; fail "$type: a journal, again"; }
done

# in a partition, and encrypted
lkl mkfs --gpt tree img
dd if=img of=part bs=1M skip=1 status=none
cp --sparse=always img before
printf '\377\377\377\377' | dd of=img bs=1 seek=$(((1 << 20) + 4096 + 12)) conv=notrunc status=none
[ "$(status lkl fsck img)" = 1 ] || { cat out.log; fail "in a partition"; }
dd if=img of=part bs=1M skip=1 status=none
truncate -s -1M part
check ext4 part
cmp -n $((1 << 20)) img before || fail "what is before the partition has changed"
lkl diff img tree -x lost+found >out.log || { cat out.log; fail "files"; }
if command -v qemu-img >/dev/null; then
	printf secret >key
	printf '\377\377\377\377' | dd of=part bs=1 seek=$((4096 + 12)) conv=notrunc status=none
	encrypt part luks
	[ "$(status lkl fsck -n -K key luks)" = 4 ] || { cat out.log; fail "encrypted: -n"; }
	[ "$(status lkl fsck -K key luks)" = 1 ] || { cat out.log; fail "encrypted"; }
	[ "$(status lkl fsck -K key luks)" = 0 ] || { cat out.log; fail "encrypted, again"; }
fi

# several images, and all that is in one
lkl mkfs tree good
cp good bad
printf '\377\377\377\377' | dd of=bad bs=1 seek=$((4096 + 12)) conv=notrunc status=none
[ "$(status lkl fsck -n good bad)" = 4 ] || { cat out.log; fail "several: -n"; }
grep -q '^good: ' out.log && grep -q '^bad: ' out.log || { cat out.log; fail "several: -n"; }
[ "$(status lkl fsck -n good none bad)" = 12 ] || { cat out.log; fail "several, one is not there"; }
[ "$(status lkl fsck good bad)" = 1 ] || { cat out.log; fail "several"; }
[ "$(status lkl fsck good bad)" = 0 ] || { cat out.log; fail "several, again"; }
printf '\377\377\377\377' | dd of=bad bs=1 seek=$((4096 + 12)) conv=notrunc status=none
kib=$((($(stat -c %s bad) + 1023) / 1024))
truncate -s $((kib + 30 * 1024))K disk
printf 'label: gpt\nsize=1M\nsize=%dK\nsize=20M\n' $kib | sfdisk -q disk
dd if=bad of=disk bs=1M seek=2 conv=notrunc status=none
start=$(($(sfdisk -d disk | sed -n 's/^disk3 .*start= *\([0-9]*\).*/\1/p') / 2048))
mkfs.vfat -C fat 20480 >/dev/null && dd if=fat of=disk bs=1M seek=$start conv=notrunc status=none
[ "$(status lkl fsck -An disk)" = 4 ] || { cat out.log; fail "all: -n"; }
grep -q '^disk2: ' out.log && grep -q 'disk3: ' out.log || { cat out.log; fail "all: names"; }
[ "$(status lkl fsck -A disk)" = 1 ] || { cat out.log; fail "all"; }
[ "$(status lkl fsck -A disk good)" = 0 ] || { cat out.log; fail "all, again"; }
head -c 1000000 /dev/zero >zeros
refuses 8 "nothing in 'zeros' can be checked" lkl fsck -A zeros

# an interrupted repair
cp --sparse=always before img
damage img 1
cp img damaged
lkl fsck img >/dev/null 2>&1 &
sleep 0.05
kill -TERM $! 2>/dev/null || true
wait $! || true
cmp -s img damaged || [ "$(status lkl fsck -n img)" = 0 ] || fail "interrupted: half done"

# what has the device dies, or does not answer any more: the program that reads all
# the time ends, too
mkdir fake
cat >fake/e2fsck <<'END'
#!/usr/bin/python3 -S
import os, sys
fd = os.open(sys.argv[-1], os.O_RDONLY)
while True:
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    for off in range(0, os.fstat(fd).st_size, 1 << 18):
        os.pread(fd, 1, off)
END
chmod +x fake/e2fsck
image part 32M mkfs.ext4 -q
for how in SEGV STOP; do
	PATH=$PWD/fake:$PATH lkl fsck part >out.log 2>&1 &
	pid=$!
	until program=$(pgrep -P $pid -f fake/e2fsck); do sleep 0.01; done
	worker=$(pgrep -P $pid | grep -vx "$program")
	kill -$how "$worker"
	[ $how = SEGV ] || kill $pid
	for ((i = 0; i < 300; i++)); do
		kill -0 $pid 2>/dev/null || break
		sleep 0.1
	done
	# with it the program goes on
	! kill -0 $pid 2>/dev/null || { kill -KILL "$worker" $pid; fail "$how: it waits for ever"; }
	got=0
	wait $pid || got=$?
	[ $got = $([ $how = SEGV ] && echo 8 || echo 143) ] || { cat out.log; fail "$how: status $got"; }
	[ "$(grep -c . out.log)" = $([ $how = SEGV ] && echo 1 || echo 0) ] || { cat out.log; fail "$how: it says"; }
	[ ! -e /proc/"$program" ] && [ ! -e /proc/"$worker" ] || fail "$how: a process is left"
	! grep -q "$PWD/lkl-fsck" /proc/mounts || fail "$how: a mount is left"
done

# a name that the program could take for an option
cp damaged ./-V
[ "$(status lkl fsck -n ./-V)" != 0 ] || { cat out.log; fail "-V"; }
rm ./-V

# a host that becomes full while the repaired parts are written
if is_root; then
	mkdir full
	mount -t tmpfs -o size=40M none full
	trap 'umount -l "$TMP/full"; cleanup' EXIT
	lkl mkfs -s 30M --mkfs-option=-O --mkfs-option=^has_journal tree full/img
	# what was unlinked goes to a new lost+found, in blocks that are holes
	for block in $(debugfs -R "blocks /lost+found" full/img 2>/dev/null); do
		fallocate -p -o $((block * 4096)) -l 4096 full/img
	done
	debugfs -w -R "rmdir /lost+found" full/img >/dev/null 2>&1
	debugfs -w -R "unlink /docs" full/img >/dev/null 2>&1
	cp --sparse=always full/img damaged
	! dd if=/dev/zero of=full/more bs=4k status=none 2>/dev/null || fail "not full"
	[ "$(status lkl fsck full/img)" = 8 ] || { cat out.log; fail "on a full host"; }
	cmp full/img damaged || fail "on a full host: half done"
	rm full/more
	[ "$(status lkl fsck full/img)" = 1 ] || { cat out.log; fail "there is room again"; }
fi

# a label that a terminal would obey
cp before img
dd if=img of=part bs=1M skip=1 status=none
truncate -s -1M part
tune2fs -L $'\033[31mred' part >/dev/null 2>&1
printf '\377\377\377\377' | dd of=part bs=1 seek=$((4096 + 12)) conv=notrunc status=none
[ "$(status lkl fsck -n part)" = 4 ] && grep -q '?\[31mred' out.log || { cat -v out.log; fail "a label"; }
! grep -q $'\033' out.log || fail "a label: as it is"

cp before img
refuses 8 "cannot open 'none': No such .*" lkl fsck none
mksquashfs tree squash -quiet -no-progress >/dev/null 2>&1 &&
	refuses 8 "'squash' contains squashfs, for which there is no check" lkl fsck squash
head -c 1000000 /dev/zero >zeros
refuses 8 "no file system found in 'zeros'" lkl fsck zeros
for args in "" "-A -P 1 img" "-AL a img" "--inspect img" "-O ro img" "-x img" "-m x img"; do
	# shellcheck disable=SC2086
	[ "$(status lkl fsck $args)" = 8 ] || fail "lkl fsck $args: $(cat out.log)"
done
[ "$(echo lkl-fsck.*)" = "lkl-fsck.*" ] || fail "something is left"
