#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Describe a tree of files, one line each, so that two trees can be diffed.

usage: manifest.py [-s KINDS] DIR

KINDS, separated by commas, are left out: owner, mode, time, xattr, holes,
links, data.
"""
import hashlib
import os
import stat
import sys


def data_map(path, size):
    """The stretches of a file that are not holes."""
    fd = os.open(path, os.O_RDONLY)
    pos, parts = 0, []
    try:
        while pos < size:
            data = os.lseek(fd, pos, os.SEEK_DATA)
            pos = os.lseek(fd, data, os.SEEK_HOLE)
            parts.append(f"{data}-{pos}")
    except OSError:
        pass
    os.close(fd)
    return "+".join(parts)


def digest(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest() if hasattr(
            hashlib, "file_digest") else hashlib.sha256(f.read()).hexdigest()


def describe(path, name, skip, seen):
    st = os.lstat(path)
    fields = [name, stat.filemode(st.st_mode)[0]]
    link = stat.S_ISLNK(st.st_mode)
    if "mode" not in skip and not link:
        fields.append(f"{stat.S_IMODE(st.st_mode):o}")
    if "owner" not in skip:
        fields.append(f"{st.st_uid}:{st.st_gid}")
    if "time" not in skip:
        fields.append(f"mtime={st.st_mtime_ns}")
    if "xattr" not in skip:
        for attr in sorted(os.listxattr(path, follow_symlinks=False)):
            value = os.getxattr(path, attr, follow_symlinks=False)
            fields.append(f"{attr}={value.hex()}")
    if stat.S_ISCHR(st.st_mode) or stat.S_ISBLK(st.st_mode):
        fields.append(f"dev={os.major(st.st_rdev)}:{os.minor(st.st_rdev)}")
    if link:
        fields.append(f"-> {os.readlink(path)}")
    if not stat.S_ISDIR(st.st_mode) and st.st_nlink > 1 and "links" not in skip:
        fields.append("= " + seen.setdefault((st.st_dev, st.st_ino), name))
    if stat.S_ISREG(st.st_mode):
        fields.append(f"size={st.st_size}")
        if "holes" not in skip:
            fields.append(f"data={data_map(path, st.st_size)}")
        if "data" not in skip:
            fields.append(digest(path))
    print(ascii(" ".join(fields))[1:-1])


def main():
    args = sys.argv[1:]
    skip = set()
    if args and args[0] == "-s":
        skip = set(args[1].split(","))
        args = args[2:]
    if len(args) != 1:
        sys.exit(__doc__)
    seen = {}
    describe(args[0], ".", skip, seen)
    for top, dirs, files in os.walk(args[0]):
        dirs.sort()
        for name in sorted(dirs + files):
            path = os.path.join(top, name)
            describe(path, os.path.relpath(path, args[0]), skip, seen)


main()
