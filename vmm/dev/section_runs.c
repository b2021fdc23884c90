/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See section_runs.h. */
#include "dev/section_runs.h"

#include <errno.h>
#include <stdlib.h>

int section_runs_init(struct section_runs *runs, uint64_t bytes, uint32_t protection)
{
	runs->count = 0;
	runs->items = malloc(sizeof(*runs->items));
	if (!runs->items)
		return -ENOMEM;
	runs->items[runs->count++] = (struct section_run){ bytes, protection };
	return 0;
}

void section_runs_deinit(struct section_runs *runs)
{
	free(runs->items);
	*runs = (struct section_runs){ 0 };
}

/* Adds what of [0, end) is not there yet; there is room. */
static void extend_to(struct section_runs *runs, uint64_t end, uint32_t protection)
{
	struct section_run *last = runs->count ? &runs->items[runs->count - 1] : NULL;

	if (end <= (last ? last->end : 0))
		return;
	if (last && last->protection == protection)
		last->end = end;
	else
		runs->items[runs->count++] = (struct section_run){ end, protection };
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

int section_runs_with(const struct section_runs *runs, const struct window_range *range,
		      uint32_t protection, struct section_runs *ret_runs)
{
	uint64_t end = range->offset + range->bytes;
	/* A range cuts at most one run in three. */
	struct section_runs with = { calloc(runs->count + 2, sizeof(*runs->items)), 0 };

	if (!with.items)
		return -ENOMEM;
	for (size_t i = 0; i < runs->count; i++) {
		const struct section_run *run = &runs->items[i];

		extend_to(&with, lesser(run->end, range->offset), run->protection);
		extend_to(&with, lesser(run->end, end), protection);
		extend_to(&with, run->end, run->protection);
	}
	extend_to(&with, end, protection);
	*ret_runs = with;
	return 0;
}

size_t section_runs_at(const struct section_runs *runs, uint64_t offset)
{
	size_t index = 0;

	while (index + 1 < runs->count && runs->items[index].end <= offset)
		index++;
	return index;
}

uint64_t section_runs_start(const struct section_runs *runs, size_t index)
{
	return index ? runs->items[index - 1].end : 0;
}

uint32_t section_runs_protection(const struct section_runs *runs)
{
	return runs->count == 1 ? runs->items[0].protection : 0;
}
