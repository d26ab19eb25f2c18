#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The prompt for a passphrase: a signal at it leaves the terminal as it was, and
# no other process of the same user can read the program's memory.

. "$(dirname "$0")/../common/tools.sh"
need qemu-img python3 mkfs.ext4

printf 'correct horse' >key
image raw 8M mkfs.ext4 -q
encrypt raw one
cat >terminal.py <<'EOF'
import os, pty, select, signal, subprocess, sys, termios, time

def start(command):
    master, slave = pty.openpty()
    def child():
        os.setsid()
        import fcntl
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    p = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, preexec_fn=child)
    return p, master, slave

def expect(master, text):
    got = b""
    end = time.monotonic() + 60
    while text not in got:
        assert select.select([master], [], [], end - time.monotonic())[0], got
        got += os.read(master, 4096)

def echoes(slave):
    return bool(termios.tcgetattr(slave)[3] & termios.ECHO)

def hidden(slave):
    end = time.monotonic() + 60
    while echoes(slave):
        assert time.monotonic() < end, "the passphrase would be shown"
        time.sleep(0.01)

for keys, sig in ((b"\x03", signal.SIGINT), (b"\x1c", signal.SIGQUIT), (None, signal.SIGTERM),
                  (None, signal.SIGHUP)):
    for command in (["lkl", "ls", "one"], ["cptofs", "-i", "one", "key", "/"]):
        p, master, slave = start(command)
        expect(master, b"Passphrase for 'one': ")
        hidden(slave)
        if keys:
            os.write(master, keys)
        else:
            p.send_signal(sig)
        assert p.wait(60) == -sig, (command, sig, p.returncode)
        assert echoes(slave), f"no echo after {sig} for {command}"
        os.close(master)
        os.close(slave)

# a stop, and on again
p, master, slave = start(["lkl", "ls", "one"])
expect(master, b"Passphrase")
hidden(slave)
p.send_signal(signal.SIGTSTP)
# without a shell that could go on with it, it does not stop, but asks again
expect(master, b"Passphrase")
hidden(slave)

# what others of the same user see: no dump, and none of its memory
with open(f"/proc/{p.pid}/smaps") as f:
    assert any("dd" in line.split() for line in f if line.startswith("VmFlags")), "in a dump"
with open(f"/proc/{p.pid}/status") as f:
    locked = [int(l.split()[1]) for l in f if l.startswith("VmLck")][0]
assert locked >= 64, "not locked in memory"
if os.geteuid() == 0:
    assert os.stat(f"/proc/{p.pid}/mem").st_uid == 0
os.write(master, b"correct horse\n")
expect(master, b"lost+found")
assert p.wait(60) == 0 and echoes(slave)
EOF
python3 terminal.py

# An ordinary user's program cannot be traced by another program of the same user.
is_root || exit 0
chmod 755 .
chmod 644 one key
cat >trace.py <<'EOF'
import os, pty, select, signal, subprocess, sys, termios, time, fcntl
os.setgid(4321); os.setuid(4321)
sys.argv = ["pty"]
text = open("terminal.py").read()
head = text[:text.index("for keys, sig")]
exec(head)
p, master, slave = start(["lkl", "ls", "one"])
expect(master, b"Passphrase")
hidden(slave)
try:
    open(f"/proc/{p.pid}/mem", "rb")
    sys.exit("another program can read its memory")
except PermissionError:
    pass
p.send_signal(signal.SIGTERM)
p.wait(60)
EOF
python3 trace.py
