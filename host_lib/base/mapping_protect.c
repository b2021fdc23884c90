/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changing the mode of pages.
 *
 * Where old and new mode are one kind of mapping, the protection changes.
 * Elsewhere the file is mapped anew, run by run, around the pages that are
 * private or lost: those keep their mapping and change their protection.  Pages
 * that may be copied at any moment are made read-only before it is looked
 * which ones are.
 *
 * A change that fails is undone with the same steps.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/mapping_internal.h"

/* Part of one old run that takes another mode. */
struct change {
	struct mapping_run from;
	struct mapping_run to; /* the same pages */
	enum place_how how;
	int pagemap_fd; /* -1: nothing was ever private */
	uint64_t done; /* pages before this may have changed */
};

/* The pages at `offset` that are kept alike, or not kept alike, up to *ret_end. */
static int next_part(const struct mapping *mapping, const struct change *change, uint64_t offset,
		     bool *ret_kept, uint64_t *ret_end)
{
	const struct mapping_run *lost = lost_from(mapping, offset);
	uint64_t end = run_end(&change->to);
	struct mapping_run found;
	int r;

	*ret_kept = lost && lost->offset <= offset;
	if (*ret_kept) {
		*ret_end = run_end(lost) < end ? run_end(lost) : end;
		return 0;
	}
	if (lost && lost->offset < end)
		end = lost->offset;
	r = change->pagemap_fd < 0 ? 0
				   : private_find(mapping, change->pagemap_fd, offset, end, &found);
	if (r > 0) {
		*ret_kept = found.offset == offset;
		end = *ret_kept ? run_end(&found) : found.offset;
	}
	*ret_end = end;
	return r < 0 ? r : 0;
}

static int change_part(const struct mapping *mapping, struct change *change, bool kept,
		       uint64_t end)
{
	struct mapping_run part = run_cut(&change->to, change->done, end);

	change->done = end;
	if (kept)
		return range_prot(mapping, part.offset, end, mode_prot(&part));
	return range_place(mapping, &part, change->how);
}

static int change_kind(const struct mapping *mapping, struct change *change)
{
	uint64_t end = run_end(&change->to);
	struct mapping_run frozen = change->from;
	uint64_t part_end;
	bool kept;
	int r = 0;

	if (change->from.mode == MAPPING_COPY) {
		frozen.mode = MAPPING_READ;
		r = range_prot(mapping, change->to.offset, end, mode_prot(&frozen));
	}
	while (!r && change->done < end) {
		r = next_part(mapping, change, change->done, &kept, &part_end);
		if (!r)
			r = change_part(mapping, change, kept, part_end);
	}
	return r;
}

static int change_apply(const struct mapping *mapping, struct change *change)
{
	change->done = change->to.offset;
	if (change->to.mode != MAPPING_NONE &&
	    mode_kind(mapping, change->from.mode) != mode_kind(mapping, change->to.mode))
		return change_kind(mapping, change);
	change->done = run_end(&change->to);
	return range_prot(mapping, change->to.offset, change->done, mode_prot(&change->to));
}

/*
 * Makes [from, done) what it was, and lets writes into the rest of the old run
 * again.  What fails here leaves pages with less access than they had.
 */
static void change_undo(const struct mapping *mapping, const struct change *failed)
{
	struct change back = {
		.from = run_cut(&failed->to, 0, failed->done),
		.to = run_cut(&failed->from, 0, failed->done),
		.how = PLACE_BACK,
		.pagemap_fd = failed->pagemap_fd,
	};

	if (back.to.length)
		(void)change_apply(mapping, &back);
	(void)range_prot(mapping, failed->done, run_end(&failed->from), mode_prot(&failed->from));
}

static struct change change_of(const struct mapping_run *old, const struct mapping_run *run,
			       int pagemap_fd)
{
	struct change change = {
		.from = run_cut(old, run->offset, run_end(run)),
		.to = run_cut(run, old->offset, run_end(old)),
		.how = PLACE_MOVE,
		.pagemap_fd = pagemap_fd,
	};

	return change;
}

/* Undoes the changes of the runs before `count`, which all were made. */
static void undo_all(const struct mapping *mapping, const struct mapping_run *run, size_t count,
		     int pagemap_fd)
{
	struct change change;

	while (count--) {
		change = change_of(&mapping->runs[count], run, pagemap_fd);
		change.done = run_end(&change.to);
		if (change.to.length)
			change_undo(mapping, &change);
	}
}

static int change_all(const struct mapping *mapping, const struct mapping_run *run, int pagemap_fd)
{
	struct change change;
	size_t i;
	int r;

	for (i = 0; i < mapping->run_count; i++) {
		change = change_of(&mapping->runs[i], run, pagemap_fd);
		if (!change.to.length)
			continue;
		r = change_apply(mapping, &change);
		if (r < 0) {
			change_undo(mapping, &change);
			undo_all(mapping, run, i, pagemap_fd);
			return r;
		}
	}
	return 0;
}

static int change_pages(const struct mapping *mapping, const struct mapping_run *run)
{
	AUTO_FD int pagemap_fd = -1;

	if (mapping->copied && run->mode != MAPPING_NONE) {
		pagemap_fd = pagemap_open();
		if (pagemap_fd < 0)
			return pagemap_fd;
	}
	return change_all(mapping, run, pagemap_fd);
}

int mapping_protect(struct mapping *mapping, const struct mapping_run *wanted)
{
	struct run_list old = { mapping->runs, mapping->run_count };
	struct mapping_run run = *wanted;
	struct run_list list;
	int r;

	if (!mapping_has_range(mapping, run.offset, run.length) || run.mode > MAPPING_COPY ||
	    (run.mode != MAPPING_NONE && mapping->spec.fd < 0))
		return -EINVAL;
	run.execute = run.execute && run.mode != MAPPING_NONE;
	r = runs_replace(&old, &run, run_end(&run), MAPPING_RUNS_MAX, &list);
	if (r < 0)
		return r;
	/* A page of a mode that copies can be private from the first moment on. */
	if (run.mode == MAPPING_COPY)
		mapping->copied = true;
	r = change_pages(mapping, &run);
	if (r < 0) {
		free(list.runs);
		return r;
	}
	free(mapping->runs);
	mapping->runs = list.runs;
	mapping->run_count = list.count;
	return 0;
}
