# SPDX-License-Identifier: GPL-2.0-only
"""The life of the kernel: boot, halt, errors."""

import atexit
import errno
import itertools
import json
import os
import threading
import weakref
from typing import Any, Callable, List, Mapping, Optional

from ._lkl import ffi, lib

DEFAULT_CMDLINE = "mem=128M loglevel=4"

_lock = threading.RLock()
_configured = False
_initialized = False

# What has something of the kernel's, by the order in which it got it.
_held: "weakref.WeakValueDictionary[int, Any]" = weakref.WeakValueDictionary()
_numbers = itertools.count()


def hold(holder: Any) -> None:
    """Have halt() close an object first, and then forget(), if it has that.

    A number of this kernel, a descriptor's for one, may be another object's in the next:
    forget() has the object never use its own again.
    """
    _held[next(_numbers)] = holder


def _holders() -> List[Any]:
    """Return what is held, the last first: a disk may be a file of another disk."""
    refs = sorted(_held.valuerefs(), key=lambda ref: -ref.key)  # type: ignore[attr-defined]
    return [holder for holder in (ref() for ref in refs) if holder is not None]


def _forget(holders: List[Any]) -> None:
    for holder in holders:
        if hasattr(holder, "forget"):
            holder.forget()
    _held.clear()


def error(err: int, *names: Any) -> OSError:
    """Return the OSError for a negative error number of the library."""
    return OSError(-err, ffi.string(lib.lkl_strerror(err)).decode(), *names)


def check(result: int, *names: Any) -> int:
    """Return what a call returned, or raise it as OSError; names are the files'."""
    if result < 0:
        raise error(result, *names)
    return result


def text_bytes(text: Any) -> bytes:
    """Return a name as the kernel takes it, which is one without a null byte."""
    raw = os.fsencode(text)
    if b"\0" in raw:
        raise ValueError("embedded null byte")
    return raw


def retry(call: Callable[..., int], *args: Any) -> int:
    """Make a call until no signal interrupts it.

    Python's handlers of signals run between two attempts, and end them by raising.
    """
    while True:
        result = call(*args)
        if result != -errno.EINTR:
            return result


def boot(
    cmdline: str = DEFAULT_CMDLINE, *, config: Optional[Mapping[str, Any]] = None
) -> None:
    """Boot the kernel.

    cmdline is the kernel's command line; "mem=" sets the size of its memory.
    config is what lkl-config(5) describes, for instance
    {"interfaces": [{"type": "user"}]}.

    Raises OSError (EBUSY) when a kernel runs already.
    """
    global _configured
    with _lock:
        if lib.lkl_is_running():
            raise error(-errno.EBUSY)
        # a halt that was interrupted may have left them
        _forget(_holders())
        try:
            _init()
            if config is not None:
                _configured = True
                check(lib.lkl_py_config(json.dumps(config).encode()))
            check(lib.lkl_py_start(text_bytes(cmdline)))
            if config is not None:
                check(lib.lkl_py_config_done())
        except BaseException:
            halt()
            raise


def _init() -> None:
    """Initialize the library, unless it is so.

    An exception of a handler of signals, as of Ctrl-C, may come between a call of the
    library and the next statement.  So what says that there is something to be undone is
    set before it is done, and the library itself is asked what is done already.
    """
    global _initialized
    _initialized = True
    result = lib.lkl_py_init()
    if result != -errno.EBUSY:
        check(result)


def ensure() -> None:
    """Boot with the default command line, unless a kernel runs."""
    with _lock:
        if not lib.lkl_is_running():
            boot()


def running() -> bool:
    """Tell whether a kernel runs."""
    return bool(lib.lkl_is_running())


def halt() -> None:
    """Close files, sockets and images, and halt the kernel; without one nothing happens.

    Raises the first error of a close, when the kernel has halted.  boot() starts a new
    kernel.  This happens by itself at the end of the program.
    """
    global _configured, _initialized
    failed: Optional[BaseException] = None
    with _lock:
        holders = _holders()
        for holder in holders:
            try:
                holder.close()
            except ValueError:
                # a detached buffer has nothing any more
                continue
            except Exception as err:  # pylint: disable=broad-except
                failed = failed or err
        if _configured:
            lib.lkl_py_config_drop()
            _configured = False
        if lib.lkl_is_running():
            check(lib.lkl_sys_halt())
        if _initialized:
            lib.lkl_cleanup()
            _initialized = False
        _forget(holders)
    if failed is not None:
        raise failed


def log() -> str:
    """Return the kernel's messages, as dmesg(1) prints them."""
    ensure()
    size = check(lib.lkl_py_syslog(10, ffi.NULL, 0))  # SYSLOG_ACTION_SIZE_BUFFER
    buf = ffi.new("char[]", size)
    length = check(lib.lkl_py_syslog(3, buf, size))  # SYSLOG_ACTION_READ_ALL
    return bytes(ffi.buffer(buf, length)).decode(errors="replace")


def _forked() -> None:
    """Forget the parent's kernel: a child that wants one boots its own."""
    global _lock, _configured, _initialized
    _lock = threading.RLock()
    _configured = _initialized = False
    _forget(_holders())


atexit.register(halt)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
