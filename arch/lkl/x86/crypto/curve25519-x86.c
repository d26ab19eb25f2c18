// SPDX-License-Identifier: GPL-2.0-only
/*
 * Curve25519 of arch/x86 under other names: its code uses r15, so that the rest of
 * the kernel has to enter it by way of curve25519-entry.S.
 */

/* Its algorithm of the crypto API, which no code uses, would be another way in. */
#undef CONFIG_CRYPTO_KPP

#define curve25519_arch		lkl_curve25519_arch
#define curve25519_base_arch	lkl_curve25519_base_arch

#include "../../../x86/crypto/curve25519-x86_64.c"
