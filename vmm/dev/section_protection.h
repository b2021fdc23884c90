/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Protections as numbers: which right a view needs, what its section and its
 * own first protection allow, and how it is mapped in the window.
 *
 * Private to dev/section_*.c.  Pure functions; `protection` is legal.
 */
#ifndef DEV_SECTION_PROTECTION_H
#define DEV_SECTION_PROTECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "mem/window.h"

bool section_protection_is_legal(uint32_t protection);

/* The rights that a handle needs for such a view. */
uint32_t section_protection_rights(uint32_t protection);

/* May a section of protection `most` be mapped so? */
bool section_protection_fits(uint32_t most, uint32_t protection);

/* May pages of a view that was mapped with `first` become so? */
bool section_protection_within(uint32_t first, uint32_t protection);

enum window_mode section_protection_mode(uint32_t protection);
bool section_protection_executes(uint32_t protection);

/* What a page is that has this protection: a copied one can be written. */
uint32_t section_protection_of_page(uint32_t protection, bool is_private);

#endif
