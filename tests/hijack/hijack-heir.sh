#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A program with sockets forks and ends at once, as daemons do: its child gets the
# kernel, with connections, what is on its way in them, epolls and the tap.  It can fork
# again, to the background or not, execute a program, and end.  Where the parent does
# anything else, or crashes, nobody loses a connection either.

. "$(dirname "$0")/../common/hijack-lab.sh"
need python3
PYTHON=/usr/bin/python3

cat >heir.py <<'END_'
import ctypes, os, select, socket, sys, threading, time
address, how = sys.argv[1:3]
remote = address == "10.9.0.1"

def check(what, got, want):
    if got != want:
        print(f"{what}: {got!r}, not {want!r}", flush=True)
        os._exit(1)

# The library's threads are where the kernel is.
def has_kernel():
    return len(os.listdir("/proc/self/task")) > threading.active_count()

if how == "executed":
    listener, ours, theirs = (socket.socket(fileno=int(fd)) for fd in sys.argv[3:])
    theirs.sendall(b"once more")
    check("executed", ours.recv(20), b"once more")
    print("done", flush=True)
    sys.exit(0)

listener = socket.create_server(("", 5000))
def pair():
    s = socket.create_connection((address, 5000))
    return s, (socket.create_connection((address, 5000)) if remote else listener.accept()[0])
ours, theirs = pair()
quiet, silent = pair()
edge, speaks = pair()
timed, idle = pair()
timed.settimeout(0.2)
epoll = select.epoll()
epoll.register(quiet, select.EPOLLIN)
epoll.register(edge, select.EPOLLIN | select.EPOLLET)
# More than one side takes: the rest is on its way while the kernel is at rest.
theirs.setblocking(False)
sent = 0
pattern = bytes(i * 7 % 251 for i in range(1 << 16))
try:
    while sent < 1 << 22:
        sent += theirs.send(pattern[sent % len(pattern):])
except BlockingIOError:
    pass
theirs.setblocking(True)

def check_all(text):
    silent.sendall(text)
    speaks.sendall(text)
    found = dict(epoll.poll(10))
    while len(found) < 2:
        found.update(epoll.poll(10))
    check("epoll", found, {quiet.fileno(): select.EPOLLIN, edge.fileno(): select.EPOLLIN})
    check("quiet", quiet.recv(20), text)
    check("edge", edge.recv(20), text)
    check("epoll afterwards", epoll.poll(0), [])
    new, accepted = pair()
    accepted.sendall(text)
    check("new", new.recv(20), text)
    began = time.monotonic()
    try:
        timed.recv(1)
        check("timed", 0, 1)
    except socket.timeout:
        check("time", time.monotonic() - began > 0.1, True)

def crash():
    ctypes.string_at(0)

def background(end):
    if os.fork():
        end()
        os._exit(0)

if how == "gives":
    background(lambda: None)
    check("the child has the kernel", has_kernel(), True)
    background(lambda: None)
    check("its child has it", has_kernel(), True)
elif how == "crashes":
    background(crash)
    check("the child has the kernel", has_kernel(), True)
elif how == "keeps":
    background(lambda: time.sleep(0.1))
    check("the child has the kernel", has_kernel(), False)
elif how == "calls":
    background(lambda: check("the parent", listener.getsockname()[1], 5000))
    check("the child has the kernel", has_kernel(), False)
elif how == "idle":
    def spin():
        end = time.monotonic() + 0.2
        while time.monotonic() < end:
            pass
    background(spin)
    check("the child has the kernel", has_kernel(), False)

got = b""
while len(got) < sent:
    got += ours.recv(1 << 20)
check("in flight", got, (pattern * (sent // len(pattern) + 1))[:sent])
check_all(b"one")
child = os.fork()
if not child:
    if how == "gives":
        check("a worker has the kernel", has_kernel(), False)
    check_all(b"two")
    os._exit(0)
check("a worker", os.waitpid(child, 0)[1], 0)
check_all(b"three")
if how == "gives":
    check("it has the kernel still", has_kernel(), True)
for s in listener, ours, theirs:
    s.set_inheritable(True)
os.execv(sys.executable, [sys.executable, sys.argv[0], address, "executed",
                          *(str(s.fileno()) for s in (listener, ours, theirs))])
END_

# On the host: what comes by one connection leaves by the next one.
cat >relay.py <<'END_'
import socket, threading
listener = socket.create_server(("10.9.0.1", 5000))
print("listens", flush=True)
def relay(a, b):
    while data := a.recv(1 << 16):
        b.sendall(data)
    b.shutdown(socket.SHUT_WR)
while True:
    a, b = (listener.accept()[0] for _ in range(2))
    for pair in (a, b), (b, a):
        threading.Thread(target=relay, args=pair, daemon=True).start()
END_
$PYTHON relay.py >relay &
until [ -s relay ]; do
	sleep 0.05
done

ulimit -c 0
for WAY in lkl-hijack.sh lkl-run; do
	# What a shell has started boots its kernel later than other programs.
	rm -f log
	lkl bash -c "$PYTHON heir.py $PEER gives; exit 0" >log 2>errors || fail "$WAY: $(cat errors)"
	for ((i = 0; i < 400; i++)); do
		[ ! -s log ] || break
		sleep 0.05
	done
	[ "$(cat log)" = "done" ] || fail "$WAY: by a shell: $(cat log errors)"
	gone

	for how in gives keeps calls idle crashes; do
		for address in 127.0.0.1 $PEER; do
			rm -f log
			lkl $PYTHON heir.py $address $how >log 2>errors && status=0 || status=$?
			[ $status = 0 ] || { [ $how = crashes ] && [ $status = 139 ]; } ||
				fail "$WAY: $how: status $status: $(cat log errors)"
			for ((i = 0; i < 400; i++)); do
				[ ! -s log ] || break
				sleep 0.05
			done
			[ "$(cat log)" = "done" ] || fail "$WAY: $how: $address: $(cat log errors)"
			gone
		done
	done
done
