# SPDX-License-Identifier: GPL-2.0-only
"""What becomes of open objects: at a halt, at the end, in a child, and when forgotten."""

import array
import gc
import mmap
import os
import signal
import subprocess
import sys

import lkl
import lkl.socket
import pytest


def script(text, *args):
    """Run a program to its end."""
    return subprocess.run([sys.executable, "-c", "import lkl, sys\n" + text, *map(str, args)],
                          capture_output=True, text=True, timeout=60, check=False)


def test_numbers_of_the_last_kernel(ext4):
    """What was open before a halt never touches what the next kernel opens."""
    fs = lkl.image(ext4, readonly=False)
    root = lkl.FileSystem()
    raw, text = root.open("/raw", "wb", buffering=0), fs.open("/text", "w")
    sock, scan = lkl.socket.socket(), root.scandir()
    text.write("kept")
    lkl.halt()
    lkl.boot()
    news = [lkl.FileSystem()]
    news += [news[0].open("/%d" % number, "wb", buffering=0) for number in range(16)]
    for old in (raw, text, sock, scan, root, fs, fs.disk):
        old.close()
    for call in (fs.listdir, root.listdir, raw.tell, lambda: text.write("x")):
        with pytest.raises(ValueError):
            call()
    assert list(scan) == [] and sock.fileno() == -1
    for new in news[1:]:
        assert new.write(b"x") == 1
        new.close()
    with lkl.image(ext4) as again:
        assert again.open("/text").read() == "kept"


def test_end_with_open_files(ext4, fsck):
    """A program that closes nothing loses nothing, and leaves a clean image."""
    done = script("""fs = lkl.image(sys.argv[1], readonly=False)
inner = fs.open("/inner", "w+b")
inner.write(open(sys.argv[1], "rb").read()[:1 << 20])
text = fs.open("/text", "w")
text.write("kept")
""", ext4)
    assert (done.returncode, done.stderr) == (0, "")
    fsck(ext4)
    with lkl.image(ext4) as fs:
        assert fs.open("/text").read() == "kept"
        assert fs.stat("/inner").st_size == 1 << 20


def test_end_with_an_image_in_an_image(ext4, fsck, tmp_path):
    """Images are closed before the files that they are in."""
    with lkl.image(ext4, readonly=False) as fs, fs.open("/inner", "wb") as file:
        file.truncate(16 << 20)
    inner = tmp_path / "inner"
    done = script("""import subprocess
outer = lkl.image(sys.argv[1], readonly=False)
disk = outer.open("/inner", "r+b", buffering=0)
subprocess.run(["truncate", "-s", "16M", sys.argv[2]], check=True)
subprocess.run(["mkfs.ext4", "-q", sys.argv[2]], check=True)
disk.write(open(sys.argv[2], "rb").read())
fs = lkl.image(disk, readonly=False)
text = fs.open("/text", "w")
text.write("kept")
""", ext4, inner)
    assert (done.returncode, done.stderr) == (0, "")
    fsck(ext4)
    with lkl.image(ext4) as fs, fs.open("/inner", "rb") as file:
        inner.write_bytes(file.read())
    fsck(inner)
    with lkl.image(inner) as fs:
        assert fs.open("/text").read() == "kept"


def test_forgotten_disk(ext4, fsck):
    """The kernel uses a disk that the program has no reference to any more."""
    done = script("""import gc
data = bytearray(open(sys.argv[1], "rb").read())
lkl.image(data, readonly=False).open("/f", "w").write("x" * 100000)
gc.collect()
keep = [bytearray(100) for _ in range(10000)]
lkl.halt()
open(sys.argv[1], "wb").write(data)
""", ext4)
    assert (done.returncode, done.stderr) == (0, "")
    fsck(ext4)


def test_forgotten_descriptors():
    """Objects that nobody closes do not use up the descriptors."""
    for _ in range(1500):
        lkl.FileSystem()
    fs = lkl.FileSystem()
    for _ in range(1500):
        fs.scandir()
    for _ in range(1500):
        with fs.scandir() as entries:
            next(entries)
    gc.collect()


def test_child(ext4):
    """A child has none of its parent's objects, and the parent keeps them."""
    with lkl.image(ext4, readonly=False) as fs:
        text = fs.open("/text", "w")
        text.write("kept")
        child = os.fork()
        if not child:
            signal.alarm(20)
            try:
                lkl.boot()
                root = lkl.FileSystem()
                for call in (fs.listdir, lambda: text.write("x")):
                    try:
                        call()
                        os._exit(3)
                    except ValueError:
                        pass
                fs.close()
                lkl.halt()
                os._exit(0 if not root.exists("/") else 1)
            except BaseException:
                os._exit(2)
        assert os.waitpid(child, 0)[1] == 0
        text.close()
        assert fs.open("/text").read() == "kept"


def test_size_of_memory_after(ext4):
    """A bytearray can change its size when it is no disk any more."""
    data = bytearray(ext4.read_bytes())
    with lkl.image(data) as fs:
        with pytest.raises(BufferError):
            data.append(1)
    data.append(1)
    fs.close()


def test_other_buffers(ext4, fsck):
    """A mapped file and an array are disks like bytes."""
    with lkl.image(array.array("I", ext4.read_bytes())) as fs:
        assert fs.listdir() == ["lost+found"]
    with open(ext4, "r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        with lkl.image(mapped, readonly=False) as fs:
            fs.mkdir("/x")
    fsck(ext4)
    with lkl.image(ext4) as fs:
        assert fs.isdir("/x")


def interrupted(call, number):
    """Interrupt a call before its number-th instruction; tell whether it had so many."""
    left = number

    def trace(frame, event, _):
        nonlocal left
        frame.f_trace_opcodes = frame.f_code.co_filename == lkl.kernel.__file__
        if event == "opcode" and frame.f_trace_opcodes:
            left -= 1
            if not left:
                sys.settrace(None)
                raise KeyboardInterrupt
        return trace

    sys.settrace(trace)
    try:
        call()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(None)
    return False


def settle():
    """What a program does that goes on after an interruption: all of it works."""
    if not lkl.running():
        lkl.boot("mem=32M")
    root = lkl.FileSystem()
    assert root.exists("/")
    lkl.halt()
    assert not lkl.running()
    for call in (root.listdir, root.close):
        try:
            call()
        except ValueError:
            pass


def test_interrupted_anywhere():
    """Ctrl-C at any moment of a boot or a halt leaves what can be booted and halted."""
    config = {"sysctl": "net.ipv4.ip_default_ttl=65"}
    number = 1
    while interrupted(lambda: lkl.boot("mem=32M", config=config), number):
        settle()
        number += 1
    assert number > 50
    settle()
    number = 1
    while True:
        lkl.boot("mem=32M", config=config)
        roots = [lkl.FileSystem() for _ in range(2)]
        more = interrupted(lkl.halt, number)
        if not lkl.running():
            lkl.boot("mem=32M")
        # the old ones never touch what the new kernel has
        news = [lkl.FileSystem() for _ in range(3)]
        for root in roots:
            root.close()
        for new in news:
            assert new.exists("/")
        settle()
        if not more:
            break
        number += 1
    assert number > 50
