# SPDX-License-Identifier: GPL-2.0-only
"""Files in the kernel beside the same calls on the host."""

import errno
import os
import random
import signal
import stat
import subprocess

import lkl
import pytest


class Host:
    """The host's functions with the names and paths of lkl.FileSystem."""

    def __init__(self, root):
        self.root = str(root)

    def _path(self, path):
        return self.root + "/" + path.lstrip("/")

    def __getattr__(self, name):
        function = getattr(os, name, None) or getattr(os.path, name)
        count = 2 if name in ("rename", "link") else 1

        def call(*args, **kwargs):
            if name == "symlink":
                return os.symlink(args[0], self._path(args[1]))
            return function(*map(self._path, args[:count]), *args[count:], **kwargs)

        return call

    def open(self, path, *args, **kwargs):
        return open(self._path(path), *args, **kwargs)


@pytest.fixture
def image(ext4, fsck):
    """A writable image, which is sound in the end."""
    with lkl.image(ext4, readonly=False) as fs:
        fs.rmdir("/lost+found")
        yield fs
    fsck(ext4)


def outcome(call, *args):
    """What a call returns, or its error number."""
    try:
        return call(*args)
    except OSError as err:
        return err.errno


NAMES = ["a", "b", "dir", "dir/x", "dir/y", "dir/sub", "dir/sub/z", "é", "a/b", "none/x", "dir/.",
         "dir/", "dir/..", "x" * 300]


def step(rng, fs, number):
    """One random call."""
    path, other = "/" + rng.choice(NAMES), "/" + rng.choice(NAMES)
    kind = rng.choice(["mkdir", "write", "read", "rename", "remove", "rmdir", "symlink",
                       "link", "readlink", "chmod", "truncate", "lstat", "stat", "listdir",
                       "exists", "isdir", "isfile", "islink", "append", "exclusive"])
    if kind in ("write", "append", "exclusive"):
        with fs.open(path, {"write": "w", "append": "a", "exclusive": "x"}[kind]) as file:
            return file.write("text %d" % number)
    if kind == "read":
        with fs.open(path) as file:
            return file.read()
    if kind == "rename":
        return fs.rename(path, other)
    if kind == "link":
        # what os.link() does with a link that it shall follow is not said
        return fs.link(path, other, follow_symlinks=False)
    if kind == "symlink":
        return fs.symlink(rng.choice(["a", "dir", "./a", "none", "x"]), path)
    if kind == "chmod":
        return fs.chmod(path, rng.choice([0o600, 0o755, 0o4711]))
    if kind == "truncate":
        return fs.truncate(path, rng.randrange(10000))
    if kind in ("lstat", "stat"):
        st = getattr(fs, kind)(path)
        size = 0 if stat.S_ISDIR(st.st_mode) else st.st_size
        return st.st_mode, st.st_nlink, size, st.st_uid
    if kind == "listdir":
        return sorted(fs.listdir(path))
    return getattr(fs, kind)(path)


@pytest.mark.parametrize("seed", range(5))
def test_same_as_the_host(image, tmp_path, seed):
    """2,000 random calls give what the host's ext4 or tmpfs gives."""
    root = tmp_path / "root"
    root.mkdir()
    host = Host(root)
    rngs = [random.Random(seed), random.Random(seed)]
    umask = os.umask(0o022)
    try:
        for number in range(2000):
            got = outcome(step, rngs[0], image, number)
            want = outcome(step, rngs[1], host, number)
            assert got == want, (seed, number, got, want)
    finally:
        os.umask(umask)


def test_links_stay_inside(image):
    """No link leads out of the image, whoever follows it."""
    with lkl.FileSystem() as root:
        root.mkdir("/secret")
    for target in ("/secret", "../../../secret", "/proc/self/root/secret"):
        image.symlink(target, "/link")
        for call in (image.stat, image.listdir, image.open, image.statvfs):
            assert outcome(call, "/link") == errno.ENOENT
        assert outcome(image.mkdir, "/link/x") == errno.ENOENT
        assert outcome(image.chmod, "/link", 0) == errno.ENOENT
        image.remove("/link")
    with lkl.FileSystem() as root:
        root.rmdir("/secret")


def test_times_and_attributes(image):
    """Times to the nanosecond, also before 1970; extended attributes, also of links."""
    image.open("/f", "w").close()
    for ns in ((1, 2), (-1, -10**9 - 1), (2**33 * 10**9 + 5, 7)):
        image.utime("/f", ns=ns)
        st = image.stat("/f")
        assert (st.st_atime_ns, st.st_mtime_ns) == ns
    image.symlink("f", "/l")
    image.utime("/l", ns=(5, 6), follow_symlinks=False)
    assert image.lstat("/l").st_mtime_ns == 6
    assert image.stat("/l").st_mtime_ns == 7
    image.setxattr("/l", "user.x", b"\0value")
    image.setxattr("/l", "trusted.y", b"link", follow_symlinks=False)
    assert image.getxattr("/f", "user.x") == b"\0value"
    assert image.listxattr("/l", follow_symlinks=False) == ["trusted.y"]
    image.removexattr("/f", "user.x")
    assert outcome(image.getxattr, "/f", "user.x") == errno.ENODATA


