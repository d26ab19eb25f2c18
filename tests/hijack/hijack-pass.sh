#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Sockets of the library are passed on to relatives (SCM_RIGHTS), and to no process
# else.

. "$(dirname "$0")/../common/tools.sh"
need python3 node
PYTHON=/usr/bin/python3

cat >pass.py <<'END'
import array, os, socket, subprocess, sys

server = socket.create_server(("127.0.0.1", 0))

def pair():
    there = socket.create_connection(server.getsockname())
    there.settimeout(20)
    return there, server.accept()[0]

def check(what, got, want=b"hello"):
    if got != want:
        raise SystemExit(f"{what}: {got!r}, not {want!r}")

def receive(unix):
    _, fds, _, _ = socket.recv_fds(unix, 10, 4)
    return [socket.socket(fileno=fd) for fd in fds]

# In one process: the same socket, twice, with a file of the host's between.
a, b = socket.socketpair()
for i in range(300):
    there, here = pair()
    null = os.open("/dev/null", os.O_RDONLY)
    socket.send_fds(a, [b"x"], [here.fileno(), null, here.fileno()])
    here.close()
    os.close(null)
    _, fds, _, _ = socket.recv_fds(b, 10, 4)
    check("a file of the host's", os.read(fds[1], 1), b"")
    os.close(fds[1])
    one, two = (socket.socket(fileno=fd) for fd in (fds[0], fds[2]))
    one.sendall(b"hel")
    two.sendall(b"lo")
    check("received", there.recv(5, socket.MSG_WAITALL))
    one.close()
    two.close()
    check("closed", there.recv(1), b"")
    there.close()

# A peek gets it, too; it is close-on-exec or not, as asked for.
there, here = pair()
socket.send_fds(a, [b"x"], [here.fileno()])
for _, _, fds in b.recvmsg(10, 100, socket.MSG_PEEK)[1]:
    os.close(array.array("i", fds)[0])
_, anc, _, _ = b.recvmsg(10, 100, 0x40000000)
fd, = array.array("i", anc[0][2])
check("close-on-exec", os.get_inheritable(fd), False)
os.close(fd)
here.close()
check("looked at", there.recv(1), b"")

# No process receives it.
there, here = pair()
x, y = socket.socketpair()
socket.send_fds(x, [b"x"], [here.fileno()])
here.close()
there.sendall(b"hello")
x.close()
y.close()
try:
    check("not received", there.recv(1), b"")
except ConnectionResetError:
    pass

# Programs that this one executes, through a name, in both directions.
relay = """
import os, socket, sys
unix = socket.socket(socket.AF_UNIX)
unix.connect("unix")
_, fds, _, _ = socket.recv_fds(unix, 10, 4)
s = socket.socket(fileno=fds[0])
s.sendall(s.recv(10))
mine = socket.create_connection(s.getsockname())
socket.send_fds(unix, [b"x"], [mine.fileno()])
"""
listener = socket.socket(socket.AF_UNIX)
listener.bind("unix")
listener.listen()
for env in None, {}:
    p = subprocess.Popen(["/usr/bin/python3", "-c", relay], env=env)
    unix, _ = listener.accept()
    there, here = pair()
    socket.send_fds(unix, [b"x"], [here.fileno()])
    here.close()
    there.sendall(b"hello")
    check("a program", there.recv(10))
    theirs, = receive(unix)
    accepted = server.accept()[0]
    # The program has ended, what it has sent is here.
    check("status", p.wait(), 0)
    theirs.sendall(b"hello")
    check("of a program", accepted.recv(10))
END

