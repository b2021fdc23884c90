/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See window.h.  Looks for lost pages when a vCPU has met one and nobody knows
 * which: sizes of files first, then each view's pages.
 *
 * What is not committed of a RESERVE section is not looked for but known, only
 * not which of it a vCPU waits for.  So if nothing else is lost, all of it is
 * buried; window_restore() brings it back once it is committed.  That is much
 * for a false alarm, and one sweep in vain is one: several vCPUs failed on a page
 * that the first has mended, or one failed while a mapping was changed.  A vCPU
 * that the timer has found twice is not, nor one that failed many times in a
 * moment (kvm/vcpu_exit.c gives up after 16).
 */
#include <errno.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/sys.h"
#include "mem/window_impl.h"

#define PROBE_BYTES (UINT64_C(64) << 10)
#define BATCH_BYTES (UINT64_C(64) << 20) /* a disk that has failed loses more than a page */

#define VAIN_MS 100u /* two sweeps in vain that are so far apart */
#define VAIN_COUNT 12u /* or so many */
#define VAIN_FORGET_MS 30000u /* the timer's longest pause is 13 s */

static bool can_populate(const struct window *window, const struct window_view *view,
			 uint64_t start, uint64_t bytes, int advice)
{
	int result = sys_result(madvise(window->hva + view->place + start, bytes, advice));

	/* Want of memory is not a loss, and neither is a kernel without the call. */
	return result != -EFAULT && result != -EHWPOISON;
}

/* Truncated files: cheap, and by far the usual reason. */
static bool sweep_size(struct window *window, struct window_view *view)
{
	uint64_t reach = window_reach(view);

	return reach < view->bytes && window_bury(window, view, reach, view->bytes, ENXIO) > 0;
}

/* The page itself has failed; want of memory is not a loss. */
static bool is_unreadable(ssize_t result)
{
	return result == -EIO || result == -EHWPOISON;
}

/* How far pages cannot be read from `start`, which is one of them, on. */
static uint64_t unreadable_end(const struct window_view *view, uint64_t start, uint64_t end)
{
	const struct mapping_spec *spec = &view->mapping.spec;
	uint64_t limit = end - start < BATCH_BYTES ? end : start + BATCH_BYTES;
	char byte;

	do
		start += spec->page_bytes;
	while (start < limit && is_unreadable(sys_retry(pread(spec->fd, &byte, 1,
							      (off_t)(spec->fd_offset + start)))));
	return start < end ? start : end;
}

/*
 * Data: looks for a page that cannot be read, by reading.  Populating would ask
 * the mapping, but before Linux 6.9 that goes round for ever on a page whose
 * read fails.
 */
static bool sweep_data(struct window *window, struct window_view *view, uint64_t start,
		       uint64_t end)
{
	static unsigned char scratch[PROBE_BYTES]; /* under window.lock */
	const struct mapping_spec *spec = &view->mapping.spec;

	while (start < end) {
		uint64_t bytes = end - start < PROBE_BYTES ? end - start : PROBE_BYTES;
		ssize_t got = sys_retry(
			pread(spec->fd, scratch, bytes, (off_t)(spec->fd_offset + start)));

		if (is_unreadable(got)) {
			start &= ~(spec->page_bytes - 1);
			return window_bury(window, view, start, unreadable_end(view, start, end),
					   EIO) > 0;
		}
		if (got <= 0)
			return false; /* its end, or no failure of a page */
		start += (uint64_t)got;
	}
	return false;
}

/*
 * A hole: tries one page, as the guest would use it.  Not all of them, since
 * that would allocate what nobody has written.
 */
static bool sweep_hole(struct window *window, struct window_view *view, uint64_t start)
{
	bool can_write = mapping_run_at(&view->mapping, start).mode == MAPPING_WRITE;
	int advice = can_write ? MADV_POPULATE_WRITE : MADV_POPULATE_READ;

	if (view->mapping.spec.reserve)
		return false; /* see sweep_reserve() */
	return !can_populate(window, view, start, window_page_bytes(view), advice) &&
	       window_bury_page(window, view, start) > 0;
}

/* A turn for each extent of each part, of which a view has no more than pages. */
static bool sweep_extents(struct window *window, struct window_view *view)
{
	struct window_range part;
	uint64_t start = 0;

	while (window_next_present(view, start, &part)) {
		const struct window_extent extent = window_extent_at(view, part.offset);
		uint64_t end = part.offset + part.bytes;

		end = extent.end < end ? extent.end : end;
		if (extent.is_hole ? sweep_hole(window, view, part.offset)
				   : sweep_data(window, view, part.offset, end))
			return true;
		start = end;
	}
	return false;
}

static bool sweep_reserve(struct window *window, struct window_view *view)
{
	struct window_range part;
	uint64_t start = 0;
	bool found = false;

	while (view->mapping.spec.reserve && window_next_present(view, start, &part)) {
		const struct window_extent extent = window_extent_at(view, part.offset);

		if (extent.is_hole &&
		    window_bury(window, view, extent.start, extent.end, EFAULT) > 0)
			found = true;
		start = extent.end;
	}
	return found;
}

typedef bool sweep_view(struct window *window, struct window_view *view);

static uint32_t sweep_with(struct window *window, sweep_view *sweep)
{
	uint32_t found = 0;

	for (size_t i = 0; i < window->count; i++) {
		struct window_view *view = window->views[i];

		if (view->file && !view->is_revoked && sweep(window, view))
			found++;
	}
	return found;
}

uint32_t window_sweep_sizes(struct window *window)
{
	uint32_t found;

	pthread_mutex_lock(&window->lock);
	found = sweep_with(window, sweep_size);
	pthread_mutex_unlock(&window->lock);
	return found;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* One more sweep in vain: are they enough? */
static bool is_no_false_alarm(struct window *window)
{
	uint64_t now = now_ms();

	if (window->vain.count == 0 || now - window->vain.last_ms > VAIN_FORGET_MS) {
		window->vain.count = 0;
		window->vain.first_ms = now;
	}
	window->vain.last_ms = now;
	window->vain.count++;
	return window->vain.count >= VAIN_COUNT || now - window->vain.first_ms >= VAIN_MS;
}

uint32_t window_sweep(struct window *window)
{
	uint32_t found;

	pthread_mutex_lock(&window->lock);
	found = sweep_with(window, sweep_size);
	if (found == 0)
		found = sweep_with(window, sweep_extents);
	if (found == 0 && is_no_false_alarm(window))
		found = sweep_with(window, sweep_reserve);
	if (found)
		window->vain.count = 0;
	pthread_mutex_unlock(&window->lock);
	return found;
}
