/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lists of runs: ascending, apart, neighbours differ.  Pure but for memory.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/mapping_internal.h"

struct mapping_run run_cut(const struct mapping_run *run, uint64_t from, uint64_t end)
{
	struct mapping_run part = *run;

	if (part.offset < from)
		part.offset = from;
	if (end > run_end(run))
		end = run_end(run);
	part.length = end > part.offset ? end - part.offset : 0;
	return part;
}

static bool runs_join(const struct mapping_run *left, const struct mapping_run *right)
{
	return run_end(left) == right->offset && left->mode == right->mode &&
	       left->execute == right->execute && left->tag == right->tag;
}

static void run_push(struct run_list *list, const struct mapping_run *run)
{
	struct mapping_run *last = list->count ? &list->runs[list->count - 1] : NULL;

	if (!run->length)
		return;
	if (last && runs_join(last, run))
		last->length += run->length;
	else
		list->runs[list->count++] = *run;
}

int runs_replace(const struct run_list *old, const struct mapping_run *run, uint64_t end,
		 size_t limit, struct run_list *ret_list)
{
	struct run_list list = { .runs = calloc(old->count + 2, sizeof(*list.runs)) };
	struct mapping_run part;
	size_t i;

	if (!list.runs)
		return -ENOMEM;
	for (i = 0; i < old->count; i++) {
		part = run_cut(&old->runs[i], 0, run->offset);
		run_push(&list, &part);
	}
	run_push(&list, run);
	for (i = 0; i < old->count; i++) {
		part = run_cut(&old->runs[i], end, UINT64_MAX);
		run_push(&list, &part);
	}
	if (list.count > limit) {
		free(list.runs);
		return -E2BIG;
	}
	*ret_list = list;
	return 0;
}
