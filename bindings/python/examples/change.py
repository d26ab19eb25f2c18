#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Change an image: python3 change.py disk.img"""

import sys

import lkl

with lkl.image(sys.argv[1], readonly=False) as fs:
    fs.makedirs("/etc", exist_ok=True)
    with fs.open("/etc/hostname", "w") as name:
        name.write("box\n")
    fs.chmod("/etc/hostname", 0o644)
    for top, dirs, files in fs.walk("/"):
        for file in files:
            print(top.rstrip("/") + "/" + file, fs.stat(top + "/" + file).st_size)
