# SPDX-License-Identifier: GPL-2.0-only
"""Trees between the host and a file system of the kernel.

Modes, times, symbolic links, hard links, holes and, as far as they may be set, owners
are kept.  On the host each name is used below the descriptor of its directory, which
this module made or opened without following a link, so nothing is written elsewhere,
whatever the image says.
"""

import errno
import os
import stat
from typing import Any, Dict, Iterator, List, NamedTuple, Tuple

from .filesystem import FileSystem, Path

_CHUNK = 1 << 20
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_DIR = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def _extents(size: int, seek: Any) -> "Iterator[Tuple[int, int]]":
    """Yield where the data of a file is."""
    pos = 0
    while pos < size:
        try:
            begin = seek(pos, os.SEEK_DATA)
        except OSError as err:
            if err.errno != errno.ENXIO:
                yield pos, size
            # else only a hole is left
            return
        pos = min(seek(begin, os.SEEK_HOLE), size)
        yield begin, pos


def _copy_data(size: int, seek: Any, read: Any, write: Any) -> None:
    """Copy the data of a file: read(view, position) and write(view, position)."""
    buffer = memoryview(bytearray(min(_CHUNK, max(size, 1))))
    for pos, end in _extents(size, seek):
        while pos < end:
            count = read(buffer[: end - pos], pos)
            if not count:
                return
            data = buffer[:count]
            while data:
                done = write(data, pos)
                data, pos = data[done:], pos + done


class _Dir(NamedTuple):
    """A directory of the host that is being filled."""

    name: bytes
    fd: int
    st: os.stat_result
    entries: Any


class _Out:
    def __init__(self, fs: FileSystem, top: int):
        self.fs = fs
        self.top = top
        # the first name of each file that has more, below the directory of the copy
        self.links: Dict[Tuple[int, int], List[bytes]] = {}
        # directories that are being filled, each in the one before
        self.dirs: List[_Dir] = []
        self.owner = os.geteuid() == 0

    def _file(self, src: bytes, st: os.stat_result, dirfd: int, name: bytes) -> None:
        fd = os.open(name, _NEW, 0o600, dir_fd=dirfd)
        try:
            with self.fs.open(src, "rb", buffering=0) as data:
                _copy_data(st.st_size, data.seek, data.pread_into,  # type: ignore[attr-defined]
                           lambda view, pos: os.pwrite(fd, view, pos))
            os.ftruncate(fd, st.st_size)
            self._meta(fd, st)
        finally:
            os.close(fd)

    def _meta(self, fd: int, st: os.stat_result) -> None:
        if self.owner:
            os.fchown(fd, st.st_uid, st.st_gid)
        os.fchmod(fd, stat.S_IMODE(st.st_mode) & (0o7777 if self.owner else 0o777))
        os.utime(fd, ns=(st.st_atime_ns, st.st_mtime_ns))

    def _begin_dir(self, src: bytes, st: os.stat_result, dirfd: int, name: bytes) -> None:
        try:
            os.mkdir(name, 0o700, dir_fd=dirfd)
        except FileExistsError:
            pass
        fd = os.open(name, _DIR, dir_fd=dirfd)
        try:
            self.dirs.append(_Dir(name, fd, st, self.fs.scandir(src)))
        except BaseException:
            os.close(fd)
            raise

    def tree(self, src: bytes, name: bytes) -> None:
        """Copy a file, or a tree of any depth."""
        try:
            self._one(src, self.top, name)
            while self.dirs:
                below = self.dirs[-1]
                entry = next(below.entries, None)
                if entry is not None:
                    self._one(entry.path, below.fd, entry.name)
                else:
                    self._meta(below.fd, below.st)
                    os.close(self.dirs.pop().fd)
        finally:
            for below in self.dirs:
                below.entries.close()
                os.close(below.fd)

    def _link(self, first: List[bytes], dirfd: int, name: bytes) -> None:
        fd = os.dup(self.top)
        try:
            for part in first[:-1]:
                below = os.open(part, _DIR, dir_fd=fd)
                os.close(fd)
                fd = below
            os.link(first[-1], name, src_dir_fd=fd, dst_dir_fd=dirfd, follow_symlinks=False)
        finally:
            os.close(fd)

    def _special(self, st: os.stat_result, dirfd: int, name: bytes) -> None:
        if self.owner:
            os.chown(name, st.st_uid, st.st_gid, dir_fd=dirfd, follow_symlinks=False)
        if not stat.S_ISLNK(st.st_mode):
            # by the descriptor, as a link may have taken the name meanwhile
            fd = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=dirfd)
            try:
                if stat.S_IFMT(os.fstat(fd).st_mode) == stat.S_IFMT(st.st_mode):
                    os.chmod("/proc/self/fd/%d" % fd, stat.S_IMODE(st.st_mode))
            finally:
                os.close(fd)
        os.utime(name, ns=(st.st_atime_ns, st.st_mtime_ns), dir_fd=dirfd,
                 follow_symlinks=False)

    def _one(self, src: bytes, dirfd: int, name: bytes) -> None:
        st = self.fs.lstat(src)
        kind = stat.S_IFMT(st.st_mode)
        if kind == stat.S_IFDIR:
            self._begin_dir(src, st, dirfd, name)
            return
        key = (st.st_dev, st.st_ino)
        if st.st_nlink > 1 and key in self.links:
            self._link(self.links[key], dirfd, name)
            return
        if kind == stat.S_IFREG:
            self._file(src, st, dirfd, name)
        elif kind == stat.S_IFLNK:
            os.symlink(self.fs.readlink(src), name, dir_fd=dirfd)
        else:
            os.mknod(name, kind | 0o600, st.st_rdev, dir_fd=dirfd)
        if kind != stat.S_IFREG:
            self._special(st, dirfd, name)
        if st.st_nlink > 1:
            self.links[key] = [*(below.name for below in self.dirs), name]


