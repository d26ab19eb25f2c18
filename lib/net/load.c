// SPDX-License-Identifier: GPL-2.0-only
/*
 * Libraries that only one wire needs are loaded when that is made: they bring
 * others with them, which all other programs can do without.
 */
#include <dlfcn.h>
#include <stddef.h>

#include "../net.h"

/* Not in a static program, which then does not ask for it either. */
#pragma weak dlopen
#pragma weak dlsym
#pragma weak dlerror

bool lkl_net_load(const char *wire, const char *library, const char *package,
		  const char *const *names, void **functions)
{
	void *handle;

	if (!dlopen) {
		lkl_net_error(wire, "not in a static program, as it needs %s",
			      library);
		return false;
	}
	/* It stays, since what it has started may outlive the wire. */
	handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		lkl_net_error(wire,
			      "needs the library of Debian's package %s: "
			      "%s",
			      package, dlerror());
		return false;
	}
	for (; *names; names++, functions++) {
		*functions = dlsym(handle, *names);
		if (!*functions) {
			lkl_net_error(wire, "%s is too old: it has no %s()",
				      library, *names);
			return false;
		}
	}
	return true;
}
