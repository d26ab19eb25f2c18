#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Programs that start others, under lkl-hijack.sh and lkl-run: forks, pipelines,
# exit statuses, signals, Ctrl-C, what a crash leaves; and no process remains.

. "$(dirname "$0")/../common/tools.sh"
need python3 gcc make perl busybox gdb ps

cat >way.py <<'END_PY'
"""The same command on the host and on the library's stack."""
import os, pty, signal, subprocess, sys, time
way = sys.argv[1]

# A shell that started this in the background may have set it to be ignored.
signal.signal(signal.SIGINT, signal.SIG_DFL)

def left(session):
    for _ in range(1000):
        out = subprocess.run(["ps", "-s", str(session), "-o", "pid=,args="],
                             capture_output=True, text=True).stdout
        if not out:
            return
        time.sleep(0.02)
    raise SystemExit(f"{way}: remain: {out}")

def run(command, wrap):
    p = subprocess.Popen(([way] if wrap else []) + command, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, start_new_session=True)
    out = p.communicate(timeout=60)[0]
    left(p.pid)
    return p.returncode, out

def same(*command):
    want, got = run(list(command), False), run(list(command), True)
    if want != got:
        raise SystemExit(f"{way} {command}: {got}, not {want}")

if way == "lkl-run":
    same("busybox", "sh", "-c", "(sleep 0.1; echo x) & wait")
    same("busybox", "sh", "-c", "ls / | sort -r | head -n 2; exit 3")
same("bash", "-c", "sleep 0.1 & wait; echo ok")
same("bash", "-c", "for i in 1 2 3; do sleep 0.0$i & done; wait; echo $(ls / | wc -l)")
same("bash", "-c", "(echo a; exit 5) | (cat; exit 6); echo ${PIPESTATUS[*]}; exec false")
same("bash", "-c", "trap 'echo caught' TERM; kill $$; sleep 0.05; trap - TERM; kill $$")
same("bash", "-c", "read x </proc/version; { read x; } </etc/hostname; sleep 0 & wait $!; echo $?")
same("make", "-sj2", "all")
same("gcc", "-o", "program", "program.c")
same("perl", "-e", "print `echo p`; if (!fork) { exit 4 } wait; exit $? >> 8")
same(sys.executable, "-c", """
import subprocess, multiprocessing, os
print(subprocess.run(['sh', '-c', 'cat; exit 2'], input='in', text=True, capture_output=True))
multiprocessing.set_start_method('fork')
with multiprocessing.Pool(2) as p:
    print(p.map(abs, [-1, -2]))
print(os.WEXITSTATUS(os.system('exit 9')), os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)[1])
""")
for sig in "INT", "TERM", "HUP", "KILL", "PIPE", "ABRT", "SEGV", "ALRM":
    same("sh", "-c", f"ulimit -c 0; kill -{sig} $$")

def ended_by(sig, session_leader, command):
    """A signal from outside, to the program, and what it ends with."""
    p = subprocess.Popen([way] + command, stdout=subprocess.PIPE, start_new_session=True)
    p.stdout.readline()
    for _ in range(30):
        # The first may come just before the call that it shall end.
        os.kill(p.pid, sig)
        try:
            p.wait(2)
            break
        except subprocess.TimeoutExpired:
            pass
    if p.returncode != session_leader:
        raise SystemExit(f"{way} {command}: signal {sig}, status {p.returncode}")
    left(p.pid)

ended_by(signal.SIGTERM, -signal.SIGTERM, ["sh", "-c", "echo; exec sleep 20"])
ended_by(signal.SIGINT, -signal.SIGINT, ["sh", "-c", "echo; exec sleep 20"])
ended_by(signal.SIGTERM, 7, ["bash", "-c", "trap 'kill %1; exit 7' TERM; sleep 20 & echo; wait"])
ended_by(signal.SIGUSR1, 8, [sys.executable, "-c", """
import signal, socket, sys
signal.signal(signal.SIGUSR1, lambda *a: sys.exit(8))
s = socket.create_server(('127.0.0.1', 0))
print(flush=True)
s.accept()"""])

# Ctrl-C on a terminal: the shell survives, what it runs does not.
pid, tty = pty.fork()
if not pid:
    os.execvp(way, [way, "bash", "--norc", "-c",
                    "trap 'echo trapped' INT; echo ready; sleep 20; echo after; exit 6"])
out = b""
while b"ready" not in out:
    out += os.read(tty, 100)
time.sleep(0.3)
os.write(tty, b"\3")
try:
    while True:
        more = os.read(tty, 100)
        if not more:
            break
        out += more
except OSError:
    pass
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
if status != 6 or out.count(b"trapped") != 1 or b"after" not in out:
    raise SystemExit(f"{way}: Ctrl-C: {status}, {out}")
left(pid)
END_PY

cat >Makefile <<'END_MK'
all: a b c d
a b c d:
	@sleep 0.01; echo made | cat
.PHONY: all a b c d
END_MK
cat >program.c <<'END_C'
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

__attribute__((noinline)) void crash_here(volatile int *p)
{
	*p = 1;
}

int main(void)
{
	if (socket(AF_INET, SOCK_STREAM, 0) < 0)
		return 1;
	crash_here(NULL);
	return 0;
}
END_C

for way in lkl-hijack.sh lkl-run; do
	python3 way.py $way
	# A crash is the program's own, and so is the core.
	rm -f core*
	gcc -g -o program program.c
	status=0
	(ulimit -c unlimited; exec $way ./program) 2>/dev/null || status=$?
	[ $status = 139 ] || fail "$way: a crash ends with $status"
	core=$(echo core*)
	[ -e "$core" ] || { echo "no core here: $(cat /proc/sys/kernel/core_pattern)"; continue; }
	gdb -batch -ex bt ./program "$core" >bt 2>&1
	grep -q 'crash_here (p=0x0)' bt && grep -q 'main ()' bt ||
		{ cat bt; fail "$way: no frames in the core"; }
done
