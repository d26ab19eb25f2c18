# SPDX-License-Identifier: GPL-2.0-only
"""The interface of the socket module, on the kernel's network.

    lkl.boot(config={"interfaces": [{"type": "user"}]})
    with lkl.socket.create_connection(("10.0.2.2", 80)) as s:
        s.sendall(b"GET / HTTP/1.0\r\n\r\n")

Addresses are numbers: the library has no resolver, and the host's is never asked.
A descriptor is one of the kernel's, of which the host knows nothing, so select() of
this module waits for them, and the host's cannot.
"""

import errno
import os
import socket as host
import struct
import time
from typing import IO, Any, Dict, Iterable, List, Optional, Tuple, Union

from ._lkl import ffi, lib
from .kernel import check, ensure, error, hold, retry, text_bytes

AF_INET = int(host.AF_INET)
AF_INET6 = int(host.AF_INET6)
AF_UNIX = int(host.AF_UNIX)
_CONSTANTS = ("AF_", "SOCK_", "SOL_", "SO_", "IPPROTO_", "IP_", "IPV6_", "TCP_", "MSG_",
              "SHUT_", "INADDR_", "SOMAXCONN", "UDP_", "AI_", "EAI_")
globals().update({
    name: int(value) for name, value in vars(host).items()
    if name.startswith(_CONSTANTS) and isinstance(value, int)
})

SOCK_STREAM = int(host.SOCK_STREAM)
SOCK_DGRAM = int(host.SOCK_DGRAM)
timeout = host.timeout
gaierror = host.gaierror
herror = host.herror
inet_aton, inet_ntoa = host.inet_aton, host.inet_ntoa
inet_pton, inet_ntop = host.inet_pton, host.inet_ntop
htons, ntohs, htonl, ntohl = host.htons, host.ntohs, host.htonl, host.ntohl

POLLIN, POLLOUT, POLLERR, POLLHUP, POLLNVAL = 1, 4, 8, 16, 32
_ADDRESS_MAX = 128


def getaddrinfo(
    name: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
) -> "List[Any]":
    """Return what a numeric address means; a name raises gaierror."""
    return host.getaddrinfo(name, port, family, type, proto, flags | host.AI_NUMERICHOST)


def _pack(family: int, address: Any) -> bytes:
    if family == AF_UNIX:
        path = os.fsencode(address)
        if len(path) > 107:
            raise OSError("AF_UNIX path too long")
        return struct.pack("=H", family) + path + (b"" if path[:1] in (b"", b"\0") else b"\0")
    if family == AF_INET:
        name, port = address
        name = {"": "0.0.0.0", "<broadcast>": "255.255.255.255"}.get(name, name)
        return struct.pack("=H", family) + struct.pack(">H", _port(port)) + _number(
            family, name) + bytes(8)
    if family == AF_INET6:
        name, port, flow, scope = (*address, 0, 0)[:4]
        name, _, zone = name.partition("%")
        if zone:
            scope = int(zone)
        return (
            struct.pack("=H", family) + struct.pack(">HI", _port(port), flow)
            + _number(family, name or "::") + struct.pack("=I", scope)
        )
    if isinstance(address, (bytes, bytearray)):
        return bytes(address)
    raise OSError("address family %d needs an address in bytes" % family)


def _port(port: int) -> int:
    if not 0 <= port <= 0xFFFF:
        raise OverflowError("port must be 0-65535.")
    return port


def _number(family: int, name: str) -> bytes:
    try:
        return host.inet_pton(family, name)
    except OSError:
        if name == "localhost":
            return host.inet_pton(family, "::1" if family == AF_INET6 else "127.0.0.1")
        raise gaierror(host.EAI_NONAME, "'%s' is not a numeric address" % name) from None


def _unpack(raw: bytes) -> Any:
    if len(raw) < 2:
        return None
    family = struct.unpack_from("=H", raw)[0]
    if family == AF_INET:
        return host.inet_ntop(family, raw[4:8]), struct.unpack_from(">H", raw, 2)[0]
    if family == AF_INET6:
        port, flow = struct.unpack_from(">HI", raw, 2)
        scope = struct.unpack_from("=I", raw, 24)[0]
        return host.inet_ntop(family, raw[8:24]), port, flow, scope
    if family == AF_UNIX:
        path = raw[2:]
        return path if path[:1] == b"\0" else os.fsdecode(path.split(b"\0")[0])
    return raw


def _milliseconds(deadline: Optional[float]) -> int:
    """Return what is left for poll(), which waits no longer than 24 days at once."""
    if deadline is None:
        return -1
    return int(max(0, min((deadline - time.monotonic()) * 1000 + 0.999, 0x7FFFFFFF)))


