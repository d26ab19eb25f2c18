# SPDX-License-Identifier: GPL-2.0-only
"""Files of the kernel as Python's file objects."""

import errno
import io
import os
import stat
from typing import IO, Any, Callable, Optional

from ._lkl import ffi, lib
from .kernel import check, error, hold, retry

# One call moves so much, as a call costs the same for any size.
BUFFER_SIZE = 1 << 18

_MODES = {
    "r": os.O_RDONLY,
    "w": os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
    "a": os.O_WRONLY | os.O_CREAT | os.O_APPEND,
    "x": os.O_WRONLY | os.O_CREAT | os.O_EXCL,
}


class FileIO(io.RawIOBase):
    """An open file of the kernel, without a buffer.

    Its descriptor, in fd, is one of the kernel's, of which the host knows nothing;
    so fileno() is refused.
    """

    def __init__(self, fd: int, name: Any, flags: int):
        self.fd = fd
        self.name = name
        self._access = flags & os.O_ACCMODE
        self._append = bool(flags & os.O_APPEND)
        hold(self)

    def __repr__(self) -> str:
        return "<lkl.FileIO name=%r fd=%d>" % (self.name, self.fd)

    @property
    def mode(self) -> str:
        """How it was opened, like "rb+"."""
        if self._access == os.O_RDONLY:
            return "rb"
        if self._access == os.O_WRONLY:
            return "ab" if self._append else "wb"
        return "ab+" if self._append else "rb+"

    def _check(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")

    def close(self) -> None:
        """Close the descriptor."""
        if not self.closed:
            super().close()
            fd, self.fd = self.fd, -1
            check(lib.lkl_sys_close(fd), self.name)

    def forget(self) -> None:
        """Be closed; the kernel that had the descriptor is gone."""
        self.fd = -1
        super().close()

    def readable(self) -> bool:
        """Tell whether it was opened for reading."""
        self._check()
        return self._access != os.O_WRONLY

    def writable(self) -> bool:
        """Tell whether it was opened for writing."""
        self._check()
        return self._access != os.O_RDONLY

    def seekable(self) -> bool:
        """Tell whether it has a position."""
        self._check()
        return lib.lkl_py_lseek(self.fd, 0, os.SEEK_CUR) >= 0

    def _some(self, result: int) -> Optional[int]:
        if result == -11:  # EAGAIN
            return None
        return check(result, self.name)

    def readinto(self, buffer: Any) -> Optional[int]:
        """Read into a buffer."""
        if not self.readable():
            raise io.UnsupportedOperation("File not open for reading")
        view = memoryview(buffer).cast("B")
        if not view:
            return 0
        with ffi.from_buffer(view, require_writable=True) as buf:
            return self._some(retry(lib.lkl_sys_read, self.fd, buf, len(view)))

    def write(self, data: Any) -> Optional[int]:
        """Write; the number of bytes written may be smaller."""
        if not self.writable():
            raise io.UnsupportedOperation("File not open for writing")
        view = memoryview(data).cast("B")
        with ffi.from_buffer(view) as buf:
            return self._some(retry(lib.lkl_sys_write, self.fd, buf, len(view)))

    def pread_into(self, buffer: Any, offset: int) -> int:
        """Read into a buffer from an offset; the position stays."""
        if not self.readable():
            raise io.UnsupportedOperation("File not open for reading")
        with ffi.from_buffer(buffer, require_writable=True) as buf:
            return check(retry(lib.lkl_py_pread, self.fd, buf, len(buf), offset), self.name)

    def pwrite(self, data: Any, offset: int) -> int:
        """Write at an offset; the position stays."""
        if not self.writable():
            raise io.UnsupportedOperation("File not open for writing")
        with ffi.from_buffer(data) as buf:
            return check(retry(lib.lkl_py_pwrite, self.fd, buf, len(buf), offset), self.name)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Set the position; SEEK_DATA and SEEK_HOLE are known."""
        self._check()
        return check(lib.lkl_py_lseek(self.fd, offset, whence), self.name)

    def tell(self) -> int:
        """Return the position."""
        return self.seek(0, os.SEEK_CUR)

    def truncate(self, size: Optional[int] = None) -> int:
        """Set the size, to the position unless it is given."""
        if not self.writable():
            raise io.UnsupportedOperation("File not open for writing")
        if size is None:
            size = self.tell()
        check(lib.lkl_py_ftruncate(self.fd, size), self.name)
        return size

    def fsync(self) -> None:
        """Have the disk keep what was written."""
        self._check()
        check(retry(lib.lkl_sys_fsync, self.fd), self.name)


def flags_of(mode: str) -> int:
    """Return the flags of open() for a mode like "rb+"."""
    kinds = [letter for letter in mode if letter in _MODES]
    rest = mode.replace("t", "", 1).replace("b", "", 1).replace("+", "", 1)
    if len(kinds) != 1 or rest != kinds[0] or ("t" in mode and "b" in mode):
        raise ValueError("invalid mode: %r" % mode)
    flags = _MODES[kinds[0]]
    return (flags & ~os.O_ACCMODE) | os.O_RDWR if "+" in mode else flags


def open_with(
    opener: Callable[[Any, int, int], int], path: Any, mode: str, buffering: int,
    encoding: Optional[str], errors: Optional[str], newline: Optional[str],
) -> IO[Any]:
    """Open a file by a function that returns a descriptor of the kernel."""
    flags = flags_of(mode)
    binary = "b" in mode
    if binary and (encoding is not None or errors is not None or newline is not None):
        raise ValueError("binary mode doesn't take encoding, errors or newline")
    if buffering == 0 and not binary:
        raise ValueError("can't have unbuffered text I/O")
    raw = FileIO(opener(path, flags, 0o666 if flags & os.O_CREAT else 0), path, flags)
    try:
        st = ffi.new("struct lkl_stat *")
        check(lib.lkl_py_stat(raw.fd, st), path)
        if stat.S_ISDIR(st.st_mode):
            raise error(-errno.EISDIR, path)
        return _buffered(raw, mode, buffering, encoding, errors, newline)
    except BaseException:
        raw.close()
        raise


def _buffered(
    raw: FileIO, mode: str, buffering: int,
    encoding: Optional[str], errors: Optional[str], newline: Optional[str],
) -> IO[Any]:
    if buffering == 0:
        return raw  # type: ignore[return-value]
    size = buffering if buffering > 1 else BUFFER_SIZE
    buffered: Any
    if raw._access == os.O_RDWR:
        buffered = io.BufferedRandom(raw, size)
    elif raw._access == os.O_RDONLY:
        buffered = io.BufferedReader(raw, size)
    else:
        buffered = io.BufferedWriter(raw, size)
    if raw.writable():
        # it has data that no kernel knows of
        hold(buffered)
    if "b" in mode:
        return buffered
    text = io.TextIOWrapper(buffered, encoding, errors, newline, buffering == 1)
    if raw.writable():
        hold(text)
    return text
