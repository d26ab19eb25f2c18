#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# With --json the verbs print JSON, with the same values as python's os.lstat() and
# os.walk(), sfdisk and blkid give, whatever bytes the names have.

. "$(dirname "$0")/../common/tools.sh"
need python3 mkfs.ext4 mkfs.vfat sfdisk blkid

mkdir -p tree/dir/sub tree/etc
# names are for the image, where no rule of the host forbids them
python3 - <<'END'
import os, random
random.seed(1)
names = [b"new\nline", b'quo"te', b"back\\slash", b"tab\t", b"\x01\x7f", b"\xff\xfe",
         b"half \xe2\x82", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"caf\xc3\xa9",
         b"\xf0\x9f\x90\xa7", b"<&>", b"U+FFFD \xef\xbf\xbd"]
for n in range(60):
    names.append(bytes(random.choice([c for c in range(1, 256) if c != 47])
                       for _ in range(random.randint(3, 40))))
for n, name in enumerate(names):
    where = b"tree/dir/" if n % 2 else b"tree/dir/sub/"
    with open(where + name, "wb") as f:
        f.write(b"x" * (n * 137))
    os.chmod(where + name, random.choice([0o644, 0o4755, 0o1600, 0o400]))
    os.utime(where + name, ns=(n * 10**9 + n, n * 10**16 + 999999999))
os.symlink(b"to \xff\n\"", b"tree/link")
os.mkfifo("tree/fifo")
os.link(b"tree/dir/quo\"te", "tree/hard")
END
printf 'root:x:0:0::/:/bin/sh\nm\xff:x:1000:1000::/:/bin/sh\n' >tree/etc/passwd
printf 'root:x:0:\n' >tree/etc/group
if is_root; then
	mknod tree/char c 250 1000
	mknod tree/block b 8 17
	chown 1000:77 tree/hard
fi
image img 32M mkfs.ext4 -q -b 4096 -N 1024
cptofs -o 0:0 -g 0:0 -i img tree/. /
lkl rm -r img /lost+found
lkl touch -r /fifo img /

find=$(lkl find --json img)
lkl ls --json -lAR img / >ls.json
# all names, given to stat as they are
python3 -c '
import os, sys
os.chdir("tree")
sys.stdout.buffer.write(b"".join(b"/" + os.path.relpath(os.path.join(d, n), b".") + b"\0"
                                 for d, ds, fs in os.walk(b".") for n in ds + fs))' |
	xargs -0 lkl stat --json img / >stat.json
printf '%s' "$find" >find.json
lkl du --json -ab img / >du.json
lkl df --json img >df.json
lkl df img | tail -n 1 >df.text
lkl df -i img | tail -n 1 >df.inodes
lkl ls --json img /none >none.json 2>none.log && fail "a file that is not there"
lkl find --json img / -false >nothing.json

python3 - <<'END'
import base64, json, os, stat, time
from datetime import datetime, timezone

def load(name):
    with open(name, encoding="utf-8", errors="strict") as f:
        data = json.load(f)
    assert isinstance(data, list), name
    return data

def text(o, key):
    """the bytes, which are told twice if they are not UTF-8"""
    coded = o.get(key + "_base64")
    if coded is None:
        return o[key].encode("utf-8")
    raw = base64.b64decode(coded, validate=True)
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        raise AssertionError("%s is UTF-8, and has base64" % raw)
    # each wrong byte is one U+FFFD, so what is left is the same
    good = raw.decode("utf-8", errors="surrogateescape")
    want = "".join("\ufffd" if 0xdc80 <= ord(c) <= 0xdcff else c for c in good)
    assert o[key] == want, (o[key], want)
    return raw

TYPES = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink",
         stat.S_IFIFO: "fifo", stat.S_IFCHR: "char", stat.S_IFBLK: "block"}

def seconds(stamp):
    whole, fraction = stamp.rstrip("Z").split(".")
    t = datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return int(t.timestamp()) * 10**9 + int(fraction)

tree = {b"/": os.lstat(b"tree")}
for d, dirs, files in os.walk(b"tree"):
    for n in dirs + files:
        path = os.path.join(d, n)
        tree[path[len(b"tree"):]] = os.lstat(path)

USERS = {0: b"root", 1000: b"m\xff"}
GROUPS = {0: b"root"}

