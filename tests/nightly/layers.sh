#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Damaged headers of encrypted disks, arrays and volume groups neither hang nor
# kill the tools, which say what they cannot do.
#
# usage: layers.sh [COUNT [SEED]]

. "$(dirname "$0")/../common/tools.sh"
need qemu-img cryptsetup mkfs.ext4

count=${1:-600} seed=${2:-20261121}
printf 'correct horse' >key
mkdir tree
seq 2000 >tree/numbers
image raw 8M mkfs.ext4 -q -d tree
encrypt raw luks1
cryptsetup luksDump -q --dump-volume-key --volume-key-file mk -d key luks1 >/dev/null
truncate -s 24M luks2
cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --sector-size 512 \
	--volume-key-file mk luks2 key
dd if=luks1 of=luks2 bs=1M iflag=skip_bytes oflag=seek_bytes skip=$((4040 * 512)) \
	seek=$((32768 * 512)) conv=notrunc status=none
"$COMMON/mkmd.py" 1.2 1 raw md
"$COMMON/mkmd.py" 0.90 1 raw md0

cat >campaign.py <<'END'
import random, struct, subprocess, sys

def crc(data):
    crc = 0xf597a6cf
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xedb88320 if crc & 1 else 0)
    return crc

def group(fs):
    """A physical volume whose text can be changed; fs is its only volume."""
    text = """vg {
id = "x"
seqno = 1
extent_size = 2048
physical_volumes {
pv0 {
id = "aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa"
pe_start = 2048
pe_count = %d
}
}
logical_volumes {
lv {
status = ["READ", "WRITE", "VISIBLE"]
segment_count = 1
segment1 {
start_extent = 0
extent_count = %d
type = "striped"
stripe_count = 1
stripes = [
"pv0", 0
]
}
}
}
}
""" % (len(fs) >> 20, len(fs) >> 20)
    return text.encode()

def volume(fs, text):
    label = b"LABELONE" + struct.pack("<QII", 1, 0, 32) + b"LVM2 001"
    label += b"a" * 32 + struct.pack("<Q8Q", len(fs) + (1 << 20), 1 << 20, 0, 0, 0,
                                     4096, (1 << 20) - 4096, 0, 0)
    label = label[:16] + struct.pack("<I", crc((label + bytes(512))[20:512])) + label[20:]
    area = b" LVM2 x[5A%r0N*>" + struct.pack("<IQQQQII", 1, 4096, (1 << 20) - 4096, 512,
                                             len(text), crc(text), 0)
    area = struct.pack("<I", crc((area + bytes(512))[:508])) + area
    return (bytes(512) + label).ljust(4096, b"\0") + area.ljust(512, b"\0") + \
        text.ljust((1 << 20) - 4608, b"\0") + fs

def damage(data, places):
    for _ in range(rng.randint(1, 12)):
        start, end = rng.choice(places)
        at = rng.randrange(start, min(end, len(data) - 8))
        how = rng.randrange(4)
        if how == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif how == 1:
            data[at] = rng.choice(b'{}[]"#=,\\09\n')
        elif how == 2:
            data[at:at + 8] = struct.pack("<q", rng.choice([0, -1, 1 << 31, 1 << 62]))
        else:
            data[at] = rng.randrange(256)
    if not rng.randrange(8):
        del data[rng.randrange(len(data)):]

seed, count = int(sys.argv[1]), int(sys.argv[2])
fs = open("raw", "rb").read()
# where there is something to damage
bases = {
    "luks1": [(0, 592)],
    "luks2": [(0, 4096), (4096, 8192), (16384, 24576)],
    "md": [(4096, 4500)],
    "md0": [(len(fs), len(fs) + 4096)],
    "lvm": [(512, 1024), (4096, 4224)],
}
opened = failed = 0
open("lvm", "wb").write(volume(fs, group(fs)))
for name in bases:
    if subprocess.run(["lkl", "cat", "-K", "key", name, "/numbers"],
                      stdout=subprocess.DEVNULL).returncode:
        sys.exit(name + " cannot be opened as it is")
for case in range(count):
    rng = random.Random(seed * 1000003 + case)
    name = rng.choice(sorted(bases))
    if name == "lvm":
        text = bytearray(group(fs))
        if rng.randrange(4):
            damage(text, [(0, len(text))])
            data = bytearray(volume(fs, bytes(text)))
        else:
            data = bytearray(volume(fs, bytes(text)))
            damage(data, bases[name])
    else:
        data = bytearray(open(name, "rb").read())
        damage(data, bases[name])
    with open("img", "wb") as f:
        f.write(data)
    what = rng.choice([["lkl", "info", "-K", "key", "img"],
                       ["lkl", "ls", "-K", "key", "img"],
                       ["cptofs", "-K", "key", "-i", "img", "key", "/"]])
    try:
        run = subprocess.run(what, capture_output=True, timeout=30)
        opened += not run.returncode
        wrong = run.returncode not in (0, 1, 2) or (run.returncode and not run.stderr)
        end = "status %d: %s" % (run.returncode, run.stderr)
    except subprocess.TimeoutExpired:
        wrong, end = True, "hangs"
    if wrong:
        failed += 1
        print("case %d: %s, %s: %s" % (case, name, " ".join(what), end))
print("%d disks, %d of them opened: %d hung or died" % (count, opened, failed))
sys.exit(failed > 0 or not opened)
END
python3 campaign.py "$seed" "$count"
