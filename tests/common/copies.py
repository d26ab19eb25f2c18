#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Compare the tools with others that do the same.

usage: copies.py ROUNDS SEED

Each round makes a random tree: names of all kinds, links of all kinds, modes,
owners, times, holes, attributes, special files.  It goes

	into an image by cptofs, and out of it by cpfromfs and by the host's own
	mount, beside what cp -a makes of it;

	into an archive by fs2tar, which GNU tar and bsdtar unpack;

	from archives of GNU tar and bsdtar into an image by tar2fs, beside what GNU
	tar unpacks;

and each result is the tree again, but for the differences listed below.
"""
import os
import random
import shutil
import stat
import subprocess
import sys

# What is not compared, as it is meant, or a fault of others.  Holes are never: they
# are where the program that copies puts them.
ARCHIVE = {
    # libarchive has no place for the sign of a fraction in the last second before
    # 1970, and loses it when it reads one
    "last-second",
}
MEANT = {
    # GNU tar saves no attributes of links and special files, no sockets, and no hard
    # links of special files; of what libarchive writes for blanks and letters in
    # names of attributes it undoes a part
    "gnu": ARCHIVE | {"special-xattr", "socket", "special-link", "odd-xattr"},
    # bsdtar saves no sockets and no hard links of special files, composes names when it reads them, takes fractions
    # before 1970 the wrong way, and undoes nothing in names of attributes
    "bsd": ARCHIVE | {"socket", "early-fraction", "special-xattr", "special-link",
                      "odd-xattr"},
}

FILESYSTEMS = {
    "ext4": (96, ["mkfs.ext4", "-q", "-I", "256"]),
    "xfs": (320, ["mkfs.xfs", "-q"]),
    "btrfs": (192, ["mkfs.btrfs", "-q"]),
    "f2fs": (128, ["mkfs.f2fs", "-q", "-O", "extra_attr,inode_checksum,inode_crtime"]),
}
# What the host can mount.
with open("/proc/filesystems", encoding="ascii") as f:
    HOST = {line.split()[-1] for line in f}


def run(*command, check=True, **kwargs):
    done = subprocess.run([os.fsencode(c) for c in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, **kwargs)
    if check and done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}: {done.returncode}\n"
                         f"{done.stdout.decode(errors='replace')[-2000:]}")
    return done


class Tree:
    """A random tree; what() describes any tree in the same terms."""

    def __init__(self, rng, top):
        self.rng, self.top, self.files, self.dirs = rng, top, [], [top]
        os.mkdir(top)
        for _ in range(rng.randrange(5, 40)):
            getattr(self, rng.choice(["directory"] * 3 + ["file"] * 6 + [
                "symlink", "symlink", "hard", "hard", "fifo", "device", "sock"]))()
        # times of directories change with what is in them
        for path in reversed(self.dirs):
            self.dress(path)

    def name(self):
        rng, length = self.rng, self.rng.choice((1, 1, 2, 8, 40, 120, 255))
        kind = rng.randrange(7)
        if kind == 0:
            text = bytes(rng.choice(b"abcXYZ._- ") for _ in range(length))
        elif kind == 1:  # any bytes
            text = bytes(rng.choice([c for c in range(1, 256) if c != 47])
                         for _ in range(length))
        elif kind == 2:
            text = rng.choice(("\u00e9", "e\u0301", "\u212b", "\ud55c",
                               "\u1112\u1161\u11ab", "\U0001f600")).encode() * rng.randrange(1, 9)
        elif kind == 3:
            text = b"-" + bytes(rng.choice(b"abcrf") for _ in range(4))
        elif kind == 4:
            text = rng.choice((b"a\nb", b"a\tb", b"a\\b", b"\\012", b"%41", b"a=b", b" ", b"...",
                               b"\x1b[2J", b"*", b"@", b"GNUSparseFile.0", b"PaxHeaders"))
        else:
            text = b"%d" % rng.randrange(1000)
        return text[:255] if text not in (b".", b"..") else b"dots"

    def path(self):
        while True:
            path = os.path.join(self.rng.choice(self.dirs), self.name())
            if len(path) < 2000 and not os.path.lexists(path):
                return path

    def time(self):
        rng = self.rng
        return rng.choice((rng.randrange(-2**31, 2**31), rng.randrange(-10, 10),
                           rng.randrange(2**31, 2**33), 1700000000)) * 10**9 + rng.choice(
                               (0, 1, 999999999, 500000000, rng.randrange(10**9)))

    def dress(self, path, link=False, special=False):
        """Owner, mode, attributes, times."""
        rng = self.rng
        if rng.random() < 0.5:
            os.lchown(path, rng.choice((0, 1, 1000, 65534, 70000, 2**31, 2**32 - 2)),
                      rng.choice((0, 1, 1000, 65534, 70000, 2**32 - 2)))
        if not link:
            os.chmod(path, rng.choice((0o644, 0o755, 0, 0o4755, 0o2755, 0o1777,
                                       rng.randrange(0o10000))))
        if rng.random() < 0.3:
            names = ["trusted.t", "security.selinux"]
            if not link and not special:
                names += ["user.a", "user.b%c", "user.c=d e", "user.\u00e9"]
            for name in rng.sample(names, rng.randrange(1, len(names))):
                value = rng.choice((b"", b"v", b"\0\n=" * 3, bytes(rng.randbytes(200))))
                if name == "security.selinux":
                    value = b"system_u:object_r:t%d" % rng.randrange(9)
                os.setxattr(path, name, value, follow_symlinks=False)
        if not link and not special and rng.random() < 0.2:
            entries = f"u:{rng.randrange(100000)}:rw,g:{rng.randrange(1000)}:r"
            run("setfacl", "-m", entries, "--", path)
            if os.path.isdir(path):
                run("setfacl", "-d", "-m", entries, "--", path)
        os.utime(path, ns=(1600000000 * 10**9, self.time()), follow_symlinks=False)

    def directory(self):
        path = self.path()
        os.mkdir(path)
        self.dirs.append(path)

    def file(self):
        rng, path = self.rng, self.path()
        with open(path, "xb") as f:
            for _ in range(rng.choice((0, 1, 1, 1, 2, 5))):
                f.write(rng.randbytes(rng.choice((1, 511, 512, 513, 4096, 10000, 70000))))
                if rng.random() < 0.2:
                    f.seek(rng.choice((1, 4096, 100000, 3 << 20)), os.SEEK_CUR)
            f.truncate()
        self.files.append(path)
        self.dress(path)

    def symlink(self):
        path = self.path()
        os.symlink(self.rng.choice((self.name(), b"/", b"../" * 9 + b"x", b"t" * 999,
                                    b"\xff\xfe", "\u00e9/e\u0301".encode())), path)
        self.files.append(path)
        self.dress(path, link=True)

    def hard(self):
        if self.files:
            os.link(self.rng.choice(self.files), self.path(), follow_symlinks=False)

    def fifo(self):
        path = self.path()
        os.mkfifo(path)
        self.files.append(path)
        self.dress(path, special=True)

    def device(self):  # as far as xfs has numbers
        path = self.path()
        os.mknod(path, self.rng.choice((stat.S_IFCHR, stat.S_IFBLK)) | 0o600,
                 os.makedev(self.rng.randrange(512), self.rng.randrange(1 << 18)))
        self.files.append(path)
        self.dress(path, special=True)

    def sock(self):
        path = self.path()
        # no hard links to it, which bsdtar would save without it
        os.mknod(path, stat.S_IFSOCK | 0o600)
        self.dress(path, special=True)


def what(top, skip=()):
    """All of a tree but what is in @skip, by path."""
    tree, first = {}, {}
    for where, dirs, files in os.walk(top, followlinks=False):
        for name in [b"."] * (where == top) + dirs + files:
            path = os.path.join(where, name)
            key = os.path.relpath(path, top)
            st = os.lstat(path)
            kind = stat.S_IFMT(st.st_mode)
            if key.split(b"/")[0] == b"lost+found":
                continue
            if "socket" in skip and kind == stat.S_IFSOCK:
                continue
            time = st.st_mtime_ns
            if "early-fraction" in skip and time < 0:
                time = None
            if "last-second" in skip and abs(time or 0) <= 10**9:
                time = None
            attrs = {}
            if kind in (stat.S_IFREG, stat.S_IFDIR) or "special-xattr" not in skip:
                attrs = {a: os.getxattr(path, a, follow_symlinks=False)
                         for a in os.listxattr(path, follow_symlinks=False)}
            if "odd-xattr" in skip:
                attrs = {a: v for a, v in attrs.items()
                         if a.isascii() and not set(a) & set(" %=")}
            # seen by root beside the ACLs of xfs, and mount's own
            attrs = {a: v for a, v in attrs.items() if not a.startswith("trusted.SGI")}
            data = None
            if kind == stat.S_IFREG:
                with open(path, "rb") as f:
                    data = f.read()
            elif kind == stat.S_IFLNK:
                data = os.readlink(path)
            elif kind in (stat.S_IFCHR, stat.S_IFBLK):
                data = st.st_rdev
            mode = None if kind == stat.S_IFLNK else stat.S_IMODE(st.st_mode)
            link = key
            if kind in (stat.S_IFREG, stat.S_IFLNK) or (
                    kind != stat.S_IFDIR and "special-link" not in skip):
                link = first.setdefault((st.st_dev, st.st_ino), key)
            tree[key] = {"kind": kind, "mode": mode, "owner": (st.st_uid, st.st_gid),
                         "time": time, "attrs": attrs, "data": data, "link": link}
    # the first name of a file depends on the order of the names
    groups = {}
    for key, entry in tree.items():
        groups.setdefault(entry["link"], []).append(key)
    for keys in groups.values():
        for key in keys:
            tree[key]["link"] = min(keys)
    return tree


def differ(want, got, how):
    bad = []
    for key in sorted(want.keys() | got.keys()):
        a, b = want.get(key), got.get(key)
        if a is None or b is None:
            bad.append(f"{key[-40:]!r}: only {'in the result' if a is None else 'in the tree'}: "
                       f"{str(a or b)[:200]}")
            continue
        for field, value in a.items():
            if value != b[field]:
                bad.append(f"{key!r}: {field}: {str(value)[:150]} became {str(b[field])[:150]}")
    if bad:
        raise SystemExit(f"{how}:\n" + "\n".join(bad[:10]))


def decomposed(tree):
    return any(b"\xcc\x81" in k or b"\xe1\x84" in k or b"\xe2\x84\xab" in k for k in tree) or any(
        isinstance(e["data"], bytes) and e["kind"] == stat.S_IFLNK and
        b"\xcc\x81" in e["data"] for e in tree.values())


def make_image(kind):
    size, command = FILESYSTEMS[kind]
    with open("img", "wb") as f:
        f.truncate(size << 20)
    run(*command, "img")


def empty(path):
    shutil.rmtree(path, ignore_errors=True)
    os.mkdir(path)


def mounted(how, want, skip):
    """What the host's kernel sees in the image."""
    os.makedirs("mnt", exist_ok=True)
    if run("mount", "-o", "loop,ro", "img", "mnt", check=False).returncode:
        return False
    try:
        differ(want, what(b"mnt/tree", skip), how)
    finally:
        run("umount", "mnt")
    return True


