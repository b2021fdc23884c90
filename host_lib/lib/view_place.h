/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Addresses of this process that are kept for a view: mapped without access.
 */
#ifndef LIB_VIEW_PLACE_H
#define LIB_VIEW_PLACE_H

#include <stdint.h>

struct view_place {
	void *wanted; /* NULL: anywhere */
	uint64_t page; /* of the section */
	uint64_t offset; /* in the section: agrees with the address modulo a page */
	unsigned char *start; /* owned if bytes is not 0 */
	uint64_t bytes;
};

/*
 * Keeps `bytes` of addresses.  0, or -EINVAL: what is wanted is not aligned;
 * -EEXIST: something is there; -ENOMEM.
 */
int view_place_take(struct view_place *place, uint64_t bytes);

/* Gives back what is behind the first `bytes`. */
void view_place_trim(struct view_place *place, uint64_t bytes);

void view_place_give_back(struct view_place *place);

#endif
