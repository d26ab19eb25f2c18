#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Make an empty HFS+ file system, for which Debian has no program.

usage: mkhfsplus.py FILE

The file's size counts.  As Apple's technical note 1150 describes it: blocks of
4 KiB, of which the first has the volume header; then the allocation bitmap and
the trees of extents and of the catalog, in which only the root directory is.
"""
import os
import struct
import sys

BLOCK = 4096
NODE = 4096
EXTENTS, CATALOG = 16, 256
DATE = 3600000000
NAME = "hfsplus".encode("utf-16-be")
COUNT = len(NAME) // 2


def fork(start, blocks):
    return struct.pack(">QII", blocks * BLOCK, blocks * BLOCK, blocks) + struct.pack(
        ">16I", start, blocks, *[0] * 14)


def node(kind, height, records):
    data = struct.pack(">IIbBHH", 0, 0, kind, height, len(records), 0)
    offsets = []
    for record in records:
        offsets.append(len(data))
        data += record
    offsets.append(len(data))
    tail = struct.pack(f">{len(offsets)}H", *reversed(offsets))
    return data.ljust(NODE - len(tail), b"\0") + tail


def tree(nodes, leaf, max_key, compare, attributes):
    """A tree whose only leaf has the given records."""
    used = 2 if leaf else 1
    header = struct.pack(
        ">HIIIIHHIIHIBBI", bool(leaf), used - 1, len(leaf), used - 1, used - 1, NODE,
        max_key, nodes, nodes - used, 0, nodes * NODE, 0, compare, attributes)
    bitmap = bytes([0xC0 if leaf else 0x80]).ljust(NODE - 256, b"\0")
    data = node(1, 0, [header.ljust(106, b"\0"), bytes(128), bitmap])
    if leaf:
        data += node(-1, 1, leaf)
    return data.ljust(nodes * NODE, b"\0")


def main():
    with open(sys.argv[1], "r+b") as f:
        size = os.fstat(f.fileno()).st_size
        total = size // BLOCK
        bits = -(-total // (BLOCK * 8))
        extents = 1 + bits
        catalog = extents + EXTENTS
        used = catalog + CATALOG
        name = struct.pack(">H", COUNT) + NAME
        folder = struct.pack(">HHII5I", 1, 0, 0, 2, DATE, DATE, DATE, DATE, 0) + struct.pack(
            ">IIBBHI", 0, 0, 0, 0, 0o40755, 1) + bytes(40)
        leaf = [struct.pack(">HI", 6 + len(NAME), 1) + name + folder,
                struct.pack(">HIH", 6, 2, 0) + struct.pack(">HHI", 3, 0, 1) + name]
        header = struct.pack(
            ">2sHI4sIIIIIIIIIIIIIIIQ32x", b"H+", 4, 0x100, b"10.0", 0, DATE, DATE, 0, DATE,
            0, 0, BLOCK, total, total - used - 1, used, BLOCK, BLOCK, 16, 0, 1)
        header += fork(1, bits) + fork(extents, EXTENTS) + fork(catalog, CATALOG) + bytes(160)
        bitmap = bytearray(bits * BLOCK)
        for block in [*range(used), total - 1]:
            bitmap[block // 8] |= 0x80 >> block % 8
        f.seek(1024)
        f.write(header)
        f.seek(BLOCK)
        f.write(bitmap)
        f.write(tree(EXTENTS, [], 10, 0, 2))
        f.write(tree(CATALOG, leaf, 516, 0xCF, 6))
        f.seek(size - 1024)
        f.write(header)


main()