class socket:
    """A socket of the kernel, with the methods of socket.socket."""

    def __init__(
        self, family: int = AF_INET, type: int = SOCK_STREAM, proto: int = 0,
        fileno: Optional[int] = None,
    ):
        ensure()
        self._closed = True
        self._timeout: Optional[float] = getdefaulttimeout()
        self._io_refs = 0
        if fileno is None:
            fileno = check(
                lib.lkl_py_socket(family, type | host.SOCK_NONBLOCK | host.SOCK_CLOEXEC, proto)
            )
        else:
            flags = check(lib.lkl_py_fcntl(fileno, 3, 0))  # F_GETFL
            check(lib.lkl_py_fcntl(fileno, 4, flags | os.O_NONBLOCK))  # F_SETFL
        self._fd = fileno
        self._closed = False
        hold(self)
        self.family = family
        self.type = type & ~(host.SOCK_NONBLOCK | host.SOCK_CLOEXEC)
        self.proto = proto

    def __enter__(self) -> "socket":
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()

    def __del__(self) -> None:
        if not getattr(self, "_closed", True):
            self._real_close()

    def __repr__(self) -> str:
        return "<lkl.socket fd=%d, family=%d, type=%d, proto=%d%s>" % (
            self.fileno(), self.family, self.type, self.proto,
            " [closed]" if self._closed else "",
        )

    # life

    def fileno(self) -> int:
        """Return the descriptor, one of the kernel's, or -1."""
        return -1 if self._closed else self._fd

    def _real_close(self) -> None:
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            lib.lkl_sys_close(fd)

    def close(self) -> None:
        """Close; files of makefile() stay usable."""
        self._closed = True
        if self._io_refs <= 0:
            self._real_close()

    def forget(self) -> None:
        """Be closed; the kernel that had the descriptor is gone."""
        self._fd, self._closed = -1, True

    def _decref_socketios(self) -> None:
        if self._io_refs > 0:
            self._io_refs -= 1
        if self._closed and self._io_refs <= 0:
            self._real_close()

    def detach(self) -> int:
        """Return the descriptor and forget it."""
        fd, self._fd, self._closed = self._fd, -1, True
        return fd

    def dup(self) -> "socket":
        """Return another socket object for the same socket."""
        copy = socket(self.family, self.type, self.proto, check(lib.lkl_py_dup(self._fd)))
        copy.settimeout(self._timeout)
        return copy

    # waiting: the descriptor never blocks, and poll() waits

    def settimeout(self, value: Optional[float]) -> None:
        """Set how many seconds a call may wait; None means for ever."""
        if value is not None and not value >= 0:
            raise ValueError("Timeout value out of range")
        self._timeout = value

    def gettimeout(self) -> Optional[float]:
        """Return how many seconds a call may wait."""
        return self._timeout

    def setblocking(self, flag: bool) -> None:
        """Have calls wait, or not."""
        self.settimeout(None if flag else 0.0)

    def getblocking(self) -> bool:
        """Tell whether calls wait."""
        return self._timeout != 0.0

    @property
    def timeout(self) -> Optional[float]:
        """How many seconds a call may wait."""
        return self._timeout

    def _wait(self, events: int, deadline: Optional[float]) -> None:
        fds = ffi.new("struct lkl_pollfd *", {"fd": self._fd, "events": events})
        result = lib.lkl_sys_poll(fds, 1, _milliseconds(deadline))
        if result == 0 and deadline is not None and time.monotonic() >= deadline:
            raise timeout("timed out")
        if result < 0 and result != -errno.EINTR:
            raise error(result)

    def _do(self, events: int, call: Any, *args: Any, limit: Any = False) -> int:
        seconds = self._timeout if limit is False else limit
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            if self._fd < 0:
                raise error(-errno.EBADF)
            result = retry(call, self._fd, *args)
            if result != -errno.EAGAIN or self._timeout == 0.0:
                return check(result)
            self._wait(events, deadline)

    # addresses

    def bind(self, address: Any) -> None:
        """Give the socket an address."""
        raw = _pack(self.family, address)
        check(lib.lkl_py_bind(self._fd, raw, len(raw)))

    def listen(self, backlog: int = 128) -> None:
        """Accept connections."""
        check(lib.lkl_py_listen(self._fd, backlog))

    def accept(self) -> "Tuple[socket, Any]":
        """Return a socket for the next connection, and the peer's address."""
        buf = ffi.new("char[]", _ADDRESS_MAX)
        size = ffi.new("int *", _ADDRESS_MAX)
        fd = self._do(POLLIN, lib.lkl_py_accept, buf, size,
                      host.SOCK_NONBLOCK | host.SOCK_CLOEXEC)
        return (socket(self.family, self.type, self.proto, fd),
                _unpack(bytes(ffi.buffer(buf, size[0]))))

    def connect_ex(self, address: Any) -> int:
        """Connect; return 0 or an error number."""
        try:
            self.connect(address)
        except timeout:
            return errno.EAGAIN
        except OSError as err:
            if err.errno is None:
                raise
            return err.errno
        return 0

    def connect(self, address: Any) -> None:
        """Connect to an address."""
        raw = _pack(self.family, address)
        deadline = None if self._timeout is None else time.monotonic() + self._timeout
        result = retry(lib.lkl_py_connect, self._fd, raw, len(raw))
        while result == -errno.EAGAIN and self._timeout != 0.0:
            # a unix socket whose listener is full
            self._wait(0, time.monotonic() + 0.01 if deadline is None else deadline)
            result = retry(lib.lkl_py_connect, self._fd, raw, len(raw))
        if result != -errno.EINPROGRESS or self._timeout == 0.0:
            check(result)
            return
        while not self._ready(POLLOUT):
            self._wait(POLLOUT, deadline)
        check(-int(self.getsockopt(host.SOL_SOCKET, host.SO_ERROR)))

    def _ready(self, events: int) -> bool:
        fds = ffi.new("struct lkl_pollfd *", {"fd": self._fd, "events": events})
        return lib.lkl_sys_poll(fds, 1, 0) > 0

    def _name(self, peer: int) -> Any:
        buf = ffi.new("char[]", _ADDRESS_MAX)
        size = ffi.new("int *", _ADDRESS_MAX)
        check(lib.lkl_py_getname(self._fd, buf, size, peer))
        return _unpack(bytes(ffi.buffer(buf, size[0])))

    def getsockname(self) -> Any:
        """Return the socket's address."""
        return self._name(0)

    def getpeername(self) -> Any:
        """Return the peer's address."""
        return self._name(1)

    # data

    def send(self, data: Any, flags: int = 0) -> int:
        """Send some of the data; return how much."""
        with ffi.from_buffer(data) as buf:
            return self._do(POLLOUT, lib.lkl_py_sendto, buf, len(buf), flags, ffi.NULL, 0)

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send all of the data."""
        deadline = None if self._timeout is None else time.monotonic() + self._timeout
        with ffi.from_buffer(data) as buf:
            sent = 0
            while sent < len(buf):
                left = None if deadline is None else deadline - time.monotonic()
                sent += self._do(POLLOUT, lib.lkl_py_sendto, buf + sent, len(buf) - sent,
                                 flags, ffi.NULL, 0, limit=left)

    def sendto(self, data: Any, *args: Any) -> int:
        """Send to an address: sendto(data[, flags], address)."""
        flags, address = args if len(args) == 2 else (0, *args)
        raw = _pack(self.family, address)
        with ffi.from_buffer(data) as buf:
            return self._do(POLLOUT, lib.lkl_py_sendto, buf, len(buf), flags, raw, len(raw))

    def sendfile(self, file: IO[bytes], offset: int = 0, count: Optional[int] = None) -> int:
        """Send a file from an offset."""
        file.seek(offset)
        sent = 0
        while count is None or sent < count:
            data = file.read(65536 if count is None else min(65536, count - sent))
            if not data:
                break
            self.sendall(data)
            sent += len(data)
        return sent

    def recvfrom_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> Tuple[int, Any]:
        """Receive into a buffer; return the length and the sender's address."""
        address = ffi.new("char[]", _ADDRESS_MAX)
        size = ffi.new("int *", _ADDRESS_MAX)
        with ffi.from_buffer(buffer, require_writable=True) as buf:
            if nbytes < 0:
                raise ValueError("negative buffersize in recvfrom_into")
            if nbytes > len(buf):
                raise ValueError("nbytes is greater than the length of the buffer")
            count = self._do(POLLIN, lib.lkl_py_recvfrom, buf, nbytes or len(buf), flags,
                             address, size)
        return count, _unpack(bytes(ffi.buffer(address, size[0])))

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """Receive into a buffer; return the length."""
        return self.recvfrom_into(buffer, nbytes, flags)[0]

    def recvfrom(self, bufsize: int, flags: int = 0) -> Tuple[bytes, Any]:
        """Receive; return the data and the sender's address."""
        buffer = bytearray(bufsize)
        count, address = self.recvfrom_into(buffer, 0, flags)
        return bytes(buffer[:count]), address

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        """Receive."""
        return self.recvfrom(bufsize, flags)[0]

    def shutdown(self, how: int) -> None:
        """End one direction or both."""
        check(lib.lkl_py_shutdown(self._fd, how))

    makefile = host.socket.makefile

    # options

    def setsockopt(self, level: int, name: int, value: Any, optlen: int = 0) -> None:
        """Set an option, to a number or to bytes."""
        if value is None:
            check(lib.lkl_py_setsockopt(self._fd, level, name, ffi.NULL, optlen))
            return
        raw = struct.pack("=i", value) if isinstance(value, int) else bytes(value)
        check(lib.lkl_py_setsockopt(self._fd, level, name, raw, len(raw)))

    def getsockopt(self, level: int, name: int, buflen: int = 0) -> Union[int, bytes]:
        """Return an option, as a number or, with a length, as bytes."""
        size = ffi.new("int *", buflen or 4)
        buf = ffi.new("char[]", buflen or 4)
        check(lib.lkl_py_getsockopt(self._fd, level, name, buf, size))
        raw = bytes(ffi.buffer(buf, size[0]))
        return raw if buflen else struct.unpack("=i", raw.ljust(4, b"\0"))[0]


