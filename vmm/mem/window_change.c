/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See window.h.  What changes in a live view.
 *
 * A change of mode narrows first: slots that change leave KVM, then the host
 * mapping changes, then the new slots come.  Nothing that the guest does
 * afterwards goes by the old mode.  When KVM_SET_USER_MEMORY_REGION has taken
 * a slot away, every fault handler that knew it is done (KVM waits for its
 * SRCU readers) and all second-level entries made from it are flushed.  The
 * host's change of the mapping calls KVM's MMU notifier, which flushes what
 * else there might be before mmap() or mprotect() is back.  An access that had
 * left the guest by then waits in window_fault() for our lock and is done as
 * the new mode says.  That no vCPU can write while pages change between shared
 * and copied is needed for the pages' sake too: a page copied at that moment
 * would be lost.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "mem/window_impl.h"

static bool run_clip(const struct mapping_run *run, const struct window_range *range,
		     struct mapping_run *ret_run)
{
	uint64_t start = run->offset > range->offset ? run->offset : range->offset;
	uint64_t end = run->offset + run->length, limit = range->offset + range->bytes;

	end = end < limit ? end : limit;
	*ret_run = *run;
	ret_run->offset = start;
	ret_run->length = end - start;
	return start < end;
}

/* Runs as they were, in a range. */
static void modes_restore(struct window_view *view, const struct window_range *range,
			  const struct mapping_run *runs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct mapping_run part;
		int result;

		if (!run_clip(&runs[i], range, &part))
			continue;
		result = mapping_protect(&view->mapping, &part);
		if (result < 0)
			log_error("cannot put the mode of a range back: %s", strerror(-result));
	}
}

static struct mapping_run *modes_save(const struct window_view *view)
{
	size_t bytes = view->mapping.run_count * sizeof(struct mapping_run);
	struct mapping_run *runs = malloc(bytes);

	if (runs)
		memcpy(runs, view->mapping.runs, bytes);
	return runs;
}

static int protect_planned(struct window *window, struct window_view *view,
			   const struct mapping_run *run, struct window_slots *plan)
{
	const struct window_range range = { .offset = run->offset, .bytes = run->length };
	AUTO_FREE struct mapping_run *before = modes_save(view);
	size_t count = view->mapping.run_count;
	int result = before ? 0 : -ENOMEM;

	if (result == 0) {
		window_slots_narrow(window, view, plan);
		result = mapping_protect(&view->mapping, run);
	}
	if (result == 0) {
		result = window_slots_widen(window, view, plan);
		if (result < 0)
			modes_restore(view, &range, before, count);
	}
	return result;
}

/* A view without a file has nothing to show in any other mode. */
static bool can_protect(const struct window_view *view, const struct window_range *range,
			enum mapping_mode mode)
{
	return window_range_is_good(view, range) && (mode == MAPPING_NONE || view->file);
}

static int view_protect(struct window *window, struct window_view *view,
			const struct mapping_run *run)
{
	const struct window_range range = { .offset = run->offset, .bytes = run->length };
	struct window_slots plan;
	int result;

	if (!can_protect(view, &range, run->mode))
		return -EINVAL;
	result = window_slots_plan(view, &range, run->mode, &plan);
	if (result < 0)
		return result;
	result = protect_planned(window, view, run, &plan);
	if (result < 0)
		window_slots_retreat(window, view, &plan);
	else
		window_slots_commit(window, view, &plan);
	window_view_changed(window, view);
	return result;
}

int window_protect(struct window *window, uint64_t place, const struct window_range *range,
		   enum window_mode mode, bool execute)
{
	const struct mapping_run run = {
		.offset = range->offset,
		.length = range->bytes,
		.mode = window_mode_to_mapping(mode),
		.execute = execute,
	};
	struct window_view *view;
	int result = -EINVAL;

	pthread_mutex_lock(&window->lock);
	view = window_view_live(window, place);
	if (view)
		result = view_protect(window, view, &run);
	pthread_mutex_unlock(&window->lock);
	return result;
}

/*
 * The slot of the tail comes before its pages, since a mapping cannot shrink
 * again: the guest has not been told of the tail yet.
 */
static int grow_planned(struct window *window, struct window_view *view, uint64_t bytes,
			struct window_slots *plan)
{
	int result;

	window_slots_narrow(window, view, plan);
	result = window_slots_widen(window, view, plan);
	return result < 0 ? result : mapping_grow(&view->mapping, bytes);
}

static int view_grow(struct window *window, struct window_view *view, uint64_t bytes)
{
	const struct window_range tail = { .offset = view->bytes, .bytes = bytes - view->bytes };
	struct window_slots plan;
	int result = window_slots_plan(view, &tail, view->mapping.spec.mode, &plan);

	if (result < 0)
		return result;
	result = grow_planned(window, view, bytes, &plan);
	if (result < 0) {
		window_slots_retreat(window, view, &plan);
		return result;
	}
	window_slots_commit(window, view, &plan);
	view->bytes = bytes;
	window_view_changed(window, view);
	return 0;
}

int window_grow(struct window *window, uint64_t place, uint64_t bytes)
{
	struct window_view *view;
	int result = -EINVAL;

	pthread_mutex_lock(&window->lock);
	view = window_view_live(window, place);
	if (view && bytes == view->bytes)
		result = 0;
	else if (view && bytes > view->bytes && bytes <= view->mapping.spec.room &&
		 bytes % window_page_bytes(view) == 0)
		result = view_grow(window, view, bytes);
	pthread_mutex_unlock(&window->lock);
	return result;
}

int window_reset(struct window *window, uint64_t place, const struct window_range *range)
{
	struct window_view *view;
	int result = -EINVAL;

	pthread_mutex_lock(&window->lock);
	view = window_view_live(window, place);
	if (view && window_range_is_good(view, range)) {
		result = mapping_reset(&view->mapping, range->offset, range->bytes);
		window_view_changed(window, view);
	}
	pthread_mutex_unlock(&window->lock);
	return result;
}

int64_t window_restore(struct window *window, uint64_t place, const struct window_range *range)
{
	struct window_view *view;
	uint64_t lost = 0;
	int64_t result = -EINVAL;

	pthread_mutex_lock(&window->lock);
	view = window_view_live(window, place);
	if (view && window_range_is_good(view, range)) {
		result = mapping_restore(&view->mapping, range->offset, range->bytes, &lost);
		window_view_changed(window, view);
	}
	pthread_mutex_unlock(&window->lock);
	return result < 0 ? result : (int64_t)lost;
}

/*
 * Without slots the guest has lost the view for good, even if the kernel has
 * no memory to take the mapping away: then its room is never used again.
 */
static int view_revoke(struct window *window, struct window_view *view)
{
	if (!view->is_revoked) {
		window_slots_withdraw(window, view);
		window_slots_deinit(&view->slots);
		view->is_revoked = true;
		view->is_stuck = !mapping_deinit(&view->mapping);
		window_file_give(view->file);
		view->file = NULL;
	}
	return view->is_stuck ? -ENOMEM : 0;
}

int window_revoke(struct window *window, uint64_t place)
{
	struct window_view *view;
	int result = -EINVAL;

	pthread_mutex_lock(&window->lock);
	view = window_view_placed(window, place);
	if (view)
		result = view_revoke(window, view);
	pthread_mutex_unlock(&window->lock);
	return result;
}