def same(path, o):
    st = tree[path]
    where = (path, o)
    assert o["type"] == TYPES[stat.S_IFMT(st.st_mode)], where
    assert o["mode"] == "%04o" % stat.S_IMODE(st.st_mode), where
    uid, gid = (st.st_uid, st.st_gid) if os.geteuid() == 0 else (o["uid"], o["gid"])
    assert (o["uid"], o["gid"]) == (uid, gid), where
    assert (text(o, "user") if "user" in o else None) == USERS.get(uid), where
    assert (text(o, "group") if "group" in o else None) == GROUPS.get(gid), where
    if stat.S_ISREG(st.st_mode):
        assert o["size"] == st.st_size, where
        assert o["allocated"] % 512 == 0 and o["allocated"] >= st.st_size, where
    if path != b"/":
        assert o["links"] == st.st_nlink, where
    if stat.S_ISREG(st.st_mode):
        assert seconds(o["mtime"]) == st.st_mtime_ns, where
    if stat.S_ISLNK(st.st_mode):
        assert text(o, "target") == os.readlink(b"tree" + path), where
    else:
        assert "target" not in o, where
    if stat.S_ISCHR(st.st_mode) or stat.S_ISBLK(st.st_mode):
        assert (o["major"], o["minor"]) == (os.major(st.st_rdev), os.minor(st.st_rdev)), where
    for key in "atime", "ctime":
        seconds(o[key])

inodes = {}
for name in "find.json", "stat.json", "ls.json":
    seen = {}
    for o in load(name):
        path = text(o, "path")
        assert path not in seen, path
        seen[path] = o
        same(path, o)
        assert inodes.setdefault(path, o["inode"]) == o["inode"], path
    want = set(tree) - ({b"/"} if name == "ls.json" else set())
    assert set(seen) == want, (name, set(seen) ^ want)
assert inodes[b"/hard"] == inodes[b'/dir/quo"te']
assert len(tree) > 70

# du -b: sizes of files once, and of directories
sizes = {text(o, "path"): o["size"] for o in load("du.json")}
for path, st in tree.items():
    if stat.S_ISREG(st.st_mode) and st.st_nlink == 1:
        assert sizes[path] == st.st_size, path
assert (b"/hard" in sizes) != (b'/dir/quo"te' in sizes)
assert max(sizes.values()) == sizes[b"/"]

# df: the columns of the table are in units of 1024
[space] = load("df.json")
image, total, used, left = open("df.text").read().split()[:4]
assert text(space, "image") == b"img" and space["type"] == "ext4", space
assert [(space[k] + 1023) // 1024 for k in ("size", "used", "available")] == \
    [int(total), int(used), int(left)], space
assert [space["inodes"], space["inodes_used"]] == \
    [int(n) for n in open("df.inodes").read().split()[1:3]], space
assert space["inodes"] == 1024

assert load("none.json") == [] and load("nothing.json") == []
END

# info, with a label that no table could show
mv img $'i\xff"m\ng'
image fat 20M mkfs.vfat -n EFI -i 12345678
image label 8M mkfs.ext4 -q -L $'l"\n\xff\\'
truncate -s 100M disk
printf 'label: gpt\nsize=20M,type=U,name="boot é"\nsize=32M,type=L\nsize=1M\n' |
	sfdisk -q disk
dd if=fat of=disk bs=1M seek=1 conv=notrunc,sparse status=none
dd if=$'i\xff"m\ng' of=disk bs=1M seek=21 conv=notrunc,sparse status=none
sfdisk --json disk >sfdisk.json
blkid -p -o value -s UUID $'i\xff"m\ng' >uuid
lkl info --json disk >disk.json
lkl info --json $'i\xff"m\ng' >part.json
lkl info --json label >label.json
truncate -s 1M empty
lkl info --json empty >empty.json
python3 - <<'END'
import base64, json
[disk] = json.load(open("disk.json", encoding="utf-8"))
table = json.load(open("sfdisk.json"))["partitiontable"]
assert disk["image"] == "disk" and disk["size"] == 100 << 20, disk
assert disk["sector_size"] == 512 and disk["partition_table"] == "gpt", disk
assert len(disk["contents"]) == len(table["partitions"]) == 3, disk
for n, (have, want) in enumerate(zip(disk["contents"], table["partitions"])):
    assert have["partition"] == n + 1
    assert have["start"] == want["start"] * 512 and have["size"] == want["size"] * 512, have
    assert have.get("name") == want.get("name"), have
fat, ext, none = disk["contents"]
assert (fat["type"], fat["label"], fat["uuid"]) == ("vfat", "EFI", "1234-5678"), fat
assert ext["type"] == "ext4" and ext["uuid"] == open("uuid").read().strip(), ext
[df] = json.load(open("df.json"))
# what df has as the size, less what is free
assert abs(ext["used"] - df["used"]) < 1 << 20, (ext, df)
assert not {"type", "used", "label", "uuid", "volumes"} & set(none), none

[part] = json.load(open("part.json", encoding="utf-8"))
assert base64.b64decode(part["image_base64"]) == b'i\xff"m\ng' and part["image"] == 'i\ufffd"m\ng'
[whole] = part["contents"]
assert "partition_table" not in part and "partition" not in whole and whole["start"] == 0
assert whole["uuid"] == ext["uuid"] and whole["size"] == part["size"] == 32 << 20

[label] = json.load(open("label.json", encoding="utf-8"))[0]["contents"]
assert base64.b64decode(label["label_base64"]) == b'l"\n\xff\\', label
[empty] = json.load(open("empty.json"))[0]["contents"]
assert set(empty) == {"start", "size"}, empty
END
