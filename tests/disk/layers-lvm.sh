#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Logical volumes made by lvm, over two disks: linear in two pieces, striped, in
# a partition, encrypted.

. "$(dirname "$0")/../common/tools.sh"
need lvm losetup mkfs.ext4 sfdisk qemu-img
is_root || skip "lvm works on block devices only, which takes root"

mkdir tree
seq 200000 >tree/big
ln tree/big tree/link
truncate -s 64M pv1 pv2
one=$(losetup -f --show pv1) || skip "no loop device here"
two=
trap 'losetup -d $one $two; cleanup' EXIT
two=$(losetup -f --show pv2)

lvm() {
	local command=$1
	shift
	LVM_SUPPRESS_FD_WARNINGS=1 DM_DISABLE_UDEV=1 command lvm "$command" --devices "$one,$two" \
		--config 'backup{backup=0 archive=0}' --driverloaded n "$@" >lvm.log 2>&1 ||
		{ cat lvm.log; fail "lvm $command"; }
}

lvm pvcreate -y "$one" "$two"
lvm vgcreate -y vg0 "$one" "$two"
new=(lvcreate -y -an -Zn -Wn)
lvm "${new[@]}" -l 4 -n root vg0
lvm "${new[@]}" -l 6 -i 2 -I 64 -n striped vg0
lvm lvextend -y -l +2 vg0/root
lvm "${new[@]}" -l 1 --type zero -n nothing vg0

# Where they are: root in extents 0..3 and 7..8 of the first disk, striped in
# 4..6 of the first and 0..2 of the second.
lvm lvs --noheadings -o lv_name,seg_pe_ranges vg0
grep -Eq "root +$one:0-3 *$" lvm.log && grep -Eq "root +$one:7-8 *$" lvm.log &&
	grep -Eq "striped +$one:4-6 $two:0-2 *$" lvm.log || { cat lvm.log; fail "elsewhere"; }
sync -f pv1
losetup -d "$one" "$two"
trap cleanup EXIT

# copy FROM SKIP TO SEEK COUNT, in MiB
copy() {
	dd if="$1" of="$3" bs=1M skip="$2" seek="$4" count="$5" conv=notrunc status=none
}
image raw 24M mkfs.ext4 -q -L vol
copy raw 0 pv1 1 16
copy raw 16 pv1 29 8
"$COMMON/mkmd.py" 1.0 0 raw s1 s2
copy s1 0 pv1 17 12
copy s2 0 pv2 1 12

lkl info pv1 -D pv2 >info 2>warning
grep -q "warning: cannot use vg0/nothing in 'pv1': it is of type zero;" warning || fail "no warning"
grep -Eq ' ext4 +vol .* vg0/root$' info && grep -Eq ' ext4 +vol .* vg0/striped$' info &&
	grep -Eq ' 4.2 MB +- +- .* vg0/nothing$' info || { cat info; fail "info"; }
lkl info --json pv1 -D pv2 2>/dev/null | python3 -c '
import json, sys
[disk] = json.load(sys.stdin)
[group] = disk["contents"]
assert group["type"] == "LVM2_member" and "used" not in group, group
volumes = {v["name"]: v for v in group["volumes"]}
assert set(volumes) == {"vg0/root", "vg0/striped", "vg0/nothing"}, volumes
for v in volumes.values():
    assert "partition" not in v and "start" not in v, v
    assert (v.get("type") == "ext4") == ("used" in v) == (v["name"] != "vg0/nothing"), v
assert volumes["vg0/root"]["size"] == 24 << 20, volumes
' || fail "info --json"
for lv in root vg0/striped; do
	cptofs -i pv1 -D pv2 -L $lv tree /
	cpfromfs -i pv2 -D pv1 --lv=$lv /tree out
	same tree out
	rm -rf out
done
copy pv1 1 back 0 16
copy pv1 29 back 16 8
check ext4 back
truncate -s 12M s1 s2
copy pv1 17 s1 0 12
copy pv2 1 s2 0 12
"$COMMON/mkmd.py" -d 1.0 0 25165824 back s1 s2
check ext4 back

# One that is whole without the other disk, in a partition, and encrypted
truncate -s 70M disk
sfdisk -q disk <<<'start=2048, size=64M'
copy pv1 0 disk 1 64
lkl cat disk -P 1 -L root /tree/big | cmp - tree/big
refuses 2 "cannot use vg0/striped in 'pv1': the disk of physical volume pv1 is missing" \
	lkl ls pv1 -L striped
printf 'correct horse' >key
encrypt pv1 luks
lkl cat luks -K key -L root /tree/big | cmp - tree/big
lkl info luks -K key 2>/dev/null | grep -q ' vg0/root$' || fail "info in LUKS"

refuses 2 "'pv1' has several logical volumes, choose one with -L: vg0/root, vg0/striped, vg0/nothing" \
	lkl ls pv1
refuses 2 "'pv1' has no logical volume 'vg1/root'; it has: vg0/root, vg0/striped, vg0/nothing" \
	lkl ls pv1 -L vg1/root
refuses 2 "cannot use vg0/nothing in 'pv1': it is of type zero; only linear and striped volumes can be used" \
	lkl ls pv1 -L nothing

# Damaged metadata is noticed.
cp pv1 bad
for at in $(grep -oba 'extent_size' bad | cut -d : -f 1); do
	printf X | dd of=bad bs=1 seek="$at" conv=notrunc status=none
done
refuses 2 "no disk of the volume group of 'bad' has its metadata" lkl ls bad -L root
