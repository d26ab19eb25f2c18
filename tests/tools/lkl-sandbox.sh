#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The process of lkl that reads an image is confined, whatever the verb: no call
# that names a file, makes a socket or a process succeeds in it, and it has no
# capability.  If it dies, the other process says so.

. "$(dirname "$0")/../common/tools.sh"
need mkfs.ext4 sfdisk

image img 32M mkfs.ext4 -q
seq 1000 | lkl write img /file

# state PID NAME: from /proc/PID/status
state() {
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

# reading PID: it waits in poll(), with a new file in the image
reading() {
	grep -q "^7 0x" "/proc/$1/syscall" 2>/dev/null
}

# begin OPTION...: a verb that waits for its input, as $pid; what works on the
# image is $worker
mkfifo input
begin() {
	lkl write "$@" img /new <input &
	pid=$!
	exec 3>input
	worker=$pid
	[ "$*" = --no-sandbox ] || until worker=$(pgrep -P $pid); do sleep 0.01; done
	until reading "$worker"; do sleep 0.01; done
}

begin
[ "$(state "$worker" Seccomp)" = 2 ] || fail "no filter"
[ "$(state "$worker" NoNewPrivs)" = 1 ] || fail "may get privileges"
[ "$(state "$worker" CapEff)" = 0000000000000000 ] || fail "has capabilities"
for task in /proc/"$worker"/task/*; do
	grep -q '^Seccomp:.*2$' "$task/status" || fail "a thread has no filter"
done
[ "$(state "$pid" Seccomp)" = "$(state $$ Seccomp)" ] || fail "the other is confined, too"
echo content >&3
exec 3>&-
wait $pid
[ "$(lkl cat img /new)" = content ] || fail "nothing written"

# inherited descriptors are not left to it
begin 7<"$TOP"
[ ! -e /proc/"$worker"/fd/7 ] || fail "it has what the program inherited"
exec 3>&-
wait $pid

begin --no-sandbox
[ "$(state "$worker" Seccomp)" = "$(state $$ Seccomp)" ] || fail "--no-sandbox"
exec 3>&-
wait $pid

# a worker that dies
begin 2>log
kill -SEGV "$worker"
status=0
wait $pid || status=$?
exec 3>&-
[ $status = 2 ] || fail "status $status after a crash"
grep -q "the process that worked on 'img' was ended by signal 11" log || { cat log; fail "no word"; }
e2fsck -fy img >/dev/null 2>&1 || true

# a signal to the program ends both, and the image is unmounted
begin
kill $pid
wait $pid && fail "not ended"
exec 3>&-
[ ! -e /proc/"$worker" ] || fail "the worker is left"
check ext4 img

# one that does not react is ended when it is asked again, after some time
begin
kill -STOP "$worker"
kill $pid
while kill $pid 2>/dev/null && [ "$(state $pid State | cut -c1)" != Z ]; do sleep 0.1; done
wait $pid && fail "not ended"
exec 3>&-
[ ! -e /proc/"$worker" ] || fail "the worker that does not react is left"
e2fsck -fy img >/dev/null 2>&1 || true

# lkl sh: what runs the verbs is confined, what runs commands of the host is not
idle() {
	[ "$(state "$1" State | cut -c1)" = S ] && [ "$(state "$1" Seccomp)" = "$2" ]
}
begin_sh() {
	lkl sh "$@" img <input >out 2>log &
	pid=$!
	exec 3>input
	until worker=$(pgrep -P $pid); do sleep 0.01; done
}
own=$(state $$ Seccomp)
for option in "" --no-sandbox; do
	# shellcheck disable=SC2086
	begin_sh $option
	echo 'cat /file | head -n 1' >&3
	echo '! grep Seccomp: /proc/self/status' >&3
	until grep -q Seccomp out; do sleep 0.01; done
	[ "$(head -n 1 out)" = 1 ] || { cat out log; fail "lkl sh: cat"; }
	grep -q "Seccomp:.$own" out || { cat out; fail "lkl sh: '!' is confined"; }
	[ "$(state "$worker" Seccomp)" = "$([ -n "$option" ] && echo "$own" || echo 2)" ] ||
		fail "lkl sh $option: $(state "$worker" Seccomp)"
	[ -n "$option" ] || [ "$(state "$worker" CapEff)" = 0000000000000000 ] ||
		fail "lkl sh: capabilities"
	exec 3>&-
	wait $pid || { cat log; fail "lkl sh: status"; }
done
begin_sh 7<"$TOP"
until idle "$worker" 2; do sleep 0.01; done
[ "$(readlink /proc/"$worker"/fd/7)" != "$TOP" ] || fail "lkl sh: it has what the program inherited"
echo 'mkdir /kept' >&3
echo '! echo here' >&3
until grep -q here out; do sleep 0.01; done
kill -SEGV "$worker"
while [ -e /proc/"$worker" ] && [ "$(state "$worker" State | cut -c1)" != Z ]; do sleep 0.01; done
echo 'mkdir /lost' >&3
exec 3>&-
status=0
wait $pid || status=$?
[ $status = 2 ] || { cat log; fail "lkl sh: status $status after a crash"; }
[ "$(cat log)" = "lkl sh: the process that worked on 'img' was ended by signal 11 (Segmentation fault)" ] ||
	{ cat log; fail "lkl sh: no word"; }
e2fsck -fy img >/dev/null 2>&1 || true
begin_sh
echo '! echo here' >&3
until grep -q here out; do sleep 0.01; done
kill $pid
wait $pid && fail "lkl sh: not ended"
exec 3>&-
[ ! -e /proc/"$worker" ] || fail "lkl sh: the worker is left"
check ext4 img

rm out

# cpfromfs: the one that reads is confined, and what it leaves half done is removed
seq 3000000 >large
image big 64M mkfs.ext4 -q
cptofs -i big large /
mkdir out
for _ in $(seq 50); do
	rm -f out/large
	cpfromfs -i big /large out 2>log &
	pid=$!
	until worker=$(pgrep -P $pid) || [ "$(state $pid State | cut -c1)" = Z ]; do :; done
	# as soon as the file is begun, if it is not complete by now
	until [ -e out/large ] || [ ! -e "/proc/$worker" ]; do :; done
	kill -KILL "$worker" 2>/dev/null || true
	status=0
	wait $pid || status=$?
	[ $status = 0 ] || break
done
[ $status = 2 ] || { cat log; fail "status $status after the reader's death"; }
[ ! -e out/large ] || cmp large out/large || fail "half of a file is left"
cpfromfs -i big /large out
cmp large out/large

# cptofs and tar2fs: the one that writes the image is confined, its death is told, and
# one that waits for what comes ends with the program
: >empty
tar -b 1 -cf header.tar empty
for end in SEGV TERM; do
	tar2fs - big <input 2>log &
	pid=$!
	exec 3>input
	# the header of a file, and more is waited for
	head -c 512 header.tar >&3
	until worker=$(pgrep -P $pid); do sleep 0.01; done
	until [ "$(state "$worker" Seccomp)" = 2 ]; do sleep 0.01; done
	kill -$end $([ $end = SEGV ] && echo "$worker" || echo $pid)
	exec 3>&-
	status=0
	wait $pid || status=$?
	[ ! -e /proc/"$worker" ] || fail "the worker is left"
	[ $end = TERM ] || [ $status = 2 ] || { cat log; fail "tar2fs: status $status after a crash"; }
	[ $end = TERM ] || grep -q "'big' was ended by signal 11" log || { cat log; fail "no word"; }
done
e2fsck -fy big >/dev/null 2>&1 || true
for _ in $(seq 20); do
	cptofs -i big large / 2>log &
	pid=$!
	until worker=$(pgrep -P $pid) || [ "$(state $pid State | cut -c1)" = Z ]; do :; done
	until [ "$(state "${worker:-$$}" Seccomp 2>/dev/null)" = 2 ] || [ ! -e "/proc/$worker" ]; do :; done
	kill -KILL "$worker" 2>/dev/null || true
	status=0
	wait $pid || status=$?
	[ $status = 0 ] || break
done
[ $status = 2 ] || { cat log; fail "status $status after the writer's death"; }

is_root || skip "the rest needs root"
need strace
strace -o /dev/null true 2>/dev/null || skip "strace may not trace here"
mkdir tree && cp -r "$TOP/tests/tools" tree/
cptofs -i img tree /
tar -cf tree.tar tree
printf 'label: gpt\nsize=20M\nsize=20M\n' >table
truncate -s 64M disk
sfdisk -q disk <table
for n in 1 21; do dd if=img of=disk bs=1M count=20 seek=$n conv=notrunc status=none; done
cat >script <<'END'
mkdir /sh; write /sh/x <tree.tar; cp tree :/sh; cp :/sh/tree/tools/*.sh :/file .
edit /sh/tree/tools/names.sh; cp :/sh :/sh2; ls -lZ /sh; find /sh2 -ls; rm -r /sh /sh2/*; df
END
for verb in "mkfs tree new" "mkfs tree.tar new" "fsck img" "fsck -n disk -P 1" "resize img 40M" "resize img 30M" "sh img script" "cat img /tree/tools/names.sh" "ls -lRZ img" "find img / -user root -ls" "df img" \
	"find img / -newer /file" "du img" "stat img /tree" "sum -r img /tree" "log img" \
	"ls --json img /tree" "info img" "info --json disk" "inspect img" "chmod -R img go-w /tree" "cp tree img:/more" "untar tree.tar img" "edit img /tree/tools/names.sh" "rm -r img /tree/tools" \
	"mkdir -p img /a/b" "touch img /x" "truncate -s 5 img /x"; do
	rm -f trace.*
	# shellcheck disable=SC2086
	EDITOR="sed -i s/a/b/" strace -ff -qq -o trace lkl $verb >/dev/null 2>&1 || true
	worker=$(grep -l 'SECCOMP_SET_MODE_FILTER, .*len=' trace.*)
	for file in $worker; do
		sed -i '1,/SECCOMP_SET_MODE_FILTER, .*len=/d' "$file"
	done
	grep -L '^execve(' trace.* | xargs cat >confined
	grep -E '^(open|stat|newfstat|socket|connect|exec|fork|vfork|unlink|mkdir|kill)[a-z0-9]*\(' \
		confined | grep -v '= -1 ENOSYS' >bad || true
	[ ! -s bad ] || { cat bad; fail "$verb: it is not confined"; }
	! grep -q 'PROT_EXEC' confined || fail "$verb: new code may be executed"
done
