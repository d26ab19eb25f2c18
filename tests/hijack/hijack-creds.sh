#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Programs that give up privileges, all or all but some: the library's threads do not
# prevent that, and give up the same.

. "$(dirname "$0")/../common/tools.sh"
need setpriv python3
[ "$(id -u)" = 0 ] || skip "only root has privileges to give up"

cat >drop.py <<'END'
import ctypes, glob, os, socket, struct
libc = ctypes.CDLL(None, use_errno=True)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
assert len(glob.glob("/proc/self/task/*")) > 1, "no threads of the library"
def same():
    rows = set()
    for name in glob.glob("/proc/self/task/*/status"):
        rows.add(tuple(l for l in open(name) if l.split(":")[0] in
                       ("Uid", "Gid", "Groups", "CapPrm", "CapEff", "CapInh")))
    assert len(rows) == 1, rows
os.setgroups([7, 8])
same()
# CAP_SETUID and CAP_SETGID stay, as with chrony and ntpd.
assert libc.prctl(8, 1, 0, 0, 0) == 0
os.setresuid(4242, 4242, 4242)
keep = 1 << 6 | 1 << 7
data = struct.pack("IIIIII", keep, keep, 0, 0, 0, 0)
assert libc.capset(struct.pack("Ii", 0x20080522, 0), data) == 0
same()
os.setgroups([])
os.setresgid(4242, 4242, 4242)
same()
data = struct.pack("IIIIII", 0, 0, 0, 0, 0, 0)
assert libc.capset(struct.pack("Ii", 0x20080522, 0), data) == 0
same()
try:
    os.setgroups([1])
except PermissionError:
    pass
else:
    assert 0, "has kept privileges"
s.bind(("127.0.0.1", 0))
s.sendto(b"x", s.getsockname())
assert s.recv(2) == b"x"
print("dropped")
END
cat >threads.py <<'END'
import os, socket, threading
end = threading.Event()
all = [threading.Thread(target=end.wait) for i in range(3)]
for t in all:
    t.start()
    os.setresgid(*os.getresgid())
    socket.socket().close()
end.set()
for t in all:
    t.join()
print("all")
END
for way in lkl-hijack.sh lkl-run; do
	[ "$($way /usr/bin/python3 drop.py)" = dropped ] || fail "$way: dropping privileges"
	for i in 1 2 3; do
		out=$($way setpriv --reuid 4242 --regid 4242 --clear-groups id -u) || fail "$way: setpriv"
		[ "$out" = 4242 ] || fail "$way: setpriv: $out"
	done
	# All threads follow in a process whose kernel is another's, too.
	out=$($way bash -c 'exec 9<>/dev/udp/127.0.0.1/9; /usr/bin/python3 threads.py; exit' 2>&1) &&
		[ "$out" = all ] || fail "$way: threads: $out"
done

# So is one that has hardly begun: each is slow here, to free what it was given.
cat >slow.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
#include <unistd.h>
static void (*next)(void *);
static pid_t first;
static __thread int done;
static __attribute__((constructor)) void look(void)
{
	next = dlsym(RTLD_NEXT, "free");
	first = getpid();
}
void free(void *p)
{
	struct timespec now, end;
	if (first && first == getpid() && gettid() != first && done++ < 3) {
		clock_gettime(CLOCK_MONOTONIC, &end);
		end.tv_sec += (end.tv_nsec + 50000000) / 1000000000;
		end.tv_nsec = (end.tv_nsec + 50000000) % 1000000000;
		do
			clock_gettime(CLOCK_MONOTONIC, &now);
		while (now.tv_sec < end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
	}
	if (next)
		next(p);
}
END
cc -shared -fPIC -o slow.so slow.c
LD_PRELOAD=$PWD/slow.so timeout 20 lkl-hijack.sh bash -c \
	"/usr/bin/python3 -c 'import os, socket; s = socket.socket(); os.setuid(4242)'; exit \$?" ||
	fail "the C library has changed the credentials of a thread of the library"
