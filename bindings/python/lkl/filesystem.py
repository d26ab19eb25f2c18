# SPDX-License-Identifier: GPL-2.0-only
"""A file system of the kernel, with the functions of the os module.

A path begins at the root of the file system, and no symbolic link leads out of it:
each is resolved by openat2() with RESOLVE_IN_ROOT, and what is then done is done to
the descriptor, not to the name.
"""

import errno
import os
import stat as stat_module
import struct
from contextlib import contextmanager
from typing import IO, Any, Iterator, List, Optional, Tuple, Union

from . import file
from ._lkl import ffi, lib
from .kernel import check, ensure, error, hold, retry, text_bytes

Path = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]

_O_PATH = os.O_PATH | os.O_CLOEXEC
_UTIME_NOW = (1 << 30) - 1
_DIRENT = struct.Struct("=QqHB")


def _stat_result(st: Any) -> os.stat_result:
    times = [
        int(seconds) * 10**9 + nsec
        for seconds, nsec in (
            (ffi.cast("long", st.lkl_st_atime), st.st_atime_nsec),
            (ffi.cast("long", st.lkl_st_mtime), st.st_mtime_nsec),
            (ffi.cast("long", st.lkl_st_ctime), st.st_ctime_nsec),
        )
    ]
    seconds = [ns // 10**9 for ns in times]
    names = ("atime", "mtime", "ctime")
    more = {"st_blksize": st.st_blksize, "st_blocks": st.st_blocks, "st_rdev": st.st_rdev}
    more.update({"st_%s" % name: ns / 10**9 for name, ns in zip(names, times)})
    more.update({"st_%s_ns" % name: ns for name, ns in zip(names, times)})
    return os.stat_result(
        (
            st.st_mode,
            st.st_ino,
            st.st_dev,
            st.st_nlink,
            st.st_uid,
            st.st_gid,
            st.st_size,
            *seconds,
        ),
        more,
    )


def fstat(fd: int) -> os.stat_result:
    """Return what stat() tells of an open descriptor of the kernel."""
    st = ffi.new("struct lkl_stat *")
    check(lib.lkl_py_stat(fd, st))
    return _stat_result(st)


class DirEntry:
    """An entry of a directory, like os.DirEntry."""

    def __init__(self, fs: "FileSystem", path: Any, name: Any, ino: int, kind: int):
        self._fs = fs
        self._ino = ino
        self._kind = kind
        self.name = name
        self.path = path

    def __repr__(self) -> str:
        return "<DirEntry %r>" % self.name

    def __fspath__(self) -> Any:
        return self.path

    def inode(self) -> int:
        """Return the inode number."""
        return self._ino

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Return what stat() tells of the entry."""
        return self._fs.stat(self.path, follow_symlinks=follow_symlinks)

    def _is(self, kind: int, follow_symlinks: bool) -> bool:
        link = stat_module.S_IFLNK >> 12
        if self._kind and (self._kind != link or not follow_symlinks):
            return self._kind == kind >> 12
        try:
            mode = self.stat(follow_symlinks=follow_symlinks).st_mode
        except FileNotFoundError:
            return False
        return stat_module.S_IFMT(mode) == kind

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        """Tell whether it is a directory."""
        return self._is(stat_module.S_IFDIR, follow_symlinks)

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        """Tell whether it is a regular file."""
        return self._is(stat_module.S_IFREG, follow_symlinks)

    def is_symlink(self) -> bool:
        """Tell whether it is a symbolic link."""
        return self._is(stat_module.S_IFLNK, False)


def _parse(fs: "FileSystem", path: Any, block: bytes) -> Iterator[DirEntry]:
    """Return the entries that one call of getdents64() gave."""
    pos = 0
    while pos < len(block):
        ino, _, reclen, kind = _DIRENT.unpack_from(block, pos)
        name: Any = block[pos + _DIRENT.size : pos + reclen]
        name = name[: name.index(0)]
        pos += reclen
        if name in (b".", b".."):
            continue
        if isinstance(path, str):
            name = os.fsdecode(name)
        yield DirEntry(fs, os.path.join(path, name), name, ino, kind)


class _Scan:
    """What scandir() returns: an iterator that is a context manager, too."""

    def __init__(self, fs: "FileSystem", fd: int, path: Any):
        self._fd = fd
        self._fs = fs
        self._path = path
        self._block: Iterator[DirEntry] = iter(())
        hold(self)

    def __iter__(self) -> Iterator[DirEntry]:
        return self

    def __next__(self) -> DirEntry:
        while True:
            for entry in self._block:
                return entry
            if self._fd < 0:
                raise StopIteration
            self._block = self._read()

    def _read(self) -> Iterator[DirEntry]:
        size = 65536
        buf = ffi.new("char[]", size)
        end = check(lib.lkl_py_getdents(self._fd, buf, size), self._path)
        if not end:
            self.close()
        return _parse(self._fs, self._path, bytes(ffi.buffer(buf, end)))

    def __enter__(self) -> "_Scan":
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Close the directory."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            self._block = iter(())
            lib.lkl_sys_close(fd)

    def forget(self) -> None:
        """Be closed; the kernel that had the descriptor is gone."""
        self._fd = -1


class FileSystem:
    """The tree below a directory of the kernel.

    The methods are those of the os and os.path modules and take the same arguments;
    there is no working directory, so a relative path begins at the root as well.
    """

    def __init__(self, root: Path = "/"):
        self._closed = True
        self.root = text_bytes(root)
        ensure()
        self._enter()
        hold(self)

    def _enter(self) -> None:
        self._fd = check(
            lib.lkl_py_openat(-100, self.root, _O_PATH | os.O_DIRECTORY, 0, 0), self.root
        )
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether it has been closed."""
        return self._closed

    def close(self) -> None:
        """Let go of the root.  Files that are open stay open."""
        if not self._closed:
            self._closed = True
            lib.lkl_sys_close(self._fd)

    def forget(self) -> None:
        """Be closed; the kernel that had the root is gone."""
        self._closed = True

    def __del__(self) -> None:
        if not getattr(self, "_closed", True):
            FileSystem.close(self)

    def __enter__(self) -> "FileSystem":
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()

    def _open(self, path: Path, flags: int, mode: int = 0) -> int:
        if self._closed:
            raise ValueError("the file system is closed")
        name = text_bytes(path)
        flags |= os.O_CLOEXEC | os.O_LARGEFILE
        return check(
            retry(lib.lkl_py_openat, self._fd, name or b"", flags, mode & 0o7777, 1), path
        )

    @contextmanager
    def _at(self, path: Path, follow: bool = True) -> Iterator[int]:
        fd = self._open(path, _O_PATH | (0 if follow else os.O_NOFOLLOW))
        try:
            yield fd
        finally:
            lib.lkl_sys_close(fd)

    @contextmanager
    def _parent(self, path: Path) -> Iterator[Tuple[int, bytes]]:
        """Open the directory that has the last component of a path."""
        name = text_bytes(path)
        if not name:
            raise error(-errno.ENOENT, path)
        stripped = name.rstrip(b"/")
        head, _, last = stripped.rpartition(b"/")
        # of "/", as of "." and "..", the kernel says why not, and never looks it up
        last += name[len(stripped):][:1]
        fd = self._open(head or b"/", _O_PATH | os.O_DIRECTORY)
        try:
            yield fd, last
        finally:
            lib.lkl_sys_close(fd)

    def open(
        self,
        path: Path,
        mode: str = "r",
        buffering: int = -1,
        encoding: Optional[str] = None,
        errors: Optional[str] = None,
        newline: Optional[str] = None,
    ) -> IO[Any]:
        """Open a file, as the built-in open() does."""
        return file.open_with(self._open, path, mode, buffering, encoding, errors, newline)

    # what is there

    def stat(self, path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        """Return what stat() tells of a file."""
        with self._at(path, follow_symlinks) as fd:
            return fstat(fd)

    def lstat(self, path: Path) -> os.stat_result:
        """Return what stat() tells of a file, which may be a symbolic link."""
        return self.stat(path, follow_symlinks=False)

    def statvfs(self, path: Path = "/") -> os.statvfs_result:
        """Return the size of the file system and what is free of it."""
        st = ffi.new("struct lkl_statfs *")
        with self._at(path) as fd:
            check(lib.lkl_sys_fstatfs(fd, st), path)
        return os.statvfs_result(
            (
                st.f_bsize,
                st.f_frsize,
                st.f_blocks,
                st.f_bfree,
                st.f_bavail,
                st.f_files,
                st.f_ffree,
                st.f_ffree,
                st.f_flags,
                st.f_namelen,
            )
        )

    def access(self, path: Path, mode: int, *, follow_symlinks: bool = True) -> bool:
        """Tell whether a file may be used in this way."""
        try:
            with self._at(path, follow_symlinks) as fd:
                return lib.lkl_py_access(fd, mode) == 0
        except OSError:
            return False

    def _mode(self, path: Path, follow: bool = True) -> int:
        try:
            return self.stat(path, follow_symlinks=follow).st_mode
        except (OSError, ValueError):
            return 0

    def exists(self, path: Path) -> bool:
        """Tell whether there is a file."""
        return self._mode(path) != 0

    def lexists(self, path: Path) -> bool:
        """Tell whether there is a file, or a symbolic link to nothing."""
        return self._mode(path, False) != 0

    def isdir(self, path: Path) -> bool:
        """Tell whether it is a directory."""
        return stat_module.S_ISDIR(self._mode(path))

    def isfile(self, path: Path) -> bool:
        """Tell whether it is a regular file."""
        return stat_module.S_ISREG(self._mode(path))

    def islink(self, path: Path) -> bool:
        """Tell whether it is a symbolic link."""
        return stat_module.S_ISLNK(self._mode(path, False))

    def scandir(self, path: Path = "/") -> _Scan:
        """Return an iterator over the entries of a directory."""
        fd = self._open(path, os.O_RDONLY | os.O_DIRECTORY)
        return _Scan(self, fd, os.fspath(path))

    def listdir(self, path: Path = "/") -> List[Any]:
        """Return the names in a directory."""
        with self.scandir(path) as entries:
            return [entry.name for entry in entries]

    def walk(
        self, top: Path = "/", topdown: bool = True, onerror: Any = None,
        followlinks: bool = False,
    ) -> Iterator[Tuple[Any, List[Any], List[Any]]]:
        """Walk through a tree, as os.walk() does."""
        path = os.fspath(top)
        dirs: List[Any] = []
        others: List[Any] = []
        below: List[Any] = []
        try:
            with self.scandir(path) as entries:
                for entry in entries:
                    (dirs if entry.is_dir() else others).append(entry.name)
                    if entry.is_dir(follow_symlinks=followlinks):
                        below.append(entry.name)
        except OSError as err:
            if onerror is not None:
                onerror(err)
            return
        if topdown:
            found = list(dirs)
            yield path, dirs, others
            # the caller may have taken some away, and named others
            links = () if followlinks else set(found) - set(below)
            below = [name for name in dirs if name not in links]
        for name in below:
            yield from self.walk(os.path.join(path, name), topdown, onerror, followlinks)
        if not topdown:
            yield path, dirs, others

    def readlink(self, path: Path) -> Any:
        """Return the target of a symbolic link."""
        buf = ffi.new("char[]", 4097)
        with self._at(path, False) as fd:
            length = lib.lkl_py_readlink(fd, buf, 4097)
        # that is what the kernel says of a descriptor of anything else
        check(-errno.EINVAL if length == -errno.ENOENT else length, path)
        target = bytes(ffi.buffer(buf, length))
        return os.fsdecode(target) if isinstance(os.fspath(path), str) else target

    # changes

    def mkdir(self, path: Path, mode: int = 0o777) -> None:
        """Make a directory."""
        with self._parent(path) as (fd, name):
            check(lib.lkl_py_mkdirat(fd, name, mode), path)

    def makedirs(self, path: Path, mode: int = 0o777, exist_ok: bool = False) -> None:
        """Make a directory and the directories above it that are missing."""
        missing = []
        head = os.path.dirname(text_bytes(path).rstrip(b"/"))
        while head and not self.exists(head):
            missing.append(head)
            head = os.path.dirname(head.rstrip(b"/"))
        for head in reversed(missing):
            try:
                self.mkdir(head)
            except FileExistsError:
                if not self.isdir(head):
                    raise
        try:
            self.mkdir(path, mode)
        except FileExistsError:
            if not exist_ok or not self.isdir(path):
                raise

    def remove(self, path: Path) -> None:
        """Remove a file."""
        with self._parent(path) as (fd, name):
            check(lib.lkl_py_unlinkat(fd, name, 0), path)

    unlink = remove

    def rmdir(self, path: Path) -> None:
        """Remove an empty directory."""
        with self._parent(path) as (fd, name):
            check(lib.lkl_py_unlinkat(fd, name, 0x200), path)  # AT_REMOVEDIR

    def rmtree(self, path: Path) -> None:
        """Remove a directory and all that is in it."""
        if not stat_module.S_ISDIR(self.lstat(path).st_mode):
            raise error(-errno.ENOTDIR, path)
        directories = [os.fspath(path)]
        for top in directories:
            with self.scandir(top) as entries:
                found = list(entries)
            for entry in found:
                if entry.is_dir(follow_symlinks=False):
                    directories.append(entry.path)
                else:
                    self.remove(entry.path)
        for top in reversed(directories):
            self.rmdir(top)

    def rename(self, src: Path, dst: Path) -> None:
        """Rename a file; one that has the new name is replaced."""
        with self._parent(src) as (fd, name), self._parent(dst) as (newfd, newname):
            check(lib.lkl_py_renameat(fd, name, newfd, newname, 0), src, None, dst)

    replace = rename

    def link(self, src: Path, dst: Path, *, follow_symlinks: bool = True) -> None:
        """Make a hard link."""
        with self._at(src, follow_symlinks) as fd, self._parent(dst) as (newfd, name):
            check(lib.lkl_py_link(fd, newfd, name), src, None, dst)

    def symlink(self, src: Path, dst: Path, target_is_directory: bool = False) -> None:
        """Make a symbolic link with the target src."""
        with self._parent(dst) as (fd, name):
            check(lib.lkl_py_symlinkat(text_bytes(src), fd, name), src, None, dst)

    def mknod(self, path: Path, mode: int = 0o600, device: int = 0) -> None:
        """Make a file of any kind but a directory."""
        with self._parent(path) as (fd, name):
            check(lib.lkl_py_mknodat(fd, name, mode, device), path)

    def mkfifo(self, path: Path, mode: int = 0o666) -> None:
        """Make a FIFO."""
        self.mknod(path, mode | stat_module.S_IFIFO)

    def chmod(self, path: Path, mode: int, *, follow_symlinks: bool = True) -> None:
        """Change the mode."""
        with self._at(path, follow_symlinks) as fd:
            check(lib.lkl_py_fchmod(fd, mode), path)

    def chown(self, path: Path, uid: int, gid: int, *, follow_symlinks: bool = True) -> None:
        """Change the owner and the group; -1 keeps one."""
        # -1 is the largest number; what is no 32-bit number is refused by the call
        owner = [0xFFFFFFFF if number == -1 else number for number in (uid, gid)]
        with self._at(path, follow_symlinks) as fd:
            check(lib.lkl_py_fchown(fd, *owner), path)

    def lchown(self, path: Path, uid: int, gid: int) -> None:
        """Change the owner and the group of a file that may be a symbolic link."""
        self.chown(path, uid, gid, follow_symlinks=False)

    def utime(
        self, path: Path, times: Optional[Tuple[float, float]] = None,
        *, ns: Optional[Tuple[int, int]] = None, follow_symlinks: bool = True,
    ) -> None:
        """Set the times of access and modification; to now without any."""
        if times is not None and ns is not None:
            raise ValueError("utime: you may specify either 'times' or 'ns' but not both")
        if times is not None:
            ns = (round(times[0] * 10**9), round(times[1] * 10**9))
        with self._at(path, follow_symlinks) as fd:
            if ns is None:
                args = (0, _UTIME_NOW, 0, _UTIME_NOW)
            else:
                args = (*divmod(ns[0], 10**9), *divmod(ns[1], 10**9))
            check(lib.lkl_py_utimens(fd, *args), path)

    def truncate(self, path: Path, length: int) -> None:
        """Set the size of a file."""
        fd = self._open(path, os.O_WRONLY)
        try:
            check(lib.lkl_py_ftruncate(fd, length), path)
        finally:
            lib.lkl_sys_close(fd)

    def sync(self) -> None:
        """Write all that was changed to the disks."""
        lib.lkl_sys_sync()

    # extended attributes, by /proc as the kernel takes no descriptor of O_PATH

    @contextmanager
    def _proc(self, path: Path, follow: bool) -> Iterator[bytes]:
        check(lib.lkl_mount_fs(b"proc"))
        with self._at(path, follow) as fd:
            yield b"/proc/self/fd/%d" % fd

    def getxattr(self, path: Path, attribute: Path, *, follow_symlinks: bool = True) -> bytes:
        """Return the value of an extended attribute."""
        buf = ffi.new("char[]", 65536)
        with self._proc(path, follow_symlinks) as name:
            length = lib.lkl_py_getxattr(name, text_bytes(attribute), buf, 65536)
        return bytes(ffi.buffer(buf, check(length, path)))

    def setxattr(
        self, path: Path, attribute: Path, value: bytes, flags: int = 0,
        *, follow_symlinks: bool = True,
    ) -> None:
        """Set an extended attribute."""
        with self._proc(path, follow_symlinks) as name, ffi.from_buffer(value) as buf:
            check(
                lib.lkl_py_setxattr(name, text_bytes(attribute), buf, len(buf), flags), path
            )

    def listxattr(self, path: Path, *, follow_symlinks: bool = True) -> List[str]:
        """Return the names of all extended attributes."""
        buf = ffi.new("char[]", 65536)
        with self._proc(path, follow_symlinks) as name:
            length = lib.lkl_py_listxattr(name, buf, 65536)
        names = bytes(ffi.buffer(buf, check(length, path))).split(b"\0")
        return [os.fsdecode(name) for name in names[:-1]]

    def removexattr(self, path: Path, attribute: Path, *, follow_symlinks: bool = True) -> None:
        """Remove an extended attribute."""
        with self._proc(path, follow_symlinks) as name:
            check(lib.lkl_py_removexattr(name, text_bytes(attribute)), path)
