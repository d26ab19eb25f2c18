// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which place is whose; see x86/places.S.
 */
#include "preload.h"

#define PLACE_SIZE 8

unsigned long preload_place(unsigned long resume)
{
	unsigned long none;

	for (int i = 0; i < PLACES; i++) {
		none = 0;
		if (__atomic_compare_exchange_n(&preload_resumes[i], &none,
						resume, false, __ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST) ||
		    none == resume)
			return (unsigned long)preload_places + i * PLACE_SIZE;
	}
	return 0;
}

unsigned long preload_place_resume(unsigned long ip)
{
	unsigned long at = ip - (unsigned long)preload_places;

	return at < PLACES * PLACE_SIZE && at % PLACE_SIZE == 2
		       ? preload_resumes[at / PLACE_SIZE]
		       : 0;
}