def test_file_objects(image):
    """A file object does what one of the host's does."""
    data = os.urandom(1 << 20)
    with image.open("/f", "wb") as file:
        assert file.write(data) == len(data)
    with image.open("/f", "rb") as file:
        assert file.read() == data
        assert file.seek(-5, os.SEEK_END) == len(data) - 5
        assert file.read() == data[-5:]
        with pytest.raises(OSError):
            file.fileno()
    with image.open("/f", "r+b") as file:
        file.seek(3)
        file.write(b"xyz")
        file.seek(0)
        assert file.read(8) == data[:3] + b"xyz" + data[6:8]
        file.truncate(10)
    assert image.stat("/f").st_size == 10
    with image.open("/text", "w", encoding="utf-16") as file:
        file.write("zeile\nänd\n")
    with image.open("/text", encoding="utf-16") as file:
        assert file.readlines() == ["zeile\n", "änd\n"]
    for mode in ("", "rw", "b", "rbt", "r++", "z"):
        with pytest.raises(ValueError):
            image.open("/f", mode)
    with pytest.raises(IsADirectoryError):
        image.open("/")
    with pytest.raises(ValueError):
        image.open("/a\0b")


def test_copies(image, tmp_path):
    """A tree in and out is the tree that diff and a look at each file find."""
    src, dst = tmp_path / "src", tmp_path / "dst"
    subprocess.run(["cp", "-a", "/usr/include/linux", src], check=True)
    (src / "link").symlink_to("nowhere")
    os.link(src / "elf.h", src / "hard")
    os.mkfifo(src / "fifo")
    with open(src / "sparse", "wb") as file:
        file.seek(20 << 20)
        file.write(b"end")
    os.chmod(src / "elf.h", 0o751)
    os.utime(src / "elf.h", ns=(10**18, 10**18 + 1))
    lkl.copy_in(image, src, "/tree")
    lkl.copy_out(image, "/tree", dst)
    assert image.stat("/tree/sparse").st_blocks < 100
    assert (dst / "sparse").stat().st_blocks < 100
    assert os.path.samefile(dst / "elf.h", dst / "hard")
    subprocess.run(["diff", "-r", "--no-dereference", "-x", "fifo", src, dst], check=True)
    for name in ("elf.h", "link", "fifo", "netfilter"):
        one, two = os.lstat(src / name), os.lstat(dst / name)
        assert (one.st_mode, one.st_mtime_ns) == (two.st_mode, two.st_mtime_ns)
    with pytest.raises(FileExistsError):
        lkl.copy_out(image, "/tree/elf.h", dst / "elf.h")


def test_copy_out_follows_no_link(image, tmp_path):
    """A name that is a link on the host is not followed."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "d").symlink_to(tmp_path / "elsewhere")
    image.makedirs("/t/d")
    image.open("/t/d/f", "w").close()
    with pytest.raises(OSError):
        lkl.copy_out(image, "/t", tmp_path / "out")
    assert not list((tmp_path / "elsewhere").iterdir())


def test_busy(ext4):
    """An image with an open file is not taken away."""
    fs = lkl.image(ext4, readonly=False)
    file = fs.open("/f", "w")
    with pytest.raises(OSError) as caught:
        fs.close()
    assert caught.value.errno == errno.EBUSY
    file.write("kept")
    file.close()
    fs.close()
    with lkl.image(ext4) as fs:
        assert fs.open("/f").read() == "kept"
    with pytest.raises(ValueError):
        fs.listdir()


def test_readonly(ext4):
    """An image is read only unless asked for."""
    before = ext4.read_bytes()
    with lkl.image(ext4) as fs:
        for call in (fs.mkdir, fs.rmdir):
            assert outcome(call, "/lost+found/x") in (errno.EROFS, errno.ENOENT)
        assert outcome(fs.open, "/f", "w") == errno.EROFS
    assert ext4.read_bytes() == before


def test_fork(ext4):
    """A child has no kernel of the parent's, and boots its own."""
    with lkl.image(ext4) as fs:
        child = os.fork()
        if not child:
            signal.alarm(20)
            try:
                with lkl.image(str(ext4)) as own:
                    os._exit(0 if own.listdir() == ["lost+found"] else 1)
            except BaseException:
                os._exit(2)
        assert os.waitpid(child, 0)[1] == 0
        assert fs.listdir() == ["lost+found"]
