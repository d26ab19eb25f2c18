/* SPDX-License-Identifier: GPL-2.0-only */
/* What the programs have in common that test lkl-run by running under it. */
#ifndef TESTS_RUN_H
#define TESTS_RUN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECK(x)                                                               \
	do {                                                                   \
		if (!(x)) {                                                    \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__,     \
				#x);                                           \
			_exit(1);                                              \
		}                                                              \
	} while (0)

/* Execute this program under lkl-run, unless it is already. */
static inline void run_self(char **argv)
{
	char path[4096], self[4096] = "";

	if (getenv("UNDER_LKL_RUN"))
		return;
	CHECK(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	CHECK(getenv("BUILD"));
	snprintf(path, sizeof(path), "%s/bin/lkl-run", getenv("BUILD"));
	setenv("UNDER_LKL_RUN", "1", 1);
	execl(path, "lkl-run", self, argv[1], NULL);
	CHECK(!"execute lkl-run");
}

#endif /* TESTS_RUN_H */
