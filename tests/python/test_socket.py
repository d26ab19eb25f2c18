# SPDX-License-Identifier: GPL-2.0-only
"""Sockets of the kernel beside the host's: the same script, the same outcome."""

import errno
import signal
import socket as host
import threading
import time

import lkl
import lkl.socket as inner
import pytest


@pytest.fixture(scope="module", autouse=True)
def loopback():
    """The loopback interface."""
    inner.interface_up("lo")


BOTH = pytest.mark.parametrize("net", [host, inner], ids=["host", "lkl"])


@BOTH
def test_stream(net):
    """A megabyte each way, with short sends and receives."""
    data = bytes(range(256)) * 4096
    server = net.create_server(("127.0.0.1", 0))
    got = []

    def serve():
        connection, peer = server.accept()
        assert peer[0] == "127.0.0.1"
        with connection:
            while chunk := connection.recv(10000):
                got.append(chunk)
            connection.sendall(data)

    thread = threading.Thread(target=serve)
    thread.start()
    with net.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()
        client.sendall(data)
        client.shutdown(net.SHUT_WR)
        with client.makefile("rb") as file:
            assert file.read() == data
    thread.join()
    assert b"".join(got) == data
    server.close()


@BOTH
def test_lines(net):
    """makefile() in text mode, which outlives the socket object."""
    one, two = net.socketpair()
    file = one.makefile("rw", encoding="utf-8")
    one.close()
    file.write("zwölf\n")
    file.flush()
    assert two.recv(100) == "zwölf\n".encode()
    two.sendall(b"back\n")
    assert file.readline() == "back\n"
    file.close()
    assert two.recv(1) == b""
    with pytest.raises(OSError) as caught:
        two.sendall(b"x")
    assert caught.value.errno == errno.EPIPE
    two.close()


@BOTH
def test_datagrams(net):
    """UDP with both families, and unix datagrams."""
    for family, name in ((net.AF_INET, "127.0.0.1"), (net.AF_INET6, "::1")):
        with net.socket(family, net.SOCK_DGRAM) as one, \
                net.socket(family, net.SOCK_DGRAM) as two:
            one.bind((name, 0))
            assert two.sendto(b"hello", one.getsockname()) == 5
            data, peer = one.recvfrom(100)
            assert data == b"hello" and peer[0] == name
            buffer = bytearray(3)
            two.sendto(b"longer", one.getsockname())
            assert one.recv_into(buffer) == 3 and buffer == b"lon"


@BOTH
def test_timeouts(net):
    """Nothing to read: an error after the time, or at once."""
    with net.socket(net.AF_INET, net.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(0.05)
        begin = time.monotonic()
        with pytest.raises(net.timeout):
            sock.recv(1)
        assert time.monotonic() - begin >= 0.05
        sock.setblocking(False)
        assert not sock.getblocking()
        with pytest.raises(BlockingIOError):
            sock.recv(1)


@BOTH
def test_errors(net):
    """What fails, and how."""
    with net.socket() as sock:
        with pytest.raises(ConnectionRefusedError):
            sock.connect(("127.0.0.1", 1))
    with net.socket() as sock:
        assert sock.connect_ex(("127.0.0.1", 1)) == errno.ECONNREFUSED
        with pytest.raises(OverflowError):
            sock.connect(("127.0.0.1", 70000))
    with pytest.raises(OSError) as caught:
        sock.send(b"x")
    assert caught.value.errno == errno.EBADF
    assert sock.fileno() == -1
    with pytest.raises(OSError):
        net.socket(999)


@BOTH
def test_options(net):
    """Numbers and bytes."""
    with net.socket() as sock:
        assert sock.getsockopt(net.SOL_SOCKET, net.SO_TYPE) == net.SOCK_STREAM
        sock.setsockopt(net.SOL_SOCKET, net.SO_KEEPALIVE, 1)
        assert sock.getsockopt(net.SOL_SOCKET, net.SO_KEEPALIVE) == 1
        sock.setsockopt(net.SOL_SOCKET, net.SO_LINGER, b"\1\0\0\0\5\0\0\0")
        assert sock.getsockopt(net.SOL_SOCKET, net.SO_LINGER, 8) == b"\1\0\0\0\5\0\0\0"


@BOTH
def test_signal(net):
    """A signal's handler runs while a call waits, and ends it by raising."""

    def ring(*_):
        raise InterruptedError

    before = signal.signal(signal.SIGALRM, ring)
    try:
        with net.socket(net.AF_INET, net.SOCK_DGRAM) as sock:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(InterruptedError):
                sock.recv(1)
    finally:
        signal.signal(signal.SIGALRM, before)


def test_select():
    """Two sockets, one with something to read."""
    one, two = inner.socketpair()
    assert inner.select([one, two], [], [], 0) == ([], [], [])
    one.sendall(b"x")
    assert inner.select([one, two], [one], [], 5) == ([two], [one], [])
    one.close()
    two.close()


def test_no_names():
    """A name is not looked up, by nobody's resolver."""
    with inner.socket() as sock:
        with pytest.raises(inner.gaierror):
            sock.connect(("example.org", 80))
    with pytest.raises(inner.gaierror):
        inner.getaddrinfo("example.org", 80)
    assert inner.getaddrinfo("127.0.0.1", 80)


def test_bbr():
    """A congestion control that the host need not have."""
    with inner.socket() as sock:
        sock.setsockopt(inner.IPPROTO_TCP, 13, b"bbr")
        assert sock.getsockopt(inner.IPPROTO_TCP, 13, 16).rstrip(b"\0") == b"bbr"
    assert lkl.running()