_default_timeout: Optional[float] = None


def setdefaulttimeout(value: Optional[float]) -> None:
    """Set the timeout of new sockets."""
    global _default_timeout
    _default_timeout = value


def getdefaulttimeout() -> Optional[float]:
    """Return the timeout of new sockets."""
    return _default_timeout


def socketpair(
    family: int = AF_UNIX, type: int = SOCK_STREAM, proto: int = 0
) -> Tuple[socket, socket]:
    """Return two sockets that are connected with each other."""
    ensure()
    fds = ffi.new("int[2]")
    check(lib.lkl_py_socketpair(family, type, proto, fds))
    return socket(family, type, proto, fds[0]), socket(family, type, proto, fds[1])


def create_connection(
    address: Tuple[str, int], timeout: Any = False,
    source_address: Optional[Tuple[str, int]] = None,
) -> socket:
    """Return a socket that is connected to a numeric address."""
    family = AF_INET6 if ":" in address[0] else AF_INET
    sock = socket(family)
    try:
        if timeout is not False:
            sock.settimeout(timeout)
        if source_address:
            sock.bind(source_address)
        sock.connect(address)
        return sock
    except BaseException:
        sock.close()
        raise


def create_server(
    address: Tuple[str, int], *, family: int = AF_INET, backlog: Optional[int] = None,
    reuse_port: bool = False,
) -> socket:
    """Return a socket that listens."""
    sock = socket(family)
    try:
        sock.setsockopt(host.SOL_SOCKET, host.SO_REUSEADDR, 1)
        if reuse_port:
            sock.setsockopt(host.SOL_SOCKET, host.SO_REUSEPORT, 1)
        sock.bind(address)
        sock.listen(128 if backlog is None else backlog)
        return sock
    except BaseException:
        sock.close()
        raise


