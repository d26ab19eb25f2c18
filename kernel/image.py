#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Lay a program out as it is in memory: image.py ELF OUT

Byte N of OUT is what is at address N, from the ELF header, with which the
first segment begins, to the zeroes at the end of the last one.
"""

import struct
import sys

PT_LOAD = 1


def layout(elf):
    offset, = struct.unpack_from('<Q', elf, 32)
    size, count = struct.unpack_from('<HH', elf, 54)
    image = bytearray()
    for i in range(count):
        kind, _, start, address, _, filled, room, _ = \
            struct.unpack_from('<IIQQQQQQ', elf, offset + i * size)
        if kind != PT_LOAD:
            continue
        if not image and (start or address):
            sys.exit('image.py: the first segment does not begin with the header')
        image.extend(bytes(address - len(image)))
        image += elf[start:start + filled]
        image.extend(bytes(room - filled))
    return image


def main(elf, out):
    with open(elf, 'rb') as f:
        image = layout(f.read())
    with open(out, 'wb') as f:
        f.write(image)


if __name__ == '__main__':
    main(*sys.argv[1:])
