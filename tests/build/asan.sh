#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# AddressSanitizer and UBSan in the library's host part and in the programs: they
# report nothing about our code, and still find faults of the application.  A long lkl
# sh keeps no memory of the commands that it has run or refused.

. "$(dirname "$0")/../common/tools.sh"
need gcc make mkfs.ext4
BUILD=$(cd "$BIN/.." && pwd)
export ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=halt_on_error=1

make -C "$TOP" -s BUILD="$BUILD" SANITIZE=address,undefined lib \
	"$BUILD"/sanitize/tests/{block,block-backend,debuggee,fs,hostdir-hostile,ring,life-threads} \
	"$BUILD/sanitize/bin/lkl" >make.log 2>&1 ||
	{ cat make.log; fail make; }
for program in block block-backend debuggee fs hostdir-hostile ring life-threads; do
	"$BUILD/sanitize/tests/$program" >out.log 2>&1 ||
		{ cat out.log; fail "$program"; }
	! grep -E 'Sanitizer|runtime error|ASan' out.log || fail "$program"
done

image img 16M mkfs.ext4 -q
cat >script <<'END'
set +e
chmod -x
chmod -x /none
chmod -rw,+X / -v
cp a :/b
cp :/x b :/c
cp :/none :/x :/y
cp :/none :/y
cp none :/y
cp :/ :/lost+found
ls --none
ls --sort=x
ls -l /none
mv /none
mv /none /x
ln /none
touch -d nonsense /x
truncate -s x /x
truncate /x
find / -perm
find / ( -name x
find / -regex [
find / -name x -o
find / -newer /none
find / -name * -exec
find /none
stat -c %Q /
stat /none
du -d x /
du /none
sum -a x /
sum /none
mkdir -m x /a
mkdir /a/b/c
rm /none
rm /
chown nobody0 /
chown x:y:z /
write /
write /a/b
edit /none
trim --minimum=x
cd /none
cat "unclosed
cat </none
cat >/none/x
df x
log x
help none
lss
info
touch /f /g
find / -name f -print
chown -R 0:0 /
rm -f /f /g
chmod -R -x,+X /
cp script :/copy
cp :/copy :/other
cat /copy >/dev/null
cat /copy | wc -l
ls -l *
ls --json -R /
find / -newer /copy -size -5k -o ( -name '*x*' -regex '.*' -prune )
stat -c '%n %U %A' /copy
du -a /
df
sum -r /
mkdir -p /d/e
mv /copy /d
ln -s d /l
chown -R 0:0 /d
touch -d @5 /d/copy
truncate -s 1M /d/e/f
write /d/w <script
help ls
cd /d
! true
! echo last
END
# What looks for leaks makes a thread and stops the others, as a confined process cannot.
for options in --no-sandbox ""; do
	cp img image
	# shellcheck disable=SC2086
	ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=$([ -z "$options" ]; echo $?) \
		"$BUILD/sanitize/bin/lkl" sh $options image script </dev/null \
		>out.log 2>err.log || true
	grep -qx last out.log || { tail err.log; fail "lkl sh $options ended early"; }
	! grep -E -A12 'Sanitizer|runtime error' err.log || fail "lkl sh $options"
done

# The application writes behind a buffer that came from the kernel's call.
cat >wrong.c <<'END'
#include <stdlib.h>
#include <lkl.h>
int main(void)
{
	char *p = malloc(10);

	lkl_init(&lkl_host_ops);
	lkl_start_kernel("mem=64M loglevel=4");
	lkl_sys_getcwd(p, 10);
	p[10] = 0;
	return 0;
}
END
gcc -g -fsanitize=address -I"$TOP/include" -I"$BUILD/include" wrong.c \
	-L"$BUILD/sanitize/lib" -llkl -Wl,-rpath,"$BUILD/sanitize/lib" -o wrong
! ./wrong >out.log 2>&1 || fail "overrun not seen"
grep -q 'heap-buffer-overflow' out.log || { cat out.log; fail "no report"; }
