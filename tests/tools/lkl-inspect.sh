#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# With --inspect, verbs see a system as it mounts itself: partitions by UUID, LABEL,
# PARTUUID and device, encrypted ones, logical volumes and subvolumes where the host
# can make them; lkl inspect says what it is.  A hostile fstab leads nowhere.

. "$(dirname "$0")/../common/tools.sh"
need python3 mkfs.ext4 mkfs.xfs mkfs.vfat sfdisk

root=aaaaaaaa-0000-4000-8000-000000000001
mkdir -p sys/{etc,home,boot/efi,bin,srv,var/log,opt,usr/lib,data} home/joe efi log srv
cat >sys/usr/lib/os-release <<'END'
PRETTY_NAME="Some \"System\" 12"
ID=some
VERSION_ID='12.1'
END
ln -s ../usr/lib/os-release sys/etc/os-release
echo box >sys/etc/hostname
cp /bin/true sys/bin/sh
echo home >home/joe/file
echo efi >efi/file
echo log >log/file
echo srv >srv/file
ln -s ../data sys/opt/link
cat >sys/etc/fstab <<END
# a comment
LABEL=home\\040dir /home xfs defaults 0 2
UUID="$root" / ext4 errors=remount-ro 0 1
/dev/sda1 /boot/efi vfat umask=0077 0 1
PARTUUID=11111111-0000-4000-8000-000000000004 /var/log ext4 defaults 0 2
PARTLABEL=services /opt/link ext4 defaults 0 2
UUID=bbbb /mnt/none ext4 noauto 0 0
UUID=cccc /data/x ext4 nofail 0 0
/dev/sda9 none swap sw 0 0
proc /proc proc defaults 0 0
server:/x /net nfs defaults 0 0
END
lkl mkfs -U $root sys root.img
lkl mkfs -t xfs -L "home dir" home home.img
lkl mkfs -t vfat efi efi.img
lkl mkfs log log.img
lkl mkfs srv srv.img

