#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Names that Windows cannot hold.

make DIR: files with such names, and some that look as if they had been escaped; what
is in a file is its path.  check DIR: names there are some of Windows, and stand for
what the files say.
"""
import os
import random
import re
import sys

NAMES = [
    b"a:b", b"a%3Ab", b"a%3ab", b"a%253Ab", b"%", b"%%41", b"100%", b"5%41", b"%2E",
    b"con", b"Con.txt", b"nul .x", b"com1", b"com10", b"LPT9.a.b", b"CONIN$", b"console",
    b"com\xc2\xb2", b"aux:", b"end.", b"end..", b"end ", b". .", b" ", b"...", b"..a",
    b"\\", b"a\\b", b"<>\"|?*", b"\x01\x1f\x7f", b"line\nbreak", b"\xff", b"\xc3\x28",
    b"\xe2\x82", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf", "ä\u20ac\U0001f427".encode(),
    b"dir:" + b"/" + b"in?ner" + b"/" + b"x%3F", b"plain",
]
DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[1-9\xb9\xb2\xb3]) *(\.|$)", re.I)


def random_names(count):
    pick = random.Random(42)
    bits = [b"%", b"3", b"A", b"a", b".", b" ", b":", b"\\", b"\xc3", b"\xa4", b"con", b"z"]
    return {b"".join(pick.choices(bits, k=pick.randint(1, 7))) for _ in range(count)}


def make(top):
    for name in sorted(set(NAMES) | random_names(2000)):
        if name in (b".", b".."):
            continue
        path = os.path.join(top, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(name)


def fits(name):
    try:
        text = name.decode()
    except UnicodeDecodeError:
        return False
    return not (re.search(r'[\x00-\x1f<>:"/\\|?*]', text) or text[-1] in ". " or
                DEVICE.match(text))


def plain(path):
    return re.sub(rb"%([0-9A-F]{2})", lambda m: bytes.fromhex(m[1].decode()), path)


def check(top):
    count = 0
    for here, dirs, files in os.walk(top):
        for name in dirs + files:
            if not fits(name):
                sys.exit(f"Windows cannot hold {name}")
        for name in files:
            path = os.path.join(here, name)
            if os.path.islink(path):
                continue
            with open(path, "rb") as f:
                was = f.read()
            now = os.path.relpath(path, top)
            if plain(now) != was:
                sys.exit(f"{path} was {was}")
            if all(map(fits, was.split(b"/"))) and now != was and \
               not re.search(rb"%[0-9A-Fa-f]{2}", was):
                sys.exit(f"{path} had no need for that")
            count += 1
    print(count)


if __name__ == "__main__":
    {"make": make, "check": check}[sys.argv[1]](os.fsencode(sys.argv[2]))
