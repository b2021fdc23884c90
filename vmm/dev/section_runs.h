/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which pages of a view have which protection: runs that cover the view
 * without gaps, neighbours differ.  The window knows modes; a guest asks for
 * protections, of which several have one mode.
 *
 * Private to dev/section_*.c.  Owner: struct section_view; zeroed is empty.
 */
#ifndef DEV_SECTION_RUNS_H
#define DEV_SECTION_RUNS_H

#include <stddef.h>
#include <stdint.h>

#include "mem/window.h"

struct section_run {
	uint64_t end; /* the next one starts there */
	uint32_t protection;
};

struct section_runs {
	struct section_run *items; /* owned */
	size_t count;
};

/* One run; 0 or -ENOMEM. */
int section_runs_init(struct section_runs *runs, uint64_t bytes, uint32_t protection);
void section_runs_deinit(struct section_runs *runs);

/* Other runs, with a range changed or (past the end, without a gap) added; 0 or -ENOMEM. */
int section_runs_with(const struct section_runs *runs, const struct window_range *range,
		      uint32_t protection, struct section_runs *ret_runs);

/* The run at an offset of the view: its index. */
size_t section_runs_at(const struct section_runs *runs, uint64_t offset);
uint64_t section_runs_start(const struct section_runs *runs, size_t index);

/* The protection of all pages, 0 if they differ. */
uint32_t section_runs_protection(const struct section_runs *runs);

#endif
