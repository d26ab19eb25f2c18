# SPDX-License-Identifier: GPL-2.0-only
"""Values, trees and images at and beyond what is allowed."""

import array
import os
import resource
import stat
import subprocess
import threading

import lkl
import lkl.socket
import pytest


@pytest.fixture
def few():
    """Few descriptors of the host's."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_devices_of_an_image(ext4):
    """A device node of an image does not give the disk of another one."""
    with lkl.image(bytes(ext4.read_bytes())) as other, lkl.image(ext4, readonly=False) as fs:
        fs.mknod("/evil", 0o666 | stat.S_IFBLK, other.stat("/").st_dev)
        with pytest.raises(PermissionError):
            fs.open("/evil", "rb")


def test_null_bytes(ext4):
    """No name ends at a null byte."""
    with lkl.image(ext4, readonly=False) as fs:
        fs.open("/f", "w").close()
        for call in (lambda: fs.symlink("a\0b", "/l"), lambda: fs.open("/f\0g"),
                     lambda: fs.setxattr("/f", "user.a\0b", b"1"),
                     lambda: fs.getxattr("/f", "user.a\0b"),
                     lambda: fs.removexattr("/f", "user.a\0b"),
                     lambda: fs.disk.mount("ext4\0"), lambda: lkl.FileSystem("/\0x")):
            with pytest.raises(ValueError, match="null"):
                call()
        assert sorted(fs.listdir()) == ["f", "lost+found"]


def test_values(ext4):
    """What does not fit is refused, and nothing of it is cut off."""
    with lkl.image(ext4, readonly=False) as fs:
        fs.open("/f", "w").close()
        fs.setxattr("/f", "user.x", memoryview(array.array("I", [1, 2, 3])))
        assert len(fs.getxattr("/f", "user.x")) == 12
        with pytest.raises(OverflowError):
            fs.chown("/f", 1 << 32, 0)
        fs.chown("/f", 7, -1)
        assert fs.stat("/f").st_uid == 7


def test_sector_size(tmp_path, fsck):
    """A file has sectors of the size that is asked for."""
    image = tmp_path / "image"
    with open(image, "wb") as file:
        file.truncate(64 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-b", "1024", image], check=True)
    with pytest.raises(OSError):
        lkl.image(image, sector_size=4096)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-b", "4096", image], check=True)
    with lkl.image(image, readonly=False, sector_size=4096) as fs:
        fs.open("/f", "w").close()
    fsck(image)
    with lkl.image(image) as fs:
        assert fs.exists("/f")
    for size in (0, -1, 1, 511, 8192, 1 << 40):
        with pytest.raises(ValueError):
            lkl.image(image, sector_size=size)


def test_odd_objects():
    """An object that gives no sizes, or takes nothing, is an error and no endless loop."""
    class Odd:
        size, count = 0, 0

        def seek(self, *_):
            return self.size

        def readinto(self, _):
            return self.count

        def write(self, _):
            return self.count

    odd = Odd()
    for odd.size in (None, -512, 1 << 63, 1.5):
        with pytest.raises((TypeError, ValueError)):
            lkl.Disk(odd)
    odd.size = 1 << 20
    for odd.count in (0, -1, 1 << 20):
        with pytest.raises(OSError):
            lkl.image(odd, readonly=False)


def test_trees(ext4, tmp_path, few):
    """Neither depth, nor breadth, nor many links matter."""
    with lkl.image(ext4, readonly=False) as fs:
        fs.makedirs("/deep" + "/d" * 1200)
        assert fs.exists("/deep" + "/d" * 1200)
        fs.rmtree("/deep")
        fs.makedirs("/links/a")
        for number in range(300):
            fs.open("/links/a/%d" % number, "w").close()
            fs.link("/links/a/%d" % number, "/links/%d" % number)
        lkl.copy_out(fs, "/links", tmp_path / "out")
    for number in range(300):
        assert os.path.samefile(tmp_path / "out" / str(number),
                                tmp_path / "out" / "a" / str(number))


def test_waiting():
    """A long time is waited, and more sockets than descriptors are no error."""
    lkl.socket.interface_up("lo")
    with lkl.socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(1e10)
        for wait in (server.accept, lambda: lkl.socket.select([server], [], [], 1e10)):
            timer = threading.Timer(
                0.2, lambda: lkl.socket.create_connection(server.getsockname()).close())
            timer.start()
            assert wait()[0]
            timer.join()
        with pytest.raises(ValueError):
            server.settimeout(float("nan"))
    with pytest.raises(ValueError):
        lkl.socket.select([server], [], [], 0)
    socks = [lkl.socket.socket() for _ in range(600)]
    assert len(lkl.socket.select(socks, socks, socks, 0)[1]) == 600
    with pytest.raises(ValueError):
        lkl.socket.select(socks, [], [], -1)
    for sock in socks:
        sock.close()


def test_deep_copies(ext4, tmp_path):
    """A tree deeper than Python's stack is copied both ways."""
    src, dst = tmp_path / "src", tmp_path / "dst"
    below = "/d" * 950
    os.makedirs(str(src) + below)
    with open(str(src) + below + "/file", "w", encoding="ascii") as file:
        file.write("deep")
    with lkl.image(ext4, readonly=False) as fs:
        lkl.copy_in(fs, src, "/tree")
        lkl.copy_out(fs, "/tree", dst)
    try:
        with open(str(dst) + below + "/file", encoding="ascii") as file:
            assert file.read() == "deep"
    finally:
        subprocess.run(["rm", "-rf", src, dst], check=True)


def test_few_descriptors(ext4, tmp_path, few):
    """A tree deeper than there are descriptors is an error, which leaks none."""
    dst = tmp_path / "dst"
    with lkl.image(ext4, readonly=False) as fs:
        fs.makedirs("/tree" + "/d" * 200)
        before = len(os.listdir("/proc/self/fd"))
        with pytest.raises(OSError):
            lkl.copy_out(fs, "/tree", dst)
        assert len(os.listdir("/proc/self/fd")) == before
    subprocess.run(["rm", "-rf", dst], check=True)
