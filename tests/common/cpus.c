// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preloaded by tests/run if CPUS is set: each kernel that a test boots has so
 * many virtual CPUs, unless the test says how many itself.
 */
#include <dlfcn.h>
#include <lkl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define SHARED __attribute__((visibility("default")))

SHARED int lkl_start_kernel(const char *format, ...)
{
	int (*start)(const char *format, ...);
	const char *cpus = getenv("CPUS");
	char *cmdline;
	va_list args;
	int ret;

	*(void **)&start = dlsym(RTLD_NEXT, "lkl_start_kernel");
	va_start(args, format);
	ret = vasprintf(&cmdline, format, args);
	va_end(args);
	if (ret < 0)
		return -LKL_ENOMEM;
	ret = start("maxcpus=%s %s", cpus ? cpus : "1", cmdline);
	free(cmdline);
	return ret;
}
