/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A patch for PUBLISH: a memfd with ranges of a section, and their bytes, that
 * nobody can change once the broker has it.
 */
#ifndef LIB_SECTION_PATCH_H
#define LIB_SECTION_PATCH_H

#include <stddef.h>
#include <stdint.h>

struct vmsect_section;

struct patch {
	int fd; /* owned, or -1 */
	size_t room; /* ranges */
	size_t count;
	uint64_t bytes_at; /* where the next bytes go */
};

/* An empty patch for so many ranges.  0 or -errno. */
int patch_init(struct patch *patch, size_t room);

/* Adds a range; the bytes are copied.  -EFAULT: they cannot be read. */
int patch_add(struct patch *patch, uint64_t offset, uint64_t length, const void *bytes);

void patch_deinit(struct patch *patch);

/* Seals it and asks the broker; as vmsect_section_publish(). */
int patch_publish(struct patch *patch, struct vmsect_section *section, uint64_t *ret_ticket);

#endif
