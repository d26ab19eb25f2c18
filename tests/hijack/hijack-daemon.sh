#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The process with the kernel ends, and those that it has forked go on, with all
# their connections and with the tap: in calls, in poll() and in epolls, and real
# programs that run in the background.  If it is killed they are told.

. "$(dirname "$0")/../common/hijack-lab.sh"
need python3 nginx haproxy redis-server redis-cli start-stop-daemon curl nc
PYTHON=/usr/bin/python3

# ended PID: it has ended
ended() {
	local i
	for ((i = 0; i < 400; i++)); do
		kill -0 "$1" 2>/dev/null || return 0
		sleep 0.05
	done
	fail "$WAY: $1 does not end"
}

# Threads of a child, and a child of it, wait in whatever a program can wait in while the
# first process ends, of which a reader learns at once.  What it had is closed.
cat >ends.py <<'END'
import os, select, socket, sys, threading, time
address = sys.argv[1]
listener = socket.create_server((address, 5000))
pairs = socket.create_server((address, 5001))

def connect(text=b"", port=5000):
    s = socket.create_connection((address, port))
    s.sendall(text)
    return s

def pair():
    s = connect(port=5001)
    return s, pairs.accept()[0]

def check(what, got, want):
    if got != want:
        print(f"{what}: {got!r}, not {want!r}", flush=True)
        os._exit(1)

polled, polls = pair()
epolled, epolls = pair()
read, reads = pair()
inherited, inherits = pair()
ready, says_ready = os.pipe()
lives, alive = os.pipe()
epoll = select.epoll()
epoll.register(inherited, select.EPOLLIN)
if os.fork():
    parents, others = pair()
    file = open("parents", "w")
    file.write(f"{parents.getsockname()[1]}")
    file.close()
    # Threads of it, too, one of which does nothing else.
    threading.Thread(target=lambda: others.recv(1), daemon=True).start()
    def poll():
        p = select.poll()
        p.register(others, select.POLLIN)
        p.poll()
    threading.Thread(target=poll, daemon=True).start()
    def busy():
        while True:
            others.getsockname()
    threading.Thread(target=busy, daemon=True).start()
    os.read(ready, 1)
    os.read(ready, 1)
    time.sleep(0.2)
    print("ends", flush=True)
    os._exit(7)

os.close(alive)
results = []
def thread(fn):
    t = threading.Thread(target=fn)
    t.start()
    return t
def server():
    for _ in range(6):
        s = listener.accept()[0]
        s.sendall(s.recv(100).upper())
        s.close()
def in_poll():
    p = select.poll()
    p.register(polled, select.POLLIN)
    check("poll", p.poll(20000), [(polled.fileno(), select.POLLIN)])
    check("polled", polled.recv(9), b"poll")
def in_epoll():
    e = select.epoll()
    e.register(epolled, select.EPOLLIN)
    check("epoll", e.poll(20), [(epolled.fileno(), select.EPOLLIN)])
    check("epolled", epolled.recv(9), b"epoll")
def in_inherited():
    check("inherited epoll", epoll.poll(20), [(inherited.fileno(), select.EPOLLIN)])
    check("inherited", inherited.recv(9), b"inherited")
threads = [thread(fn) for fn in (server, in_poll, in_epoll, in_inherited,
                                 lambda: check("read", read.recv(9), b"read"))]
end, ends = os.pipe()
if os.fork() == 0:
    os.write(says_ready, b"x")
    while os.read(lives, 1):
        pass
    for _ in range(2):
        check("a child's child", connect(b"child").recv(9), b"CHILD")
    os.write(ends, b"x")
    os._exit(0)
os.write(says_ready, b"x")
while os.read(lives, 1):
    pass
# A call that begins in the middle of it.
for _ in range(2):
    check("a child", connect(b"hello").recv(9), b"HELLO")
for s, text in (polls, b"poll"), (epolls, b"epoll"), (inherits, b"inherited"), (reads, b"read"):
    s.sendall(text)
os.read(end, 1)
check("the last", connect(b"last").recv(9), b"LAST")
for t in threads[1:]:
    t.join()
# All that it had is closed: nobody but this process has these connections.
port = int(open("parents").read())
for _ in range(200):
    states = {line.split()[3] for line in open("/proc/net/tcp") if f":{port:04X} " in line}
    if states <= {"06"}:
        break
    time.sleep(0.02)
check("connections of the first process", states - {"06"}, set())
check("one more", connect(b"more").recv(9), b"MORE")
threads[0].join()
print("done", flush=True)
END

# The process that has the kernel is killed: whoever waits is told, and so is the user.
cat >killed.py <<'END'
import errno, os, select, signal, socket, sys, threading, time
daemon = len(sys.argv) > 1
listener = socket.create_server(("127.0.0.1", 0))
def pair():
    s = socket.create_connection(listener.getsockname())
    return s, listener.accept()[0]
polled, epolled, inherited, read = (pair() for _ in range(4))
epoll = select.epoll()
epoll.register(inherited[0], select.EPOLLIN)
lives, alive = os.pipe()
if os.fork():
    if daemon:
        # Else the child gets the kernel.
        time.sleep(0.01)
        os._exit(0)
    time.sleep(100)