# disk FILE IMAGE...: a disk with these in partitions of 310 MiB
disk() {
	local file=$1 n=1 image
	shift
	truncate -s $(((310 * $# + 2) << 20)) "$file"
	{
		echo 'label: gpt'
		for image; do
			echo "size=310MiB, uuid=11111111-0000-4000-8000-00000000000$n$([ $n != 5 ] || echo ', name=services')"
			n=$((n + 1))
		done
	} | sfdisk -q "$file"
	n=0
	for image; do
		dd if="$image" of="$file" bs=1M seek=$((1 + 310 * n)) conv=notrunc,sparse status=none
		n=$((n + 1))
	done
}
disk disk efi.img root.img home.img log.img srv.img

lkl inspect --json disk >json 2>err
[ ! -s err ] || { cat err; fail "a warning"; }
python3 - $root <<'END'
import json, sys
[s] = json.load(open("json", encoding="utf-8"))
assert s["image"] == "disk" and s["os"] == "some" and s["version"] == "12.1", s
assert s["name"] == 'Some "System" 12' and s["hostname"] == "box", s
assert s["architecture"], s
mounts = {m["path"]: m for m in s["mounts"]}
assert {p: m["partition"] for p, m in mounts.items()} == {
    "/": 2, "/home": 3, "/boot/efi": 1, "/var/log": 4, "/opt/link": 5}, mounts
assert mounts["/"]["uuid"] == sys.argv[1] and mounts["/home"]["label"] == "home dir", mounts
assert mounts["/boot/efi"]["options"] == "umask=0077", mounts
assert s["mounts"][0]["path"] == "/", s
assert s["missing"] == [{"path": "/data/x", "spec": "UUID=cccc",
                         "reason": "it is not in the image"}], s
END
lkl inspect disk >text
for want in '^disk: Some "System" 12$' '^  distribution  some$' '^  host name     box$' \
	'^/ +partition 2 +ext4 +- +'$root'$' '^/home +partition 3 +xfs '; do
	grep -Eq "$want" text || { cat text; fail "no '$want'"; }
done
for place in home/joe:home boot/efi:efi var/log:log data:srv; do
	[ "$(lkl cat -i disk "/${place%:*}/file")" = "${place#*:}" ] || fail "$place"
done
[ "$(lkl find -i disk / -name file | sort | xargs)" = \
	"/boot/efi/file /data/file /home/joe/file /var/log/file" ] || fail "find"
[ "$(lkl stat -c %a --inspect disk /boot/efi/file)" = 700 ] || fail "umask"

# what is written goes where it belongs, and all of them are clean
echo new | lkl write -i disk /home/joe/new
lkl sh -i disk -c 'mkdir /var/log/dir; cp text :/srv; ls -i /home/joe/new' >/dev/null
[ "$(lkl cat -P 3 disk /joe/new)" = new ] || fail "write"
lkl stat -P 4 disk /dir >/dev/null
lkl cat -P 2 disk /srv/text | cmp - text
cpfromfs -i disk --inspect /home out
[ -e out/home/joe/new ] || [ -e out/joe/new ] || fail "cpfromfs"
cptofs -i disk --inspect home/joe/file /boot/efi/copied
[ "$(lkl cat -P 1 disk /copied)" = home ] || fail "cptofs"
fs2tar --inspect disk - /home | tar -tf - | grep -qx home/joe/new || fail "fs2tar"
status=0
lkl diff -i disk out/joe >diff.out || status=$?
[ $status = 1 ] || fail "diff"
for n in 2 4 5; do
	dd if=disk of=part bs=1M skip=$((1 + 310 * (n - 1))) count=310 conv=sparse status=none
	check ext4 part
done

# mounted, with all that belongs to it
if [ -w /dev/fuse ] && command -v fusermount3 >/dev/null; then
	mkdir -p mnt
	trap 'fusermount3 -uqz "$TMP/mnt" || true; cleanup' EXIT
	for how in "-o inspect" -i --inspect; do
		# shellcheck disable=SC2086
		lklfuse $how disk mnt || fail "lklfuse $how"
		[ "$(cat mnt/home/joe/file mnt/boot/efi/file mnt/var/log/file | xargs)" = "home efi log" ] ||
			fail "lklfuse $how: files"
		mv mnt/home/joe mnt/home/moved && mkdir mnt/home/joe && mv mnt/home/moved/* mnt/home/joe/ ||
			fail "lklfuse $how: mv"
		! ln mnt/home/joe/file mnt/var/log/link 2>/dev/null || fail "a link between file systems"
		rmdir mnt/home/moved
		echo "$how" >mnt/var/log/how
		# the inode numbers of two file systems are told apart
		[ "$(find mnt -type f -printf '%i\n' | sort | uniq -d)" = "" ] || fail "numbers"
		[ "$(stat -f -c %S%b mnt/home)" != "$(stat -f -c %S%b mnt/boot/efi)" ] || fail "statfs"
		fusermount3 -u mnt
		flock disk true
		[ "$(lkl cat -P 4 disk /how)" = "$how" ] || fail "lklfuse $how: nothing written"
	done
	lkl rm -P 4 disk /how
	lklfuse -i -o ro disk mnt
	! touch mnt/home/x 2>/dev/null && [ -e mnt/home/joe/file ] || fail "lklfuse -i -o ro"
	fusermount3 -u mnt
	flock disk true
	refuses 2 "no system found in 'log.img'" lklfuse -i log.img mnt
fi

# none, several, and a choice
disk two root.img root.img
refuses 2 "'two' has several systems, choose one with -P or -L: partition 1, partition 2" \
	lkl cat -i two /etc/hostname
[ "$(lkl cat -i -P 2 two /etc/hostname 2>/dev/null)" = box ] || fail "-P"
refuses 2 "no system found in 'two'" lkl ls -L vg/x --inspect two
refuses 2 "no system found in 'log.img'" lkl inspect log.img
refuses 2 "the whole disk cannot be chosen with --inspect" lkl cat -i -P none disk /x
lkl sh log.img -c inspect >out.log 2>&1 && fail "inspect in sh"
grep -q 'the image was not opened with --inspect$' out.log || { cat out.log; fail "sh"; }

# encrypted
if command -v qemu-img >/dev/null; then
	printf secret >key
	encrypt root.img root.luks
	disk locked efi.img root.luks home.img
	sed 's/^\(PART.*\|UUID=.*bb.*\)//' sys/etc/fstab >fstab
	[ "$(lkl cat -i -K key locked /home/joe/file 2>/dev/null)" = home ] || fail "encrypted"
	lkl inspect -K key locked 2>/dev/null | grep -q '^/ .* encrypted partition 2 ' ||
		fail "not called encrypted"
	lkl inspect locked </dev/null >out.log 2>&1 && fail "no passphrase"
	grep -q 'is encrypted, and there is no terminal' out.log || { cat out.log; fail "no passphrase"; }
fi

# an image that wants to be elsewhere
hostile() {
	lkl mkfs -U $root sys bad.img
	disk bad efi.img bad.img home.img
	lkl inspect bad >/dev/null 2>out.log || true
	! LC_ALL=C grep -q '[[:cntrl:]]' <(grep -v "^$" out.log | tr -d '\n') || { cat -v out.log; fail "$1: control characters"; }
	[ "$(lkl ls --inspect bad / 2>/dev/null | head -n 1)" = bin ] || fail "$1"
}
cat >sys/etc/fstab <<END
LABEL=home\\040dir /../../../../proc/self xfs defaults 0 0
LABEL="home dir" / xfs defaults 0 0
/dev/sda1 /escape vfat defaults 0 0
/dev/sda1 /usr/../../../disk0 vfat defaults,subvol=../.. 0 0
/dev/sda1 /etc/hostname vfat defaults 0 0
/dev/ /srv ext4 defaults 0 0
/dev/sd /srv ext4 defaults 0 0
UUID= /srv ext4 defaults 0 0
= /srv ext4 defaults 0 0
$(printf 'UUID=\033[2J /srv ext4 defaults 0 0')
END
ln -s /../../../../disk0 sys/escape
printf 'PRETTY_NAME="\033[2Jevil\r"\nID=\n=\nVERSION_ID' >sys/usr/lib/os-release
hostile "paths"
rm sys/etc/fstab
ln -s /proc/self/mem sys/etc/fstab
hostile "a link"
rm sys/etc/fstab
mkfifo sys/etc/fstab
hostile "a fifo"
rm sys/etc/fstab
for seed in 1 2; do
	python3 -c "
import random
r = random.Random($seed)
words = ['UUID=', '/dev/', 'LABEL=', '/', 'sda1', 'mapper/', ',', '=', ' ', '\t', '\n', '\\\\040', 'subvol=', '\"', 'x' * 5000]
open('sys/etc/fstab', 'w').write(''.join(r.choice(words) for _ in range(3000)))"
	hostile "random words $seed"
done

is_root || exit 0
# subvolumes of btrfs, by the names of distributions and by the default one
mkdir -p mnt
image img 200M mkfs.btrfs -q
if command -v btrfs >/dev/null && mount -o loop img mnt 2>/dev/null; then
	btrfs -q subvolume create mnt/@
	btrfs -q subvolume create mnt/@home
	mkdir -p mnt/@/{etc,home,usr/lib} mnt/@home/joe
	echo ID=sub >mnt/@/etc/os-release
	uuid=$(blkid -p -s UUID -o value img)
	printf 'UUID=%s / btrfs subvol=@ 0 0\nUUID=%s /home btrfs noatime,subvol=@home 0 0\n' \
		"$uuid" "$uuid" >mnt/@/etc/fstab
	echo sub >mnt/@home/joe/file
	umount mnt
	[ "$(lkl cat -i img /home/joe/file)" = sub ] || fail "subvolumes"
	echo x | lkl write -i img /home/joe/new
	[ "$(lkl cat -O subvol=@home img /joe/new)" = x ] || fail "subvolumes, written"
	check btrfs img
fi

# logical volumes
command -v lvm >/dev/null || exit 0
truncate -s 800M pv
loop=$(losetup -f --show pv) || exit 0
trap 'losetup -d $loop 2>/dev/null; cleanup' EXIT
lvm() {
	local command=$1
	shift
	LVM_SUPPRESS_FD_WARNINGS=1 DM_DISABLE_UDEV=1 command lvm "$command" --devices "$loop" \
		--config 'backup{backup=0 archive=0}' --driverloaded n "$@" >lvm.log 2>&1 ||
		{ cat lvm.log; fail "lvm $command"; }
}
lvm pvcreate -y "$loop"
lvm vgcreate -y my-vg "$loop"
lvm lvcreate -y -an -Zn -Wn -l 20 -n root my-vg
lvm lvcreate -y -an -Zn -Wn -l 80 -n the-home my-vg
sync -f pv
losetup -d "$loop"
trap cleanup EXIT
echo ID=lvm >sys/usr/lib/os-release
printf '/dev/mapper/my--vg-root / ext4 defaults 0 0\n/dev/my-vg/the-home /home xfs defaults 0 0\n' >sys/etc/fstab
lkl mkfs sys root.img
# extents of 4 MiB begin behind the first MiB
dd if=root.img of=pv bs=1M seek=1 conv=notrunc,sparse status=none
dd if=home.img of=pv bs=1M seek=81 conv=notrunc,sparse status=none
[ "$(lkl cat -i pv /home/joe/file)" = home ] || fail "logical volumes"
lkl inspect pv | grep -Eq '^/home +my-vg/the-home ' || fail "the name of a volume"
sed -i 's,/dev/my-vg/the-home,/dev/mapper/my--vg-the--home,' sys/etc/fstab
lkl mkfs sys root.img
dd if=root.img of=pv bs=1M seek=1 conv=notrunc,sparse status=none
echo x | lkl write -i pv /home/joe/new
[ "$(lkl cat -L the-home pv /joe/new)" = x ] || fail "a mapped name"
