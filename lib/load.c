// SPDX-License-Identifier: GPL-2.0-only
/*
 * Libraries that only one wire needs are loaded when that is made: they bring
 * others with them, which all other programs can do without.
 */
#include <dlfcn.h>
#include <stddef.h>

#include "load.h"
#include "message.h"

/* Not in a static program, which then does not ask for it either. */
#pragma weak dlopen
#pragma weak dlsym
#pragma weak dlerror

bool lkl_load(const char *user, const char *library, const char *package,
	      const char *const *names, void **functions)
{
	void *handle;

	if (!dlopen) {
		lkl_message(user, "not in a static program, as it needs %s",
			    library);
		return false;
	}
	/* It stays, since what it has started may outlive the wire. */
	handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		lkl_message(user,
			    "needs the library of Debian's package %s: "
			    "%s",
			    package, dlerror());
		return false;
	}
	for (; *names; names++, functions++) {
		*functions = dlsym(handle, *names);
		if (!*functions) {
			lkl_message(user, "%s is too old: it has no %s()",
				    library, *names);
			return false;
		}
	}
	return true;
}
