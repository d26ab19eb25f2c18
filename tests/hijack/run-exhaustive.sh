#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# No system call of a program escapes lkl-run: strace, which sees what the host
# is really asked and from where, sees none from the program's code.  Each site
# costs a signal once.  As static programs of two C libraries, and dynamic.

. "$(dirname "$0")/../common/tools.sh"
need strace gcc musl-gcc python3

cat >program.c <<'END'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void *thread(void *arg)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	for (int i = 0; i < 50; i++) {
		getppid();
		usleep(10);
	}
	return close(fd) ? arg : NULL;
}

int main(void)
{
	pthread_t t[3];
	void *p = malloc(10 << 20);
	FILE *f = tmpfile();

	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, thread, p);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	fprintf(f, "%ld", (long)time(NULL));
	fclose(f);
	free(p);
	/* Where the program is. */
	f = fopen("/proc/self/maps", "r");
	for (int c; (c = fgetc(f)) != EOF;)
		putchar(c);
	return 0;
}
END

# escaped LOG MAPS: calls of the host from code of the program
escaped() {
	python3 - "$@" <<'END'
import re, sys
own = []
for line in open(sys.argv[2]):
    f = line.split()
    if len(f) > 5 and 'x' in f[1] and '/program' in f[5]:
        own.append(tuple(int(x, 16) for x in f[0].split('-')))
assert own, 'the program is not in its own memory map'
seen = 0
# Nothing before the program was started counts: the launcher's own loader.
for line in open(sys.argv[1]):
    m = re.search(r'\[([0-9a-f]{16})\] (\w+)', line)
    if m and any(a <= int(m[1], 16) < b for a, b in own):
        print(line, end='')
        seen += 1
sys.exit(seen != 0)
END
}

for cc in "gcc -static" "gcc -static-pie -fPIE" "musl-gcc -static" "gcc"; do
	$cc -O2 -pthread -o program program.c
	# Its own code has system calls if it is static.
	[ "$cc" = gcc ] || strace -f -i -o log setarch -R lkl-run --stats ./program >maps 2>stats ||
		{ cat stats; fail "$cc"; }
	[ "$cc" = gcc ] || escaped log maps ||
		fail "$cc: calls of the host from the program"

	# A thread may hit a site that another one is just rewriting.
	lkl-run --stats ./program >/dev/null 2>stats
	read -r sites not signals < <(sed -n \
		's/.* \([0-9]*\) sites rewritten.*), \([0-9]*\) not; \([0-9]*\) sig.*/\1 \2 \3/p' stats)
	[ "$sites" -ge 10 ] || fail "$cc: $sites sites rewritten"
	# Where glibc's threads end there is no room, if the program is not PIE.
	[ "$not" -le 1 ] || fail "$cc: $not sites are not rewritten"
	[ "$signals" -le $((sites + 30)) ] || fail "$cc: $signals signals for $sites sites"
done

# Names and destinations are printed.
lkl-run --trace ./program >/dev/null 2>trace
grep -q '^\[[0-9]*\] socket(0x2, 0x2, 0, .*) = .*  library$' trace || fail "no socket in the trace"
grep -q '^\[[0-9]*\] getppid(.*) = .*  host$' trace || fail "no getppid in the trace"

# Twice refused, once explained
cat >uring.c <<'END_C'
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	char params[256] = { 0 };

	return syscall(SYS_io_uring_setup, 1, params) != -1 ||
	       syscall(SYS_io_uring_setup, 1, params) != -1;
}
END_C
gcc -o uring uring.c
lkl-run --trace ./uring 2>log || fail "io_uring: $(cat log)"
[ "$(grep -c '] io_uring_setup(.* = -ENOSYS  refused$' log)" = 2 ] &&
	[ "$(grep -c '^lkl-run: io_uring is refused' log)" = 1 ] || fail "io_uring: $(cat log)"
