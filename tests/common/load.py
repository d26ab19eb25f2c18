#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""load.py URL-HOST REQUESTS STOP: make requests, each in a connection of its own, from
four threads, until there have been so many and the file STOP is there; print how many
there were and what failed."""
import os
import socket
import sys
import threading

host, least, stop = sys.argv[1], int(sys.argv[2]), sys.argv[3]
lock = threading.Lock()
done, failed = 0, []


def request():
    with socket.create_connection((host, 80), 20) as s:
        s.settimeout(20)
        s.sendall(b"GET /pid HTTP/1.0\r\nHost: x\r\n\r\n")
        answer = b""
        while piece := s.recv(4096):
            answer += piece
    if not answer.startswith(b"HTTP/1.") or b" 200 " not in answer[:16]:
        raise OSError(f"answer {answer[:40]!r}")


def work():
    global done
    while done < least or not os.path.exists(stop):
        try:
            request()
        except OSError as error:
            failed.append(str(error))
        with lock:
            done += 1


threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(f"{done} requests, {len(failed)} failed: {set(failed)}")
sys.exit(len(failed) != 0)
