// SPDX-License-Identifier: GPL-2.0-only
/* Adding with carry over eight words at a time is arch/x86's. */
#include <../arch/x86/lib/csum-partial_64.c>
