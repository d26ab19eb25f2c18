#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# gdb and perf on intercepted programs: breakpoints in them, backtraces from the
# library's kernel into them, whether gdb starts the launcher or is started by it;
# both sides in a profile.

. "$(dirname "$0")/../common/tools.sh"
need gdb gcc
trap 'jobs -p | xargs -r kill 2>/dev/null || true; cleanup' EXIT

cat >debugged.c <<'END_C'
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

static void *waits_here(void *fd)
{
	char c;

	return (void *)recv(*(int *)fd, &c, 1, 0);
}

__attribute__((noinline)) static void loops_here(int fd)
{
	struct sockaddr_in to = { AF_INET, htons(9) };

	for (volatile unsigned int i = 0;; i++)
		if (i % 100 == 0)
			sendto(fd, "x", 1, 0, (void *)&to, sizeof(to));
}

int main(int argc, char **argv)
{
	struct sockaddr_in here = { AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	pthread_t thread;

	(void)argv;
	bind(fd, (void *)&here, sizeof(here));
	pthread_create(&thread, NULL, waits_here, &fd);
	if (argc > 1)
		return 0;
	/* Let the other one wait, and tell. */
	usleep(300000);
	close(1);
	loops_here(fd);
}
END_C
gcc -g -O1 -fno-omit-frame-pointer -o program debugged.c
gcc -g -O1 -fno-omit-frame-pointer -static -o static debugged.c

# expect PATTERN...: lines of the log, in this order
expect() {
	local pattern line=0
	for pattern; do
		line=$(PATTERN=$pattern awk -v "line=$line" \
			'NR > line && $0 ~ ENVIRON["PATTERN"] { print NR; exit }' log)
		[ "$line" ] || { cat log; fail "$way $program: no '$pattern'"; }
	done
}

# gdb prompts after attaching only if it reads its commands.
debug() {
	gdb -nx -q -iex 'set debuginfod enabled off' -iex 'set width 0' \
		-iex 'set breakpoint pending on' -iex "add-auto-load-safe-path $BIN" "$@" >log 2>&1
}

mkfifo loops
while read -r way program; do
	"$way" "$program" >loops &
	pid=$!
	cat loops
	# Between the program and us, some instructions have no frame to tell.
	for _ in 1 2 3 4 5; do
		debug -p $pid <<<'thread apply all bt' || true
		grep -q loops_here log && break
	done
	expect '^#.* lkl_task_syscall' '^#.* waits_here .*debugged.c:10' \
		'^Thread 1 ' '^#.* loops_here .*debugged.c:[0-9]+' '^#.* main .*debugged.c:[0-9]+'
	if [ $program = ./program ] && command -v perf >perf.log &&
		perf record -q -e cpu-clock -g -o data -p $pid sleep 0.5 >perf.log 2>&1; then
		perf report -i data --stdio --no-children -g caller >log 2>&1
		expect 'lkl_fiber_start' 'udp_sendmsg'
		expect 'loops_here'
	fi
	kill $pid
	wait $pid 2>/dev/null || true
done <<END
lkl-hijack.sh ./program
lkl-run ./program
lkl-run ./static
END

way=lkl-run
for program in ./program ./static; do
	debug -batch -ex 'break debugged.c:24' -ex 'break bind' -ex run -ex bt \
		-ex continue -ex bt -ex continue --args lkl-run "$program" end
	expect '^#0 .*main \(.*debugged.c:24' '^#0 .*bind' '^#1 .*main \(.*debugged.c:29' \
		'exited normally'
done
