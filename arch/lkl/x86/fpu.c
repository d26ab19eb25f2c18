// SPDX-License-Identifier: GPL-2.0-only
/*
 * The processor's features, and vector registers for arch/x86/crypto.
 *
 * A section between kernel_fpu_begin() and kernel_fpu_end() runs through: it
 * does not sleep, and as long as fpu_busy is set no other host thread takes
 * the fiber over at a timer interrupt.  So the registers to save are those of
 * the thread that drives, and one place to save them is enough.  Sections do
 * not nest; an interrupt within one is told that it has to do without.
 */
#include <linux/cache.h>
#include <linux/init.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/string.h>
#include <asm/cpu_device_id.h>
#include <asm/fpu/api.h>

/* Where XSAVE puts what XFEATURE_MASK_AVX512 and below stand for, at most. */
#define LKL_FPU_SIZE	2752

/* None that the code asks for. */
#define LKL_VENDOR_OTHER 0xfe

struct cpuinfo_x86 boot_cpu_data __ro_after_init;

struct lkl_fpu_area {
	u8 bytes[LKL_FPU_SIZE];
} __aligned(64);

static DEFINE_PER_CPU(struct lkl_fpu_area, lkl_fpu_area);
static u32 lkl_xfeatures __ro_after_init;
static bool lkl_have_xsavec __ro_after_init;

void kernel_fpu_begin(void)
{
	preempt_disable();
	WARN_ON_ONCE(lkl_this->fpu_busy);
	WRITE_ONCE(lkl_this->fpu_busy, true);
	barrier();
	if (likely(lkl_have_xsavec))
		asm volatile("xsavec64 %0" : "=m" (*this_cpu_ptr(&lkl_fpu_area))
			     : "a" (lkl_xfeatures), "d" (0) : "memory");
	else
		asm volatile("xsave64 %0" : "+m" (*this_cpu_ptr(&lkl_fpu_area))
			     : "a" (lkl_xfeatures), "d" (0) : "memory");
}

void kernel_fpu_end(void)
{
	asm volatile("xrstor64 %0" : : "m" (*this_cpu_ptr(&lkl_fpu_area)), "a" (lkl_xfeatures),
		     "d" (0) : "memory");
	barrier();
	WRITE_ONCE(lkl_this->fpu_busy, false);
	preempt_enable();
}

/**
 * irq_fpu_usable - may a section begin here?
 */
bool irq_fpu_usable(void)
{
	return !READ_ONCE(lkl_this->fpu_busy) && lkl_xfeatures;
}

/**
 * cpu_has_xfeatures - are these registers there, and saved by the host?
 * @mask: XFEATURE_MASK_*
 * @name: of what is missing, when not NULL
 */
int cpu_has_xfeatures(u64 mask, const char **name)
{
	if (name)
		*name = "vector registers";
	return (lkl_xfeatures & mask) == mask;
}

/**
 * x86_match_cpu - the entry that is about this processor
 * @match: list that ends with an empty one
 */
const struct x86_cpu_id *x86_match_cpu(const struct x86_cpu_id *match)
{
	u32 vfm = boot_cpu_data.x86_vfm;

	for (; match->flags & X86_CPU_ID_FLAG_ENTRY_VALID; match++) {
		if ((match->vendor == X86_VENDOR_ANY ||
		     match->vendor == VFM_VENDOR(vfm)) &&
		    (match->family == X86_FAMILY_ANY ||
		     match->family == VFM_FAMILY(vfm)) &&
		    (match->model == X86_MODEL_ANY ||
		     match->model == VFM_MODEL(vfm)) &&
		    (match->feature == X86_FEATURE_ANY ||
		     boot_cpu_has(match->feature)))
			return match;
	}
	return NULL;
}

static void __init lkl_cpuid(u32 leaf, u32 sub, u32 regs[4])
{
	asm volatile("cpuid" : "=a" (regs[0]), "=b" (regs[1]), "=c" (regs[2]),
		     "=d" (regs[3]) : "a" (leaf), "c" (sub));
}

static void __init lkl_identify(void)
{
	u32 *caps = boot_cpu_data.x86_capability;
	u32 regs[4], leaves, family, model, vendor;

	lkl_cpuid(0, 0, regs);
	leaves = regs[0];
	vendor = !memcmp(&regs[1], "Genu", 4) ? X86_VENDOR_INTEL :
		 !memcmp(&regs[1], "Auth", 4) ? X86_VENDOR_AMD :
		 LKL_VENDOR_OTHER;
	lkl_cpuid(1, 0, regs);
	family = regs[0] >> 8 & 0xf;
	if (family == 0xf)
		family += regs[0] >> 20 & 0xff;
	model = (regs[0] >> 4 & 0xf) | (regs[0] >> 12 & 0xf0);
	boot_cpu_data.x86_vfm = VFM_MAKE(vendor, family, model);
	caps[X86_FEATURE_FPU / 32] = regs[3];
	caps[X86_FEATURE_XMM3 / 32] = regs[2];
	if (leaves >= 7) {
		lkl_cpuid(7, 0, regs);
		caps[X86_FEATURE_AVX2 / 32] = regs[1];
		caps[X86_FEATURE_VAES / 32] = regs[2];
	}
	if (leaves >= 0xd) {
		lkl_cpuid(0xd, 1, regs);
		lkl_have_xsavec = regs[0] & BIT(1);
	}
}

/* Forget a feature whose registers the host does not save. */
static void __init lkl_clear(unsigned int feature)
{
	boot_cpu_data.x86_capability[feature / 32] &= ~BIT(feature % 32);
}

static int __init lkl_fpu_init(void)
{
	static const unsigned int vector[] __initconst = {
		X86_FEATURE_XMM3, X86_FEATURE_SSSE3, X86_FEATURE_AES,
		X86_FEATURE_PCLMULQDQ, X86_FEATURE_SHA_NI,
	};
	static const unsigned int avx[] __initconst = {
		X86_FEATURE_AVX, X86_FEATURE_AVX2, X86_FEATURE_VAES,
		X86_FEATURE_VPCLMULQDQ,
	};
	static const unsigned int avx512[] __initconst = {
		X86_FEATURE_AVX512F, X86_FEATURE_AVX512BW,
		X86_FEATURE_AVX512VL,
	};
	u32 enabled = 0, high;
	int i;

	lkl_identify();
	if (boot_cpu_has(X86_FEATURE_OSXSAVE))
		asm volatile("xgetbv" : "=a" (enabled), "=d" (high) : "c" (0));
	lkl_xfeatures = enabled & (XFEATURE_MASK_SSE | XFEATURE_MASK_YMM |
				   XFEATURE_MASK_AVX512);
	if (!lkl_xfeatures)
		for (i = 0; i < ARRAY_SIZE(vector); i++)
			lkl_clear(vector[i]);
	if (!(lkl_xfeatures & XFEATURE_MASK_YMM))
		for (i = 0; i < ARRAY_SIZE(avx); i++)
			lkl_clear(avx[i]);
	if (!cpu_has_xfeatures(XFEATURE_MASK_AVX512, NULL))
		for (i = 0; i < ARRAY_SIZE(avx512); i++)
			lkl_clear(avx512[i]);
	return 0;
}
early_initcall(lkl_fpu_init);
