/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One handle of a section: inside.  Owned by the caller who opened it; views
 * do not need it once they are mapped.
 */
#ifndef LIB_SECTION_H
#define LIB_SECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/client.h"

struct vmsect_section {
	struct client_object object; /* its id: the broker's number of the handle */
	uint32_t access; /* sealing takes a part of it */
	uint64_t size_bytes; /* now, as far as was heard */
	struct vmsect_section_info info; /* at open */
};

static inline uint64_t section_page(const struct vmsect_section *section)
{
	return UINT64_C(1) << section->info.page_shift;
}

/*
 * Asks for a handle: CREATE, OPEN, DUPLICATE (`object`: the handle that it is
 * about, else NULL), ACCEPT (`access` 0: the broker says which).  0, 1 if CREATE
 * found it, or a failure with its sentence.
 */
int handle_call(struct vmsect_client *client, struct client_object *object,
		const struct client_request *request, uint32_t access,
		struct vmsect_section **ret_section);

/* May a section of this protection be written? */
bool protection_writes(enum vmsect_protection protection);

/* Copies a legal section name into a request's field, or fails. */
int name_copy(struct vmsect_client *client, char field[static VMSECT_NAME_MAX + 1],
	      const char *name);

#endif
