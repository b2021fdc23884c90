/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of scenarios for the numbers of the library.
 */
#ifndef CONFORMANCE_NAMES_H
#define CONFORMANCE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "EINVAL" -> EINVAL; 0 if there is none. */
int errno_of_name(const char *name);
/* "?" for what is none. */
const char *errno_to_name(int error);

bool detail_is_name(const char *name);
const char *detail_to_name(uint32_t detail);

/* A table of names; the last row has no name. */
struct name_row {
	const char *name;
	uint32_t number;
};
extern const struct name_row name_protections[];
extern const struct name_row name_backings[];
extern const struct name_row name_accesses[];
extern const struct name_row name_create_flags[];
extern const struct name_row name_section_flags[];
extern const struct name_row name_view_flags[];
extern const struct name_row name_events[];

/* A word of the table, or a number. */
bool name_to_number(const struct name_row *rows, const char *text, uint32_t *ret_number);
/* Words of the table joined by '+', a number, or "none". */
bool name_to_mask(const struct name_row *rows, const char *text, uint32_t *ret_mask);

/* The word; "?" if there is none. */
const char *number_to_name(const struct name_row *rows, uint32_t number);
/* Words joined by '+' in `text`, which it returns; "none" for 0. */
const char *mask_to_names(const struct name_row *rows, uint32_t mask, char *text, size_t room);

#endif
