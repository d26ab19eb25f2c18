#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Programs that one launcher has started use one kernel at a time: they share a
# tap that only one process can have, and they reach each other.

. "$(dirname "$0")/../common/hijack-lab.sh"
need python3 xargs env setpriv
PYTHON=/usr/bin/python3

# What the host has for them.
echo hello >hello
cat >slow.py <<'END'
import http.server, time
class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/slow"):
            time.sleep(0.7)
            self.path = "/hello"
        super().do_GET()
    def log_message(self, *args):
        pass
http.server.ThreadingHTTPServer(("10.9.0.1", 80), Handler).serve_forever()
END
$PYTHON slow.py &
up $PEER 80

for WAY in lkl-hijack.sh lkl-run; do
	same hello lkl bash -c "curl -sS http://$PEER/hello | grep h"
	same hello lkl bash -c "sleep 1 & curl -sS http://$PEER/hello"
	# The first that has the tap ends first, with what it prints.
	same "$(printf 'hello\n%.0s' 1 2 3 4 5 6)" lkl bash -c "
		printf '%s\n' hello slow hello slow slow hello |
			xargs -P2 -I{} curl -sS http://$PEER/{}"
	same "$(printf 'hello\n%.0s' 1 2 3)" lkl bash -c "
		for i in 1 2 3; do
			curl -sS http://$PEER/slow &
		done
		wait"
	# A reader of its output does not wait for others that use its kernel.
	same "hello done" lkl bash -c "
		{ until read -r _ </proc/net/dev; do :; done; sleep 0.3; exec \
			curl -sS http://$PEER/slow >late; } &
		echo \$(curl -sS http://$PEER/hello) done; wait"
	[ "$(cat late)" = hello ] || fail "$WAY: late"
	# One that ends as a program of another kind: by a signal, with its kernel.
	same "hello" lkl bash -c "
		$PYTHON -c 'import os, socket; socket.socket(); os.kill(os.getpid(), 9)' &
		wait \$! 2>/dev/null; curl -sS http://$PEER/hello"

	# It uses the tap although it has given up what it takes to open it.
	[ "$(id -u)" != 0 ] || ! setpriv --reuid 65534 true 2>/dev/null ||
		same "hello" lkl bash -c "true; exec $PYTHON -c '
import os, urllib.request
os.setresuid(65534, 65534, 65534)
print(urllib.request.urlopen(\"http://$PEER/hello\").read().decode(), end=\"\")'"

	# Another configuration is another kernel, which the tap is not there for.
	lkl bash -c "
		$PYTHON -c 'import socket, time; s = socket.socket(); print(flush=True); time.sleep(20)' > >(
			read -r _
			LKL_HIJACK_NET_IP=10.9.0.3 curl -sS http://$PEER/hello
			kill \$(pgrep -P \$\$ -f time.sleep))
		true" >log 2>&1 || true
	grep -q "tap tap0: in use by process [0-9]* (python3" log ||
		fail "$WAY: the process that has the tap: $(cat log)"
done

unset "${!LKL_HIJACK_@}"

# Processes that were made before the first socket, each with one of its own.
cat >both.py <<'END'
import os, socket, subprocess, sys, threading
python = "/usr/bin/python3"
client = "import socket, sys; print(socket.create_connection(('127.0.0.1', int(sys.argv[1]))).recv(9).decode())"

def ports():
    there, here = socket.socketpair()
    return there.makefile("w"), here.makefile("r")

# A child, which listens.
out, inn = ports()
child = os.fork()
if not child:
    server = socket.create_server(("127.0.0.1", 0))
    print(server.getsockname()[1], file=out, flush=True)
    for _ in range(6):
        conn, _ = server.accept()
        conn.sendall(b"hello")
        conn.close()
    os._exit(0)
port = inn.readline().strip()

def check(what, got):
    if got.strip() != "hello":
        raise SystemExit(f"{what}: {got!r}")

def run(**args):
    return subprocess.run([python, "-c", client, port], stdout=subprocess.PIPE, text=True,
                          **args).stdout

check("a program", run())
check("without environment", run(env={}))
check("all closed", run(preexec_fn=lambda: os.closerange(3, 100000)))
check("a shell", subprocess.run(["env", "-i", "sh", "-c", f"{python} -c \"$0\" {port} | cat", client],
                                stdout=subprocess.PIPE, text=True).stdout)

# A thread sleeps in an epoll, which is older than the first socket.
import select, time
ep = select.epoll()
seen = []
sleeper = threading.Thread(target=lambda: seen.extend(ep.poll()))
sleeper.start()
time.sleep(0.1)
s = socket.create_connection(("127.0.0.1", int(port)))
ep.register(s, select.EPOLLIN)
sleeper.join(20)
if seen != [(s.fileno(), select.EPOLLIN)]:
    print(f"epoll: {seen}", flush=True)
    os._exit(1)
check("epoll", s.recv(9).decode())
ep.unregister(s)
ep.close()
s.close()
check("the parent", socket.create_connection(("127.0.0.1", int(port))).recv(9).decode())
os.waitpid(child, 0)

# The child had the kernel.  There is another one now, for new sockets.
server = socket.create_server(("127.0.0.1", 0))
s = socket.create_connection(server.getsockname())
END
for WAY in lkl-hijack.sh lkl-run; do
	same "" lkl $PYTHON both.py
	same "" lkl bash -c "$PYTHON both.py & $PYTHON both.py & wait"
done

# A process that does not know the family's secret, or says something else, cannot join.
cat >stranger.py <<'END'
import socket, subprocess, sys
p = subprocess.Popen([sys.argv[1], "/usr/bin/python3", "-c",
    "import socket, sys; s = socket.create_server(('127.0.0.1', 0)); print(flush=True); sys.stdin.read()"],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE)
p.stdout.readline()
names = [line.split()[-1] for line in open("/proc/net/unix") if "@lkl-" in line]
if not names:
    raise SystemExit("no family")
def stranger(message):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(20)
    s.connect("\0" + names[0][1:])
    s.send(message)
    try:
        if s.recv(100):
            raise SystemExit("a stranger was admitted")
    except ConnectionResetError:
        pass
for message in b"x", bytes(24), b"\x04" + bytes(23), bytes(4096):
    for what in range(10):
        stranger(bytes([what]) + message[1:])
# Processes that say nothing do not keep others from joining.
silent = [socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(100)]
for s in silent:
    s.connect("\0" + names[0][1:])
stranger(bytes(24))
p.communicate(b"")
if p.returncode:
    raise SystemExit(f"status {p.returncode}")
END
for WAY in lkl-hijack.sh lkl-run; do
	timeout 60 $PYTHON stranger.py $WAY || fail "$WAY: a stranger"
done
