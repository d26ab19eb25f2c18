# SPDX-License-Identifier: GPL-2.0-only
"""Disks that are files, bytes and objects; partitions; life of the kernel."""

import errno
import io
import os
import subprocess
import threading

import lkl
import pytest


def fill(disk):
    """Make some files on a disk, unmount, and return what they hold."""
    data = {"f%d" % number: os.urandom(number * 1000) for number in range(50)}
    with lkl.image(disk, readonly=False) as fs:
        for name, text in data.items():
            with fs.open("/" + name, "wb") as file:
                file.write(text)
    return data


def contents(fs):
    """What the files hold."""
    found = {}
    for name in fs.listdir():
        if name != "lost+found":
            with fs.open("/" + name, "rb") as file:
                found[name] = file.read()
    return found


class Object:
    """A disk that gives and takes only a little at a time, and counts."""

    def __init__(self, data):
        self.io = io.BytesIO(data)
        self.flushed = 0
        self.threads = set()
        self.fail = False

    def seek(self, *args):
        return self.io.seek(*args)

    def readinto(self, buffer):
        if self.fail:
            raise RuntimeError("the store is gone")
        self.threads.add(threading.get_ident())
        return self.io.readinto(buffer[:3000])

    def write(self, data):
        return self.io.write(data[:5000])

    def flush(self):
        self.flushed += 1


def test_memory(ext4, fsck):
    """A bytearray is changed in place; bytes are read only."""
    data = bytearray(ext4.read_bytes())
    want = fill(data)
    ext4.write_bytes(data)
    fsck(ext4)
    with lkl.image(bytes(data)) as fs:
        assert contents(fs) == want
    with pytest.raises(OSError) as caught:
        lkl.image(bytes(data), readonly=False)
    assert caught.value.errno in (errno.EROFS, errno.EACCES)


def test_object(ext4, fsck):
    """An object with short reads and writes is a disk like another."""
    disk = Object(ext4.read_bytes())
    want = fill(disk)
    assert disk.flushed
    ext4.write_bytes(disk.io.getvalue())
    fsck(ext4)
    with lkl.image(ext4) as fs:
        assert contents(fs) == want
    with lkl.image(disk) as fs:
        assert contents(fs) == want


def test_exception_in_object(ext4):
    """What an object raises is an I/O error, and is kept."""
    disk = Object(ext4.read_bytes())
    fill(disk)
    with lkl.image(disk) as fs:
        disk.fail = True
        with pytest.raises(OSError) as caught:
            contents(fs)
        assert caught.value.errno == errno.EIO
        assert str(fs.disk.error) == "the store is gone"
        disk.fail = False


def test_partitions(tmp_path):
    """The only partition with a file system is found; of two, one has to be named."""
    image = tmp_path / "disk.img"
    with open(image, "wb") as file:
        file.truncate(128 << 20)
    subprocess.run(["sfdisk", "-q", image], check=True, text=True,
                   input="label: gpt\nsize=32M\nsize=32M\n")
    for number, start in ((2, 33),):
        subprocess.run(["mkfs.ext4", "-q", "-E", "offset=%d" % (start << 20), image, "32M"],
                       check=True)
    with lkl.Disk(image) as disk:
        assert disk.partitions() == [1, 2]
    with lkl.image(image) as fs:
        assert (fs.part, fs.fstype) == (2, "ext4")
    subprocess.run(["mkfs.ext4", "-q", "-E", "offset=%d" % (1 << 20), image, "32M"],
                   check=True)
    with pytest.raises(ValueError, match="1, 2"):
        lkl.image(image)
    with lkl.image(image, part=1) as fs:
        assert fs.part == 1


