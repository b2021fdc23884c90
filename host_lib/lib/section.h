/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One handle of a section: inside.  Owned by the caller who opened it; views
 * do not need it once they are mapped.
 */
#ifndef LIB_SECTION_H
#define LIB_SECTION_H

#include <stdint.h>

#include "lib/client.h"

struct vmsect_section {
	struct vmsect_client *client; /* borrowed; outlives the handle */
	uint32_t handle; /* the broker's number of it */
	uint32_t access;
	int fd; /* owned; -1: access gives none */
	struct vmsect_section_info info; /* at open */
};

#endif