def select(
    rlist: Iterable[Any], wlist: Iterable[Any], xlist: Iterable[Any],
    timeout: Optional[float] = None,
) -> Tuple[List[Any], List[Any], List[Any]]:
    """Wait for sockets of the kernel, as select.select() does for the host's."""
    if timeout is not None and not timeout >= 0:
        raise ValueError("timeout must be non-negative")
    lists = [list(rlist), list(wlist), list(xlist)]
    masks = (POLLIN | POLLHUP | POLLERR, POLLOUT | POLLERR, 2)
    # poll() takes no more entries than there may be descriptors
    wanted: Dict[int, int] = {}
    for socks, mask in zip(lists, masks):
        for sock in socks:
            wanted[_number_of(sock)] = wanted.get(_number_of(sock), 0) | mask
    fds = ffi.new("struct lkl_pollfd[]", max(1, len(wanted)))
    for entry, (number, mask) in zip(fds, wanted.items()):
        entry.fd, entry.events = number, mask
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        result = lib.lkl_sys_poll(fds, len(wanted), _milliseconds(deadline))
        if result != -errno.EINTR:
            check(result)
        if result > 0 or (deadline is not None and time.monotonic() >= deadline):
            break
    events = {entry.fd: entry.revents for entry in fds[0:len(wanted)]}
    if any(found & POLLNVAL for found in events.values()):
        raise error(-errno.EBADF)
    ready = [
        [sock for sock in socks if events[_number_of(sock)] & mask]
        for socks, mask in zip(lists, masks)
    ]
    return ready[0], ready[1], ready[2]


def _number_of(sock: Any) -> int:
    number = int(sock if isinstance(sock, int) else sock.fileno())
    if number < 0:
        raise ValueError("file descriptor cannot be a negative integer (%d)" % number)
    return number


def interface_up(name: str) -> None:
    """Activate an interface of the kernel; "lo" is the loopback interface."""
    ensure()
    check(lib.lkl_py_if_up(text_bytes(name)), name)