@pytest.mark.parametrize("make,want", [
    (["mkfs.xfs", "-q"], "xfs"), (["mkfs.btrfs", "-q"], "btrfs"),
    (["mkfs.f2fs", "-q"], "f2fs"), (["mkfs.vfat"], "vfat"), (["mkfs.exfat"], "exfat"),
])
def test_types(tmp_path, make, want):
    """The type of a file system is found."""
    image = tmp_path / "disk.img"
    with open(image, "wb") as file:
        file.truncate(320 << 20)
    subprocess.run([*make, image], check=True, stdout=subprocess.DEVNULL)
    with lkl.image(image, readonly=False) as fs:
        assert fs.fstype == want
        fs.open("/file", "w").close()
        assert fs.isfile("/file")


def test_bad_images(tmp_path):
    """What is no image is refused."""
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    noise = tmp_path / "noise"
    noise.write_bytes(bytes(1 << 20))
    for bad in (empty, noise, tmp_path / "none", tmp_path):
        with pytest.raises((OSError, ValueError)):
            lkl.image(bad)
    with pytest.raises(ValueError):
        lkl.image(b"x" * 1000)
    with pytest.raises(AttributeError):
        lkl.image(object())


def test_two_images(ext4):
    """Two images at a time."""
    data = bytearray(ext4.read_bytes())
    with lkl.image(ext4, readonly=False) as one, lkl.image(data, readonly=False) as two:
        one.open("/one", "w").close()
        two.open("/two", "w").close()
        assert one.exists("/one") and not one.exists("/two")
        assert two.exists("/two") and not two.exists("/one")


def test_life():
    """Boot and halt, again and again; two boots at a time are refused."""
    lkl.halt()
    lkl.halt()
    for _ in range(3):
        lkl.boot("mem=64M")
        with pytest.raises(OSError) as caught:
            lkl.boot()
        assert caught.value.errno == errno.EBUSY
        assert "Linux version" in lkl.log()
        lkl.halt()
        assert not lkl.running()
    with pytest.raises(OSError):
        lkl.boot(config={"interfaces": [{"type": "no such wire"}]})
    assert not lkl.running()


def test_threads(ext4):
    """Threads of Python use one image at a time."""
    errors = []
    with lkl.image(ext4, readonly=False) as fs:
        def work(number):
            try:
                for turn in range(50):
                    path = "/%d-%d" % (number, turn)
                    with fs.open(path, "wb") as file:
                        file.write(b"%d" % turn * 1000)
                    with fs.open(path, "rb") as file:
                        assert file.read() == b"%d" % turn * 1000
            except BaseException as err:  # pylint: disable=broad-except
                errors.append(err)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not errors


def test_qcow2(ext4, tmp_path):
    """A format of qemu's is read and changed by a process of its own, which ends."""
    image = tmp_path / "named.img"
    subprocess.run(["qemu-img", "convert", "-O", "qcow2", ext4, image], check=True)
    want = fill(image)
    with lkl.image(str(image)) as fs:
        assert contents(fs) == want
        assert outcome_of(fs.mkdir, "/x") == errno.EROFS
    subprocess.run(["qemu-img", "convert", "-O", "raw", image, ext4], check=True)
    with lkl.image(ext4) as fs:
        assert contents(fs) == want
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", image, "-F", "qcow2",
                    tmp_path / "over"], check=True)
    with pytest.raises(ValueError, match="names"):
        lkl.image(tmp_path / "over")
    assert subprocess.run(["pgrep", "-f", str(tmp_path)], check=False).returncode == 1


def test_uri(ext4):
    """A disk behind an NBD server."""
    with subprocess.Popen(["lkl", "serve", ext4, str(ext4) + ".sock"],
                          stdout=subprocess.PIPE, text=True) as server:
        with lkl.image(server.stdout.readline().strip(), readonly=False) as fs:
            fs.mkdir("/x")
    with lkl.image(ext4) as fs:
        assert fs.isdir("/x")


def outcome_of(call, *args):
    """The error number of a call, or None."""
    try:
        call(*args)
    except OSError as err:
        return err.errno
    return None