def copy_out(fs: FileSystem, src: Path, dst: Path) -> None:
    """Copy a file or a tree of the kernel to the host.

    dst is the copy's name.  A directory that is there is filled; any other file that is
    there raises FileExistsError.
    """
    target = os.fsencode(dst).rstrip(b"/") or b"/"
    head, name = os.path.split(target)
    dirfd = os.open(head or b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _Out(fs, dirfd).tree(os.fsencode(src), name or b".")
    finally:
        os.close(dirfd)


class _In:
    def __init__(self, fs: FileSystem):
        self.fs = fs
        self.links: Dict[Tuple[int, int], bytes] = {}

    def _file(self, src: bytes, st: os.stat_result, dst: bytes) -> None:
        fd = os.open(src, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            with self.fs.open(dst, "xb", buffering=0) as data:
                _copy_data(
                    st.st_size, lambda pos, whence: os.lseek(fd, pos, whence),
                    lambda view, pos: os.preadv(fd, [view], pos),
                    data.pwrite,  # type: ignore[attr-defined]
                )
                data.truncate(st.st_size)
        finally:
            os.close(fd)

    def _meta(self, st: os.stat_result, dst: bytes) -> None:
        self.fs.lchown(dst, st.st_uid, st.st_gid)
        if not stat.S_ISLNK(st.st_mode):
            self.fs.chmod(dst, stat.S_IMODE(st.st_mode), follow_symlinks=False)
        self.fs.utime(dst, ns=(st.st_atime_ns, st.st_mtime_ns), follow_symlinks=False)

    def tree(self, src: bytes, dst: bytes) -> None:
        """Copy a file, or a tree of any depth."""
        left = [(src, dst)]
        # what is in a directory changes its times, so it gets them in the end
        dirs: List[Tuple[os.stat_result, bytes]] = []
        while left:
            src, dst = left.pop()
            st = os.lstat(src)
            if stat.S_ISDIR(st.st_mode):
                if not self.fs.isdir(dst):
                    self.fs.mkdir(dst, 0o700)
                dirs.append((st, dst))
                left += [(os.path.join(src, name), os.path.join(dst, name))
                         for name in os.listdir(src)]
            else:
                self._one(src, st, dst)
        for st, dst in reversed(dirs):
            self._meta(st, dst)

    def _one(self, src: bytes, st: os.stat_result, dst: bytes) -> None:
        key = (st.st_dev, st.st_ino)
        if st.st_nlink > 1:
            if key in self.links:
                self.fs.link(self.links[key], dst, follow_symlinks=False)
                return
            self.links[key] = dst
        if stat.S_ISREG(st.st_mode):
            self._file(src, st, dst)
        elif stat.S_ISLNK(st.st_mode):
            self.fs.symlink(os.readlink(src), dst)
        else:
            self.fs.mknod(dst, st.st_mode, st.st_rdev)
        self._meta(st, dst)


def copy_in(fs: FileSystem, src: Path, dst: Path) -> None:
    """Copy a file or a tree of the host into a file system of the kernel.

    dst is the copy's name.  A directory that is there is filled; any other file that is
    there raises FileExistsError.  Owners are kept; the file system says how far.
    """
    _In(fs).tree(os.fsencode(src), os.fsencode(dst))
