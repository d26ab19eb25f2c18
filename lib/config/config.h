/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the configuration share.
 */
#ifndef LIB_CONFIG_H
#define LIB_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include <lkl_config.h>

#define CONFIG_MAGIC 0x6c6b6c2063666721UL

/**
 * struct setting - a setting
 * @key: its name in a file
 * @variable: its name in the environment behind LKL_HIJACK_, or NULL
 * @offset: where its string is kept
 * @check: NULL for a good value, else what is wrong
 */
struct setting {
	const char *key;
	const char *variable;
	size_t offset;
	const char *(*check)(const char *value);
};

/* Each ends with a row without key. */
extern const struct setting lkl_config_settings[];
extern const struct setting lkl_config_iface_settings[];

/* Where the string of a setting is kept in the structure it belongs to. */
char **lkl_config_value(const void *base, const struct setting *setting);

/* Make a configuration valid, if empty. */
void lkl_config_prepare(struct lkl_config *cfg);

/* Free all of it; it is empty then. */
void lkl_config_free(struct lkl_config *cfg);

/* Have @to be another one of the same settings, without devices. */
int lkl_config_copy(struct lkl_config *to, const struct lkl_config *from);

/* Add an interface behind the others; NULL without memory. */
struct lkl_config_iface *lkl_config_new_iface(struct lkl_config *cfg);

/* Say that there is no memory for what @name is; returns the error. */
int lkl_config_no_memory(const char *name);

/*
 * The value of an environment variable without the quotes that it may have, in
 * memory to be freed, or NULL when it is not set.
 */
char *lkl_config_variable(const char *name);

/* Remove the devices that lkl_load_config_pre() made. */
void lkl_config_remove_devices(struct lkl_config *cfg);

/* "singlecpu": 0, 1 for the thread that boots, 2 for those of devices, too. */
int lkl_config_single_cpu(const struct lkl_config *cfg);

/* Keep the thread, and those that begin later, on the CPU of the host it runs
 * on. */
void lkl_config_pin(void);

/* Is it a number of at most @max? */
bool lkl_config_is_number(const char *value, int base, unsigned long max);

/* "DIR|PATH" or "DIR|PATH|ro": mount it, or only check it if @arg is NULL. */
int lkl_config_hostdir(char *entry, void *arg);

bool lkl_config_parse_mac(const char *value, unsigned char mac[6]);

/* Tell "ip|mac" to the interface with the number in @ifindex, or only check it.
 */
int lkl_config_neighbour(char *entry, void *ifindex);

#endif /* LIB_CONFIG_H */
