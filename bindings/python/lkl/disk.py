# SPDX-License-Identifier: GPL-2.0-only
"""Disks of the kernel: files of the host, bytes, or objects of Python."""

import errno
import operator
import os
import subprocess
import tempfile
import threading
from contextlib import ExitStack
from typing import Any, List, Optional, Set, Type, TypeVar

from ._lkl import ffi, lib
from .filesystem import FileSystem
from .kernel import check, ensure, error, hold, text_bytes


def _is_uri(source: Any) -> bool:
    return isinstance(source, str) and source.startswith(
        ("nbd://", "nbds://", "nbd+unix://", "nbds+unix://")
    )


def _is_foreign(start: bytes) -> bool:
    """Tell by its first bytes whether an image has a format that only qemu reads."""
    return (
        start.startswith((b"QFI\xfb", b"KDMV", b"COWD", b"# Disk DescriptorFile", b"vhdxfile"))
        or start[0x40:0x44] == b"\x7f\x10\xda\xbe"
    )


def _serve(path: Any, readonly: bool, undo: ExitStack) -> str:
    """Have the disk of an image given by a confined process; return its URI."""
    directory = undo.enter_context(tempfile.TemporaryDirectory())
    command = ["lkl", "serve", *(["-r"] if readonly else []), "--", path, directory + "/nbd"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    undo.enter_context(server)
    # it ends when its client leaves, or now if none comes
    undo.callback(server.terminate)
    assert server.stdout and server.stderr
    uri = server.stdout.readline()
    if not uri:
        raise ValueError(server.stderr.read().decode(errors="replace").strip())
    return os.fsdecode(uri.rstrip(b"\n"))


class _Memory:
    """bytes, a bytearray or another buffer as a disk."""

    def __init__(self, data: Any, readonly: bool):
        self.view = memoryview(data).cast("B")
        self.size = len(self.view)
        self.readonly = readonly or self.view.readonly

    def read(self, offset: int, into: memoryview) -> None:
        into[:] = self.view[offset : offset + len(into)]

    def write(self, offset: int, data: memoryview) -> None:
        self.view[offset : offset + len(data)] = data

    def flush(self) -> None:
        """Nothing is kept back."""


class _Object:
    """An object with seek() and readinto() as a disk; write() and flush() if it has them."""

    def __init__(self, obj: Any, readonly: bool):
        self.obj = obj
        self.size = operator.index(obj.seek(0, os.SEEK_END))
        if not 0 <= self.size < 1 << 63:
            raise ValueError("the size is no size of a disk")
        writable = getattr(obj, "writable", None)
        self.readonly = (
            readonly
            or not hasattr(obj, "write")
            or (writable is not None and not writable())
        )
        self._position = threading.Lock()

    def read(self, offset: int, into: memoryview) -> None:
        with self._position:
            self.obj.seek(offset)
            while into:
                count = self.obj.readinto(into)
                if count is None or not 0 < count <= len(into):
                    raise EOFError("the disk ended")
                into = into[count:]

    def write(self, offset: int, data: memoryview) -> None:
        with self._position:
            self.obj.seek(offset)
            while data:
                count = self.obj.write(data)
                count = len(data) if count is None else count
                if not 0 < count <= len(data):
                    raise OSError("the disk has taken nothing")
                data = data[count:]

    def flush(self) -> None:
        with self._position:
            if hasattr(self.obj, "flush"):
                self.obj.flush()


class _File:
    """A file of the host, for a disk whose sectors the library would not have so large."""

    def __init__(self, fd: int, readonly: bool):
        self.fd = fd
        self.size = os.lseek(fd, 0, os.SEEK_END)
        self.readonly = readonly

    def read(self, offset: int, into: memoryview) -> None:
        while into:
            count = os.preadv(self.fd, [into], offset)
            if not count:
                raise EOFError("the disk ended")
            into, offset = into[count:], offset + count

    def write(self, offset: int, data: memoryview) -> None:
        while data:
            count = os.pwrite(self.fd, data, offset)
            data, offset = data[count:], offset + count

    def flush(self) -> None:
        os.fdatasync(self.fd)


def _source(handle: Any) -> "Disk":
    return ffi.from_handle(handle)


@ffi.def_extern(error=-errno.EIO)
def lkl_py_capacity(handle: Any, size: Any) -> int:
    size[0] = _source(handle)._back.size
    return 0


@ffi.def_extern(error=-errno.EIO)
def lkl_py_limits_of(handle: Any, readonly: Any, block_size: Any) -> int:
    disk = _source(handle)
    readonly[0] = disk._back.readonly
    block_size[0] = disk.sector_size
    return 0


# An exception becomes an I/O error for the kernel; the disk keeps it for the caller.
@ffi.def_extern(error=-errno.EIO)
def lkl_py_transfer(handle: Any, write: int, offset: int, buf: Any, length: int) -> int:
    disk = _source(handle)
    try:
        view = memoryview(ffi.buffer(buf, length))
        if offset + length > disk._back.size:
            raise EOFError("the disk ended")
        if write:
            disk._back.write(offset, view)
        else:
            disk._back.read(offset, view)
        return 0
    except BaseException as err:  # pylint: disable=broad-except
        disk.error = err
        return -errno.EIO


@ffi.def_extern(error=-errno.EIO)
def lkl_py_flush(handle: Any) -> int:
    disk = _source(handle)
    try:
        disk._back.flush()
        return 0
    except BaseException as err:  # pylint: disable=broad-except
        disk.error = err
        return -errno.EIO


M = TypeVar("M", bound="Mount")

# The kernel uses a disk until close(), whether the program still does or not.
_disks: "Set[Disk]" = set()


class Disk:
    """A disk that the kernel has until close().

    source is the path of an image or a block device, or an nbd:// URI; or bytes, or any
    buffer, which is written to if that is possible; or an object with seek() and
    readinto(), and write() and flush() if it can be written to.  An object is used by one
    thread at a time.  What it raises becomes an I/O error (EIO) of the file system, and is
    kept in the attribute error.

    An image in a format of qemu's is read by "lkl serve", in a confined process.
    """

    def __init__(self, source: Any, *, readonly: bool = True, sector_size: int = 512):
        self.error: Optional[BaseException] = None
        self.sector_size = sector_size
        self._open = False
        self._mounts: List["Mount"] = []
        # what has to be undone, the last first
        self._undo = ExitStack()
        self._back: Any = None
        if sector_size not in (512, 1024, 2048, 4096):
            raise ValueError("a sector has 512, 1024, 2048 or 4096 bytes")
        ensure()
        dev = ffi.new("void **")
        with ExitStack() as undo:
            if isinstance(source, (str, os.PathLike)):
                self.id = self._add_file(os.fspath(source), readonly, dev, undo)
            else:
                self.id = self._add_object(source, readonly, dev)
            self._undo = undo.pop_all()
        self._dev = dev[0]
        self._open = True
        _disks.add(self)
        hold(self)

    def _add_object(self, source: Any, readonly: bool, dev: Any) -> int:
        back: Any
        try:
            back = _Memory(source, readonly)
        except TypeError:
            # it is no buffer
            back = _Object(source, readonly)
        return self._add_back(back, dev)

    def _add_back(self, back: Any, dev: Any) -> int:
        self._back = back
        if self._back.size % self.sector_size:
            raise ValueError("the size is not a multiple of %d bytes" % self.sector_size)
        # the kernel's threads find the object by this, so it stays with the disk
        self._handle = ffi.new_handle(self)
        _disks.add(self)
        number = lib.lkl_py_disk_add(self._handle, dev)
        if number < 0:
            _disks.discard(self)
        return check(number)

    def _add_file(self, source: Any, readonly: bool, dev: Any, undo: ExitStack) -> int:
        if not _is_uri(source):
            fd = os.open(source, (os.O_RDONLY if readonly else os.O_RDWR) | os.O_CLOEXEC)
            undo.callback(os.close, fd)
            if not _is_foreign(os.pread(fd, 128, 0)):
                if self.sector_size != 512:
                    return self._add_back(_File(fd, readonly), dev)
                return check(lib.lkl_py_disk_add_fd(fd, dev), source)
            source = _serve(source, readonly, undo)
        if self.sector_size != 512:
            raise ValueError("the server of a disk has to tell the size of its sectors")
        handle = ffi.new("void **")
        check(lib.lkl_py_nbd_open(text_bytes(source), handle), source)
        undo.callback(lib.lkl_py_nbd_close, handle[0])
        return check(lib.lkl_py_disk_add_nbd(handle[0], readonly, dev), source)

    def close(self) -> None:
        """Unmount what is mounted of the disk, and take it away."""
        if not self._open:
            return
        for mount in list(self._mounts):
            mount.close()
        check(lib.lkl_py_disk_remove(self._dev))
        self._end()
        self._undo.close()

    def _end(self) -> None:
        self._open = False
        _disks.discard(self)
        if isinstance(self._back, _Memory):
            # its owner may change its size again
            self._back.view.release()

    def forget(self) -> None:
        """Be closed; the kernel that had the disk is gone."""
        if self._open:
            # what is to be undone is left to the parent of a child
            self._end()

    def __enter__(self) -> "Disk":
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()

    def partitions(self) -> List[int]:
        """Return the numbers of the partitions."""
        dev = ffi.new("unsigned int *")
        return [
            part for part in range(1, 129)
            if lib.lkl_py_get_blkdev(self.id, part, dev) == 0
        ]

    def mount(
        self, fstype: Optional[str] = None, *, part: Optional[int] = None,
        readonly: bool = True, options: str = "",
    ) -> "Mount":
        """Mount the disk or one of its partitions.

        Without fstype, each type that the kernel knows is tried.  Without part, the
        whole disk is taken, or the only partition that has a file system.
        """
        return self._find(Mount, fstype, part, readonly, options)

    def _find(
        self, kind: "Type[M]", fstype: Optional[str], part: Optional[int], readonly: bool,
        options: str,
    ) -> "M":
        if part is not None:
            return self._mount(kind, fstype, part, readonly, options)
        parts = self.partitions()
        if not parts:
            return self._mount(kind, fstype, 0, readonly, options)
        found: "List[M]" = []
        try:
            for number in parts:
                try:
                    found.append(self._mount(kind, fstype, number, readonly, options))
                except OSError:
                    continue
            if len(found) > 1:
                numbers = ", ".join(str(mount.part) for mount in found)
                raise ValueError("partitions %s have file systems: name one" % numbers)
        except BaseException:
            for mount in found:
                # an image would take the disk along
                Mount.close(mount)
            raise
        if not found:
            raise error(-errno.EINVAL)
        return found[0]

    def _mount(
        self, kind: "Type[M]", fstype: Optional[str], part: int, readonly: bool, options: str
    ) -> "M":
        buf = ffi.new("char[]", 64)
        # MS_NODEV, as a device of the image may be the disk of another; MS_RDONLY
        flags = 4 | (1 if readonly else 0)
        last = -errno.EINVAL
        for name in [fstype] if fstype else _types():
            result = lib.lkl_mount_dev(
                self.id, part, text_bytes(name), flags, text_bytes(options) or ffi.NULL,
                buf, 64,
            )
            if result == 0:
                return kind(self, part, name, ffi.string(buf))
            # that it is of another type is no news
            last = result if fstype or result != -errno.EINVAL else last
        raise error(last)


def _types() -> List[str]:
    """Return the types of file systems that are on disks; ext4 stands for ext2 and 3."""
    check(lib.lkl_mount_fs(b"proc"))
    with FileSystem() as fs, fs.open("/proc/filesystems") as lines:
        names = [line.strip() for line in lines if not line.startswith("nodev")]
    # a FAT has little that tells it from others, so it comes last
    late = ("vfat", "msdos", "exfat")
    known = [name for name in names if name not in ("ext2", "ext3", "fuseblk")]
    return sorted(known, key=lambda name: name in late)


class Mount(FileSystem):
    """A mounted file system of a disk."""

    def __init__(self, disk: Disk, part: int, fstype: str, path: bytes):
        self.disk = disk
        self.part = part
        self.fstype = fstype
        super().__init__(path)
        disk._mounts.append(self)

    def close(self) -> None:
        """Unmount.  Fails with EBUSY while files are open."""
        if self._closed:
            return
        super().close()
        try:
            check(lib.lkl_umount_dev(self.disk.id, self.part, 0, 1000))
        except OSError:
            self._enter()
            raise
        self.disk._mounts.remove(self)


class Image(Mount):
    """A mounted file system that takes its disk along when it is closed."""

    def close(self) -> None:
        """Unmount and take the disk away."""
        if not self._closed:
            super().close()
            self.disk.close()


def image(
    source: Any, *, part: Optional[int] = None, fstype: Optional[str] = None,
    readonly: bool = True, options: str = "", sector_size: int = 512,
) -> Image:
    """Open the file system of an image: with lkl.image("disk.img") as fs: ...

    The arguments are those of Disk and Disk.mount().
    """
    disk = Disk(source, readonly=readonly, sector_size=sector_size)
    try:
        return disk._find(Image, fstype, part, readonly, options)
    except BaseException:
        disk.close()
        raise
