#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# However a program with sockets makes a process, and whatever program and environment
# that executes, the process uses the same network: the only one in which a server
# listens.

. "$(dirname "$0")/../common/tools.sh"
need python3 bash cat env

cat >ways.py <<'END_PY'
import ctypes, os, socket, subprocess, sys, threading

python = "/usr/bin/python3"
client = "import socket, sys; print(socket.create_connection(('127.0.0.1', int(sys.argv[1]))).recv(9).decode())"

server = socket.create_server(("127.0.0.1", 0))
port = str(server.getsockname()[1])

def serve():
    while True:
        conn, _ = server.accept()
        conn.sendall(b"hello")
        conn.close()

threading.Thread(target=serve, daemon=True).start()
command = [python, "-c", client, port]

def check(what, got):
    if got != "hello\n":
        raise SystemExit(f"{what}: {got!r}")

def output(fn):
    r, w = os.pipe()
    pid = fn(w)
    os.close(w)
    with open(r) as f:
        got = f.read()
    os.waitpid(pid, 0)
    return got

def forks(w):
    pid = os.fork()
    if not pid:
        os.dup2(w, 1)
        os.execv(python, command)
    return pid

with open("script", "w") as f:
    f.write(f"#!{python}\n" + client.replace("sys.argv[1]", port))
os.chmod("script", 0o755)

def execs_bare(w):
    pid = os.fork()
    if not pid:
        os.dup2(w, 1)
        ctypes.CDLL(None).execve(b"./script", None, None)
        os._exit(1)
    return pid

def spawns(w, env):
    return os.posix_spawn(python, command, env, file_actions=[(os.POSIX_SPAWN_DUP2, w, 1)])

run = lambda *a, **k: subprocess.run(*a, stdout=subprocess.PIPE, text=True, **k).stdout
for i in range(3):
    check("fork, exec", output(forks))
    check("exec without anything", output(execs_bare))
    check("posix_spawn", output(lambda w: spawns(w, os.environ)))
    check("posix_spawn without environment", output(lambda w: spawns(w, {})))
    check("subprocess", run(command))
    check("subprocess without environment", run(command, env={}))
    check("subprocess and a function", run(command, preexec_fn=os.getpid))
    check("a shell", run(["sh", "-c", f'x=$({python} -c "$0" {port}); echo "$x"', client]))
    check("env -i", run(["env", "-i"] + command))
    check("a shell that clears its environment",
          run(["bash", "-c", f"unset LD_PRELOAD; exec -c {python} -c \"$0\" {port}", client]))
os.system(f"{python} -c \"{client}\" {port} >out")
check("system", open("out").read())

# A connection for its input.
other = socket.create_server(("127.0.0.1", 0))
for i in range(3):
    there = socket.create_connection(other.getsockname())
    here, _ = other.accept()
    p = subprocess.Popen(["cat"], stdin=here, stdout=subprocess.PIPE, text=True)
    here.close()
    there.sendall(b"hello\n")
    there.shutdown(socket.SHUT_WR)
    check("Popen(stdin=)", p.communicate()[0])
    # No process has it any more.
    there.settimeout(20)
    if there.recv(1):
        raise SystemExit("the connection is not closed")
    there.close()

# And for its input and its output.
there = socket.create_connection(other.getsockname())
here, _ = other.accept()
p = subprocess.Popen(["cat"], stdin=here, stdout=here)
here.close()
there.sendall(b"hello\n")
check("Popen(stdin=, stdout=)", there.recv(9).decode())
there.shutdown(socket.SHUT_WR)
p.wait()
END_PY

# Signals that the ways in need may be blocked from the start.
cat >blocked.py <<'END_PY'
import ctypes, errno, signal, socket

blocked = {signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGSYS}
if signal.pthread_sigmask(signal.SIG_BLOCK, []) != blocked:
    raise SystemExit(f"blocked: {signal.pthread_sigmask(signal.SIG_BLOCK, [])}")
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
libc = ctypes.CDLL(None, use_errno=True)
if libc.connect(s.fileno(), 1, 16) != -1 or ctypes.get_errno() != errno.EFAULT:
    raise SystemExit(f"connect: {ctypes.get_errno()}")
# One comes while the call waits.
signal.signal(signal.SIGALRM, lambda *args: s.sendto(b"x", s.getsockname()))
s.bind(("127.0.0.1", 0))
signal.setitimer(signal.ITIMER_REAL, 0.05)
s.recv(1)
END_PY

block=$(printf -- '--block-signal=%s ' SEGV BUS ILL SYS)
for WAY in lkl-hijack.sh lkl-run; do
	timeout 100 env $block $WAY /usr/bin/python3 blocked.py >log 2>&1 ||
		fail "$WAY, signals blocked: $(cat log)"
	timeout 100 $WAY /usr/bin/python3 ways.py >log 2>&1 || fail "$WAY: $(cat log)"
	[ ! -s log ] || fail "$WAY: $(cat log)"
done
