#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Read an image that is no file, here one behind zlib: python3 memory.py disk.img

An object in a store behind HTTP is read the same way: seek() and readinto() suffice.
"""

import sys
import zlib

import lkl


class Compressed:
    """Blocks of a mebibyte, each compressed."""

    def __init__(self, path: str):
        self.blocks = []
        self.size = self.position = 0
        with open(path, "rb") as image:
            while data := image.read(1 << 20):
                self.blocks.append(zlib.compress(data, 1))
                self.size += len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        self.position = offset + (self.size if whence == 2 else 0)
        return self.position

    def readinto(self, buffer) -> int:
        block, start = divmod(self.position, 1 << 20)
        data = zlib.decompress(self.blocks[block])[start : start + len(buffer)]
        buffer[: len(data)] = data
        self.position += len(data)
        return len(data)


disk = Compressed(sys.argv[1])
with lkl.image(disk) as fs:
    print("%d bytes of %d in memory:" % (sum(map(len, disk.blocks)), disk.size))
    print(sorted(fs.listdir("/")))
