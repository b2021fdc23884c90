/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who maps sections: views, which the broker knows and enforces, and mappings
 * of a section's file that were made without it, which it does not.
 */
#ifndef CLI_VIEWS_H
#define CLI_VIEWS_H

#include <stdbool.h>
#include <stddef.h>

#include <vmsect/vmsect.h>

#include "cli/outside.h"

/* One row of views_listing. */
struct view_row {
	bool is_outside;
	struct vmsect_view_info view; /* outside: section_name and section_id */
	struct outside_mapping mapping; /* outside */
};

struct view_rows {
	struct view_row *list; /* owned */
	size_t count;
	size_t hidden; /* processes that may have mappings and could not be looked at */
};

/*
 * The views of a section id, or (0) of all, and then the mappings of the files of
 * these sections.  0, or -errno after a message.
 */
int view_rows_fetch(struct view_rows *rows, struct vmsect_client *client, uint64_t id,
		    const struct vmsect_section_info *sections, size_t section_count);

/* Says what could not be looked at, if anything, on stderr. */
void view_rows_note(const struct view_rows *rows);

/* Cleanup attribute of the rows. */
void view_rows_deinit(struct view_rows *rows);

#endif
