/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One view: inside.  Mapped views own a reservation of addresses, and on it a
 * struct mapping until they are revoked; registered views have neither.
 *
 * Owner: the caller who made it.  One thread at a time; no lock.
 */
#ifndef LIB_VIEW_H
#define LIB_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mapping.h"
#include "lib/section.h"

struct vmsect_view {
	struct client_object object;
	unsigned char *address; /* owned; NULL: registered */
	uint64_t address_bytes;
	bool is_mapped;
	struct mapping mapping; /* if it is; tags: enum vmsect_protection */
	uint64_t offset; /* in the section */
	uint64_t length;
	uint64_t room; /* growable: its most; else 0 */
	uint64_t page;
	uint64_t section_bytes; /* now, as far as was heard */
	enum vmsect_protection protection; /* as it was mapped */
	uint32_t flags;
};

bool protection_is_legal(enum vmsect_protection protection);

/* How pages of a protection are mapped. */
enum mapping_mode protection_mode(enum vmsect_protection protection);
bool protection_executes(enum vmsect_protection protection);

/*
 * May pages of the view be looked at and changed here?  0; a failure for a view
 * that was revoked or that is only registered.
 */
int view_check(struct vmsect_view *view);

/* Whole pages around a range of the view; length 0 reaches to its end.  -EINVAL (RANGE). */
int view_round(struct vmsect_view *view, uint64_t *offset, uint64_t *length);

/* What a page of this run has now: one that was copied has READWRITE. */
enum vmsect_protection view_protection(const struct mapping_run *run, bool is_private);

/* Is the page private, and for how many bytes from it on, of `length`, are pages alike in that? */
int view_private_run(const struct vmsect_view *view, uint64_t offset, uint64_t length,
		     bool *ret_private, uint64_t *ret_length);

/* A failure of base/mapping with its sentence. */
int view_fail(struct vmsect_view *view, int r, const char *what);

#endif
