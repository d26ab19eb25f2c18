#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A server and a client on a network stack of their own, with TCP of the library."""

import threading

import lkl
from lkl import socket

lkl.boot()
socket.interface_up("lo")
server = socket.create_server(("127.0.0.1", 8080))


def serve() -> None:
    """Answer one client in capitals."""
    connection, peer = server.accept()
    with connection, connection.makefile("rw") as lines:
        print("client", peer[0])
        for line in lines:
            lines.write(line.upper())
            lines.flush()


thread = threading.Thread(target=serve)
thread.start()
with socket.create_connection(("127.0.0.1", 8080)) as client:
    client.sendall(b"hello\n")
    print(client.recv(100).decode().strip())
thread.join()
server.close()
