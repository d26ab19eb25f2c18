#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""mkmd.py VERSION LEVEL IMAGE MEMBER...: put an image on members of an md array.
mkmd.py -d VERSION LEVEL SIZE IMAGE MEMBER...: get it back.

mdadm can only do this with root and a kernel that has md.  VERSION is 0.90, 1.0
or 1.2, LEVEL 0, 1 or 5; the image must be a multiple of the stripes.
"""

import struct
import sys
import time

CHUNK = 65536
OFFSET = {"0.90": 0, "1.0": 0, "1.2": 1 << 20}
MAGIC = 0xA92B4EFC
UUID = bytes(range(1, 17))
END = (1 << 64) - 1


def columns(data, level, count):
    """What each member holds."""
    if level == 1:
        return [data] * count
    chunks = [data[i : i + CHUNK] for i in range(0, len(data), CHUNK)]
    if level == 0:
        return [b"".join(chunks[i::count]) for i in range(count)]
    members = [[] for _ in range(count)]
    for row in range(len(chunks) // (count - 1)):
        stripe = chunks[row * (count - 1) :][: count - 1]
        parity = bytes(CHUNK)
        for chunk in stripe:
            parity = (
                int.from_bytes(parity, "big") ^ int.from_bytes(chunk, "big")
            ).to_bytes(CHUNK, "big")
        # left-symmetric: parity moves to the left, data begins behind it
        where = count - 1 - row % count
        members[where].append(parity)
        for i, chunk in enumerate(stripe):
            members[(where + 1 + i) % count].append(chunk)
    return [b"".join(m) for m in members]


def image(members, level):
    """The inverse."""
    count = len(members)
    if level == 1:
        return members[0]
    rows = [
        [m[i : i + CHUNK] for m in members] for i in range(0, len(members[0]), CHUNK)
    ]
    if level == 0:
        return b"".join(b"".join(row) for row in rows)
    data = []
    for n, row in enumerate(rows):
        where = count - 1 - n % count
        data += [row[(where + 1 + i) % count] for i in range(count - 1)]
    return b"".join(data)


def words(data):
    return sum(struct.unpack("<%dI" % (len(data) // 4), data))


def fold(total):
    return ((total & 0xFFFFFFFF) + (total >> 32)) & 0xFFFFFFFF


def superblock1(version, level, n, count, size):
    """Version 1: at the end of the device or 4 KiB behind its start."""
    data = OFFSET[version] // 512
    place = 8 if version == "1.2" else size // 512
    chunk = 0 if level == 1 else CHUNK // 512
    layout = 2 if level == 5 else 0
    now = int(time.time())
    sb = struct.pack("<4I16s32sQiIQII", MAGIC, 1, 0, 0, UUID, b"lkl:test", now,
                     level, layout, size // 512, chunk, count)
    sb += bytes(32)
    sb += struct.pack("<QQQQII16sB7xQQQII32x", data, size // 512, place, 0, n, 0,
                      bytes([n + 1]) * 16, 0, now, 1, END, 0, 384)
    sb += struct.pack("<%dH" % count, *range(count)).ljust(768, b"\xff")
    total = fold(words(sb))
    return place * 512, sb[:216] + struct.pack("<I", total) + sb[220:]


def superblock0(level, n, count, size):
    """Version 0.90: in the last 64 KiB of the device."""
    now = int(time.time())
    uuid = struct.unpack("<4I", UUID)
    # generic, state, personality
    sb = [MAGIC, 0, 90, 0, 0, uuid[0], now, level, size // 1024, count, count, 0, 0,
          *uuid[1:]]
    sb += [0] * (32 - len(sb)) + [now, 1, count, count, 0, 0, 0, 1, 0, 1, 0, 0xFFFFFFFF]
    sb += [0] * (64 - len(sb)) + [2 if level == 5 else 0, 0 if level == 1 else CHUNK]
    sb += [0] * (128 - len(sb))
    disks = [[i, 7, i, i, 6] + [0] * 27 for i in range(27)]
    for i in range(count, 27):
        disks[i] = [0] * 32
    for disk in disks + [disks[n]]:
        sb += disk
    total = fold(sum(sb))
    sb[38] = total
    return size, struct.pack("<1024I", *sb)


def main():
    args = sys.argv[1:]
    if args[0] == "-d":
        version, level, size, out, *names = args[1:]
        members = []
        per = int(size) // {"0": len(names), "1": 1, "5": len(names) - 1}[level]
        for name in names:
            with open(name, "rb") as f:
                f.seek(OFFSET[version])
                members.append(f.read(per))
        with open(out, "wb") as f:
            f.write(image(members, int(level)))
        return
    version, level, source, *names = args
    with open(source, "rb") as f:
        parts = columns(f.read(), int(level), len(names))
    for n, (name, data) in enumerate(zip(names, parts)):
        size = len(data)
        if version == "0.90":
            place, sb = superblock0(int(level), n, len(names), size)
        else:
            place, sb = superblock1(version, int(level), n, len(names), size)
        with open(name, "wb") as f:
            f.seek(OFFSET[version])
            f.write(data)
            f.seek(place)
            f.write(sb)
            # where it is searched: from the end, in units of 64 or 4 KiB
            f.truncate(OFFSET[version] + size + (65536 if version == "0.90" else 8192))


main()