os.close(alive)
def in_poll():
    p = select.poll()
    p.register(polled[0], select.POLLIN)
    p.poll(20000)
def in_epoll():
    e = select.epoll()
    e.register(epolled[0], select.EPOLLIN)
    e.poll(20)
told = []
def thread(name, fn):
    def run():
        try:
            fn()
        except OSError as e:
            if e.errno == errno.ENETDOWN:
                told.append(name)
    threading.Thread(target=run, daemon=True).start()
thread("accept", listener.accept)
thread("read", lambda: read[0].recv(1))
thread("poll", in_poll)
thread("epoll", in_epoll)
thread("inherited epoll", lambda: epoll.poll(20))
if daemon:
    os.read(lives, 1)
print("waits", os.getppid(), flush=True)
for _ in range(200):
    if len(told) == 5:
        break
    time.sleep(0.05)
print(*sorted(told), flush=True)
os._exit(0)
END

for WAY in lkl-hijack.sh lkl-run; do
	for daemon in "" daemon; do
		rm -f log
		lkl $PYTHON killed.py $daemon >log 2>&1 &
		for ((i = 0; i < 400; i++)); do
			! grep -qs waits log || break
			sleep 0.05
		done
		sleep 0.3
		victim=$(sed -n 's/waits //p' log)
		[ -z "$daemon" ] || victim=$(pgrep --ns $$ --nslist net lkl-kernel)
		kill -9 "$victim"
		for ((i = 0; i < 400; i++)); do
			! grep -qs "^accept" log || break
			sleep 0.05
		done
		grep -qx "accept epoll inherited epoll poll read" log ||
			fail "$WAY: killed $daemon: $(cat log)"
		grep -q "the process that has the network has ended: ENETDOWN" log ||
			fail "$WAY: killed $daemon: no line: $(cat log)"
		gone
	done

	for address in 127.0.0.1 $LKL; do
		rm -f parents log
		out=$(lkl $PYTHON ends.py $address >log 2>&1 || echo $?)
		[ "$out" = 7 ] || fail "$WAY: status $out: $(cat log)"
		for ((i = 0; i < 400; i++)); do
			! grep -qs done log || break
			sleep 0.05
		done
		[ "$(cat log)" = "$(printf 'ends\ndone')" ] || fail "$WAY: $address: $(cat log)"
		gone
	done
done

head -c 1000000 /dev/urandom >file
nginx_conf 'listen 80; location = /pid { return 200 $pid; }' 'worker_processes 2;'
sed -i 's/daemon off;//; s/error_log stderr;/error_log log;/' nginx.conf
haproxy_conf 'string "hello"' "pidfile $PWD/haproxy.pid"
cat >daemon.py <<'END'
import os, socketserver, sys
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line.upper())
socketserver.ThreadingTCPServer.allow_reuse_address = True
server = socketserver.ThreadingTCPServer(("", 80), Handler)
if len(sys.argv) > 1:
    # As daemon(3) and its kind, after the first socket.
    for _ in range(2):
        if os.fork():
            os._exit(0)
        os.setsid()
    null = os.open("/dev/null", os.O_RDWR)
    for fd in range(3):
        os.dup2(null, fd)
    open(sys.argv[1], "w").write(str(os.getpid()))
server.serve_forever()
END

# starts PROGRAM...: it goes to the background, and its output is closed
starts() {
	local out
	rm -f ./*.pid
	out=$(lkl "$@" 2>&1) || fail "$WAY: $*: status $?: $out"
	[ -z "$out" ] || fail "$WAY: $*: $out"
	up $LKL 80
}

# ends PROGRAM: it does so by a signal, and so does its kernel
ends() {
	local pid
	pid=$(cat "$1.pid")
	kill "$pid"
	ended "$pid"
	gone
}

for WAY in lkl-hijack.sh lkl-run; do
	starts nginx -p "$PWD" -c nginx.conf
	for ((i = 0; i < 5; i++)); do
		curl -sS http://$LKL/file | cmp - file || fail "$WAY: nginx: $(cat log)"
		nginx -p "$PWD" -c nginx.conf -s reload
	done
	pid=$(cat nginx.pid)
	kill -QUIT "$pid"
	ended "$pid"
	gone

	starts haproxy -D -f haproxy.cfg
	for ((i = 0; i < 5; i++)); do
		[ "$(curl -sS http://$LKL/)" = hello ] || fail "$WAY: haproxy"
	done
	ends haproxy

	starts redis-server --daemonize yes --bind $LKL --port 80 --save "" \
		--protected-mode no --pidfile "$PWD/redis.pid" --logfile "$PWD/log"
	[ "$(redis-cli -h $LKL -p 80 incr n)" = 1 ] || fail "$WAY: redis: $(cat log)"
	ends redis

	starts $PYTHON daemon.py daemon.pid
	[ "$(echo hello | timeout 5 nc -N $LKL 80)" = HELLO ] || fail "$WAY: a daemon"
	ends daemon

	starts start-stop-daemon --start --background --make-pidfile --pidfile "$PWD/ssd.pid" \
		--chdir "$PWD" --exec $PYTHON -- daemon.py
	[ "$(echo hello | timeout 5 nc -N $LKL 80)" = HELLO ] || fail "$WAY: start-stop-daemon"
	ends ssd
done
