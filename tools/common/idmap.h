/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Renumbering of owners.
 */
#ifndef IDMAP_H
#define IDMAP_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct idmap - renumbering of owners
 *
 * @count: number of @rules; without any all ids stay as they are
 * @rules: the first that fits counts
 */
struct idmap {
	size_t count;
	struct idrule *rules;
};

/**
 * idmap_parse() - read a renumbering of the command line
 * @map: rules are added here; they are never freed
 * @text: "ID", or "FROM:TO,FROM:TO,..." with * for everybody else; is modified
 * @what: what it is for, for the message; does not return when it is wrong
 */
void idmap_parse(struct idmap *map, char *text, const char *what);

/**
 * idmap_get() - renumber an owner
 * @map: the rules
 * @id: the owner
 *
 * Return: the new number
 */
uint32_t idmap_get(const struct idmap *map, uint32_t id);

#endif /* IDMAP_H */
