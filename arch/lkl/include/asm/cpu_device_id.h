/* SPDX-License-Identifier: GPL-2.0-only */
#include <asm/cpufeature.h>
#include <../arch/x86/include/asm/cpu_device_id.h>
