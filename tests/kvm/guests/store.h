/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every form of store that an x86 program has, by name.
 */
#ifndef GUEST_STORE_H
#define GUEST_STORE_H

#include <stdint.h>

struct store_form {
	const char *name;
	uint32_t bytes; /* that it writes, at most; of an element for rep */
	uint32_t align; /* what it asks of the address */
	void (*run)(uint64_t address, uint64_t value, uint64_t count);
};

extern const struct store_form store_forms[];
extern const uint32_t store_form_count;

/* By name, or NULL. */
const struct store_form *store_find(const char *name);

#endif
