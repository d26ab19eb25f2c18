/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the processor can do, for code of arch/x86 that asks.  Features whose
 * registers the host does not save are said to be missing.
 */
#ifndef _ASM_LKL_CPUFEATURE_H
#define _ASM_LKL_CPUFEATURE_H

#include <linux/bits.h>
#include <linux/cache.h>
#include <linux/jump_label.h>
#include <linux/types.h>

/* Not asked: which features a bare machine's kernel needs or does without. */
#define _ASM_X86_REQUIRED_FEATURES_H
#define _ASM_X86_DISABLED_FEATURES_H
#include <../arch/x86/include/asm/cpufeatures.h>

#define X86_VENDOR_INTEL	0
#define X86_VENDOR_AMD		2

/**
 * struct cpuinfo_x86 - the processor
 * @x86_vfm: vendor, family and model as asm/cpu_device_id.h packs them
 * @x86_capability: what boot_cpu_has() looks up
 */
struct cpuinfo_x86 {
	u32 x86_vfm;
	u32 x86_capability[NCAPINTS];
};

extern struct cpuinfo_x86 boot_cpu_data;

static inline bool boot_cpu_has(unsigned int feature)
{
	return boot_cpu_data.x86_capability[feature / 32] & BIT(feature % 32);
}

#endif /* _ASM_LKL_CPUFEATURE_H */
