#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Each function that the library exports has a manual page of section 3, whose example
# builds without a warning, and runs.

. "$(dirname "$0")/../common/tools.sh"
need gcc python3 mkfs.ext4

pages=$TOP/docs/man/functions
# What drivers of devices of one's own use, and the door of all calls: lkl(3).
{
	printf '%s\n' lkl_get_free_irq lkl_put_irq lkl_trigger_irq lkl_syscall
	for page in "$pages"/*.c; do
		python3 "$TOP/scripts/man3.py" --names "$page"
	done
} | sort >described
[ -z "$(uniq -d described)" ] || fail "described twice: $(uniq -d described)"
nm -D --defined-only "$BUILD/lib/liblkl.so" |
	sed -n 's/.* T \(lkl_[a-z0-9_]*\).*/\1/p' | sort >exported
[ "$(wc -l <exported)" -gt 50 ] || fail "not many functions"
missing=$(comm -13 described exported)
[ -z "$missing" ] || fail "no page: $missing"

image disk.img 16M mkfs.ext4 -q
for page in "$pages"/*.c; do
	name=$(basename "$page" .c)
	[ -s "$BUILD/man/$name.3" ] || fail "no page $name"
	gcc -Wall -Wextra -Werror -I"$TOP/include" -I"$BUILD/include" "$page" -o example \
		-L"$BUILD/lib" -llkl -Wl,-rpath,"$BUILD/lib" || fail "$name: not built"
	./example disk.img >out || { cat out; fail "$name: exit status $?"; }
	[ -s out ] || [ "$name" = lkl_qdisc_add ] || fail "$name: says nothing"
done
