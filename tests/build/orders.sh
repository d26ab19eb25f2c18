#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The lock word, calls and the hand-over of a virtual CPU do what they should in
# every order of events: orders/ runs the kernel's own code for them.
#
# MORE is how many more changes of the thread each order may have.

. "$(dirname "$0")/../common/tools.sh"
KERNEL=$TOP/arch/lkl/kernel ORDERS=$TOP/tests/build/orders

# function NAME FILE: its source text
function_of() {
	sed -n "/^[a-z].*\<$1(.*)\$/,/^}/p" "$KERNEL/$2"
}

# Headers of Linux: orders/kernel.h has all that is needed.
mkdir -p include/linux/sched include/asm/fpu
sed -n 's/^#include <\(linux\/.*\|asm\/fpu\/.*\)>$/\1/p' "$KERNEL"/{vlock,request,vcpu,call}.[ch] \
	"$KERNEL"/{clock,contend,wakeup}.h "$TOP"/arch/lkl/include/asm/{cpu,call}.h |
	while read -r header; do : >"include/$header"; done
{
	function_of lkl_pass_interrupt irq.c
	function_of lkl_take_calls irq.c
	function_of lkl_park serve.c
	sed -n '/^#define LKL_\(REST\|PAUSE\|LOOKS\|HOLD_NS\|HOLD_ALL_NS\)/p' "$KERNEL/freeze.c"
	function_of lkl_release_cpus freeze.c
	function_of lkl_let_cpus_run freeze.c
	function_of lkl_hold_cpu freeze.c
	function_of lkl_at_rest freeze.c
	function_of lkl_hold_cpus freeze.c
	function_of lkl_kernel_hold freeze.c
	function_of lkl_kernel_let_go freeze.c
} >extracted.h
gcc -std=gnu11 -O1 -g -w -ffixed-r15 -fno-strict-aliasing -DLKL_KERNEL -I. -Iinclude -I"$ORDERS" \
	-I"$ORDERS/include" -I"$TOP/arch/lkl/include" -I"$TOP/arch/lkl/include/uapi" \
	-include "$ORDERS/kernel.h" "$ORDERS"/*.c -o orders
./orders "${MORE:-0}"
