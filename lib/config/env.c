// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration by environment variables.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lkl.h>

#include "config.h"

/* Before there was IFTYPE: the name of a tap. */
#define TAP_VARIABLE "LKL_HIJACK_NET_TAP"

/*
 * A variable's value without the quotes that it may have, in memory to be
 * freed, or NULL when it is not set.
 */
char *lkl_config_variable(const char *name)
{
	const char *value = getenv(name);
	size_t len;

	if (!value)
		return NULL;
	len = strlen(value);
	if (len >= 2 && (*value == '"' || *value == '\'') &&
	    value[len - 1] == *value) {
		value++;
		len -= 2;
	}
	return len ? strndup(value, len) : NULL;
}

/* Take lkl_config_settings from the environment that are not set; or only check
 * those. */
static int load_variables(void *base, const struct setting *s, int keep)
{
	const char *wrong = NULL;

	for (; s->key && !wrong; s++) {
		char name[64], *value;

		if (!s->variable || *lkl_config_value(base, s))
			continue;
		snprintf(name, sizeof(name), "LKL_HIJACK_%s", s->variable);
		value = lkl_config_variable(name);
		if (!value)
			continue;
		wrong = s->check(value);
		if (wrong)
			fprintf(stderr, "lkl: %s: '%s' is %s\n", name, value,
				wrong);
		if (keep && !wrong)
			*lkl_config_value(base, s) = value;
		else
			free(value);
	}
	return wrong ? -LKL_EINVAL : 0;
}

int lkl_load_config_env(struct lkl_config *cfg)
{
	static struct lkl_config_iface none;
	struct lkl_config_iface *iface;
	char *tap = lkl_config_variable(TAP_VARIABLE);
	int err;

	lkl_config_prepare(cfg);
	iface = cfg->ifaces;
	/* Nothing is kept unless all is right. */
	err = load_variables(cfg, lkl_config_settings, 0);
	if (!err)
		err = load_variables(iface ? iface : &none,
				     lkl_config_iface_settings, 0);
	if (err) {
		free(tap);
		return err;
	}
	if (!iface && (tap || getenv("LKL_HIJACK_NET_IFTYPE") ||
		       getenv("LKL_HIJACK_NET_IFPARAMS")))
		iface = lkl_config_new_iface(cfg);
	load_variables(cfg, lkl_config_settings, 1);
	if (iface)
		load_variables(iface, lkl_config_iface_settings, 1);
	if (tap && iface && !iface->iftype && !iface->ifparams) {
		iface->iftype = strdup("tap");
		iface->ifparams = tap;
		tap = NULL;
	}
	free(tap);
	return 0;
}
