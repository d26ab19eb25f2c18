#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What takes longer than a second says so on a terminal, in one line that is gone at the
# end, and nowhere else: verbs, programs of the host, comparisons.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 script e2fsck python3

image img 64M mkfs.ext4 -q
mkdir tree
seq 1000 >tree/file
cptofs -i img tree /
# a program of the host that takes its time
mkdir path
cat >path/e2fsck <<END
#!/bin/sh
cat img >/dev/null
sleep 1.6
exec $(command -v e2fsck) "\$@"
END
chmod +x path/e2fsck

# on_terminal COMMAND: what it shows there, line by line
on_terminal() {
	{ script -qec "$1" /dev/null </dev/null || true; } | tr '\r' '\n' >log
}

if [ -w /dev/fuse ] && command -v fusermount3 >/dev/null; then
	on_terminal "env PATH='$PWD/path:$PATH' lkl fsck --no-sandbox -n img"
	grep -q '^e2fsck: .* read, .* written, 0:01' log || { cat -v log; fail "fsck"; }
	env PATH="$PWD/path:$PATH" lkl fsck --no-sandbox -n img >out 2>&1
	! grep -q 'read, ' out || fail "not only on a terminal"
fi

# stopped STATUS PATTERN COMMAND: it is stopped until it shows that
stopped() {
	python3 - "$@" <<'END'
import os, pty, re, select, signal, subprocess, sys
master, slave = pty.openpty()
tool = subprocess.Popen(sys.argv[3:], stdout=subprocess.DEVNULL, stderr=slave)
os.close(slave)
def children():
    with open("/proc/%d/task/%d/children" % (tool.pid, tool.pid)) as f:
        return f.read().split()
while not children() and tool.poll() is None:
    pass
worker = children()
if worker:
    os.kill(int(worker[0]), signal.SIGSTOP)
said = b""
while not re.search(sys.argv[2].encode(), said):
    if not select.select([master], [], [], 20)[0]:
        sys.exit("only this is shown: %r" % said)
    said += os.read(master, 4096)
os.kill(int(worker[0]), signal.SIGCONT)
assert tool.wait() == int(sys.argv[1])
while select.select([master], [], [], 1)[0]:
    try:
        said += os.read(master, 4096)
    except OSError:
        break
assert said.endswith(b"\r\x1b[K"), said
END
}
stopped 0 'du: .*0:01' lkl du img / || fail "du"
stopped 0 'chmod: .*0:01' lkl chmod -R img go-w / || fail "chmod"
stopped 0 'lkl sh: .*0:01' lkl sh img -c 'du /' || fail "sh"
if [ -w /dev/fuse ] && command -v fusermount3 >/dev/null; then
	stopped 0 'lkl fsck: .*0:01' lkl fsck -n img || fail "what is looked at before a check"
fi

image other 64M mkfs.ext4 -q
stopped 1 '[0-9] files, [0-9.]+ [kMG]?B, ' lkl diff other:/ tree || fail "diff"
lkl diff other:/ tree >out 2>&1 || true
! grep -q 'files, ' out || fail "diff: not only on a terminal"