def one_round(number, seed):
    rng = random.Random(f"{seed}/{number}")
    shutil.rmtree("tree", ignore_errors=True)
    Tree(rng, b"tree")
    tree = what(b"tree")
    kind = rng.choice(sorted(FILESYSTEMS))
    utf8 = dict(os.environ, LC_ALL="C.UTF-8")

    empty("out")
    run("cp", "-a", "tree", "out/cp")
    differ(tree, what(b"out/cp"), "cp -a")

    make_image(kind)
    run("cptofs", "-i", "img", "tree", "/")
    run("cpfromfs", "-i", "img", "/tree", "out/lkl")
    differ(tree, what(b"out/lkl"), f"cptofs and cpfromfs, {kind}")
    if kind in HOST and mounted(f"cptofs to {kind}, mounted", tree, ()):
        COUNT["mounted"] += 1

    run("fs2tar", "img", "lkl.tar", "/tree")
    empty("un")
    run("tar", "-C", "un", "--acls", "--xattrs", "--xattrs-include=*", "-xpf", "lkl.tar")
    skip = MEANT["gnu"]
    differ(what(b"tree", skip),
           {k: e for k, e in what(b"un/tree", skip).items() if e["kind"] != stat.S_IFIFO or
            tree[k]["kind"] == stat.S_IFIFO}, f"fs2tar of {kind}, unpacked by GNU tar")
    if not decomposed(tree):
        empty("un")
        run("bsdtar", "-C", "un", "--acls", "--xattrs", "-xpf", "lkl.tar", env=utf8)
        skip = MEANT["bsd"]
        differ(what(b"tree", skip),
               {k: e for k, e in what(b"un/tree", skip).items() if e["kind"] != stat.S_IFIFO or
                tree[k]["kind"] == stat.S_IFIFO}, f"fs2tar of {kind}, unpacked by bsdtar")
        COUNT["bsdtar"] += 1

    archives = {
        "lkl.tar": (None, ARCHIVE),
        "gnu.tar": (["tar", "--format=pax", "--acls", "--xattrs", "--xattrs-include=*", "--sparse",
                     "-cf", "gnu.tar", "tree"], MEANT["gnu"]),
        # with holes it spoils long names that are not UTF-8
        "bsd.tar": (["bsdtar", "--no-read-sparse", "--format=pax", "--acls", "--xattrs", "-cf",
                     "bsd.tar", "tree"], MEANT["bsd"]),
    }
    for name, (command, skip) in archives.items():
        if command:
            run(*command, env=utf8, check=False)
        make_image(kind)
        run("tar2fs", name, "img")
        shutil.rmtree("out/back", ignore_errors=True)
        run("cpfromfs", "-i", "img", "/tree", "out/back")
        differ(what(b"tree", skip), what(b"out/back", skip), f"tar2fs of {name} to {kind}")
    # again over what is there
    run("tar2fs", "lkl.tar", "img")
    run("cptofs", "-i", "img", "tree/.", "/tree")
    shutil.rmtree("out/back", ignore_errors=True)
    run("cpfromfs", "-i", "img", "/tree", "out/back")
    differ(tree, what(b"out/back"), f"the same again, {kind}")


COUNT = {"mounted": 0, "bsdtar": 0}


def main():
    rounds, seed = int(sys.argv[1]), sys.argv[2]
    bad = 0
    for number in range(rounds):
        try:
            one_round(number, seed)
        except SystemExit as e:
            bad += 1
            print(f"round {number}: {e}", flush=True)
    print(f"{rounds} rounds, {bad} with differences; {COUNT['mounted']} images mounted, "
          f"{COUNT['bsdtar']} archives unpacked by bsdtar")
    sys.exit(bad != 0)


main()