# A process that is none of the family's gets nothing of a socket.
cat >stranger.py <<'END'
import os, socket, subprocess, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind("stranger")
listener.listen()
p = subprocess.Popen([sys.argv[1], "/usr/bin/python3", "-c", """
import socket
server = socket.create_server(("127.0.0.1", 0))
there = socket.create_connection(server.getsockname())
here, _ = server.accept()
unix = socket.socket(socket.AF_UNIX)
unix.connect("stranger")
socket.send_fds(unix, [b"x"], [here.fileno()])
here.close()
there.settimeout(20)
unix.recv(1)
if there.recv(1):
    raise SystemExit("it has the socket")
"""])
unix, _ = listener.accept()
_, fds, _, _ = socket.recv_fds(unix, 10, 4)
s = socket.socket(fileno=fds[0])
if s.family != socket.AF_UNIX or s.getpeername():
    raise SystemExit(f"it is {s}")
try:
    s.sendall(b"x")
except OSError:
    pass
s.close()
unix.sendall(b"x")
raise SystemExit(p.wait())
END

cat >processes.py <<'END'
import multiprocessing, socket

def work(pipe, given):
    received = pipe.recv()
    pipe.send(received.recv(100))
    given.sendall(b"hello")

if __name__ == "__main__":
    for method in "spawn", "forkserver", "fork":
        context = multiprocessing.get_context(method)
        server = socket.create_server(("127.0.0.1", 0))
        def pair():
            return socket.create_connection(server.getsockname()), server.accept()[0]
        a, b = pair()
        c, d = pair()
        here, there = context.Pipe()
        p = context.Process(target=work, args=(there, b))
        p.start()
        here.send(d)
        c.sendall(b"hello")
        if (here.recv(), a.recv(100)) != (b"hello", b"hello"):
            raise SystemExit(method)
        p.join()
END

cat >cluster.js <<'END'
const cluster = require('cluster'), http = require('http')
if (cluster.isPrimary) {
	const seen = new Set()
	let listening = 0, left = 20
	cluster.on('listening', (worker, address) => {
		if (++listening === 2)
			ask(address.port)
	})
	const ask = port => http.get({ host: '127.0.0.1', port, agent: false }, res => {
		res.setEncoding('utf8')
		res.on('data', pid => seen.add(pid))
		res.on('end', () => {
			if (--left)
				return ask(port)
			console.log(`${seen.size} workers`)
			process.exit(0)
		})
	})
	cluster.fork()
	cluster.fork()
} else {
	http.createServer((req, res) => res.end(`${process.pid}`)).listen(8090, '127.0.0.1')
}
END

# Sockets that a program has made for the one that it executes in its own place.
cat >activated.py <<'END'
import os, socket, sys
if os.environ.get("LISTEN_PID") != str(os.getpid()):
    raise SystemExit("LISTEN_PID is another")
server = socket.socket(fileno=3)
there = socket.create_connection(server.getsockname())
for i in range(int(sys.argv[1])):
    server.accept()[0].sendall(b"hello")
END
cat >asks.py <<'END'
import socket, time
while True:
    try:
        s = socket.create_connection(("127.0.0.1", 7000))
        break
    except ConnectionRefusedError:
        time.sleep(0.01)
s.settimeout(20)
print(s.recv(5, socket.MSG_WAITALL).decode())
END
# shellcheck disable=SC2016
activate='systemd-socket-activate -l 127.0.0.1:7000 '$PYTHON' activated.py 2 &
'$PYTHON' asks.py && wait $!'

for WAY in lkl-hijack.sh lkl-run; do
	rm -f unix stranger
	if command -v systemd-socket-activate >/dev/null; then
		timeout 60 $WAY bash -c "$activate" >log 2>&1 && grep -qx hello log ||
			fail "$WAY: systemd-socket-activate: $(cat log)"
	fi
	timeout 60 $WAY $PYTHON pass.py >log 2>&1 || fail "$WAY: $(cat log)"
	timeout 60 $PYTHON stranger.py $WAY >log 2>&1 || fail "$WAY: a stranger: $(cat log)"
	timeout 60 $WAY $PYTHON processes.py >log 2>&1 || fail "$WAY: multiprocessing: $(cat log)"
	timeout 60 $WAY node cluster.js >log 2>&1 || fail "$WAY: cluster: $(cat log)"
	grep -qx "2 workers" log || fail "$WAY: cluster: $(cat log)"
done
