/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See window.h.  Pages whose backing has gone, and the tombstones (private
 * zero pages, with the pages' modes) that take their place, so that the guest
 * goes on.
 *
 * A truncated file loses all behind its end, so that becomes one tombstone.  A
 * store that is full cannot hold any page of a hole of a sparse file, so the
 * hole is buried as one.  A page that cannot be read, or that is not
 * committed, is buried alone (hugetlb: the huge page).  Private pages need no
 * backing and stay.  Each tombstone may cost a mapping, and the kernel bounds
 * these: where it refuses, the whole view is buried.
 *
 * A tombstone stays until window_restore(), even if the file grows again:
 * bytes that a guest wrote to it must not turn into others by themselves.
 */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem/window_impl.h"

#define SMALL_PAGE 4096

uint64_t window_reach(const struct window_view *view)
{
	const struct mapping_spec *spec = &view->mapping.spec;
	struct stat status;
	uint64_t size, bytes;

	if (fstat(spec->fd, &status) < 0)
		return view->bytes;
	size = (uint64_t)status.st_size;
	if (size <= spec->fd_offset)
		return 0;
	bytes = size - spec->fd_offset;
	if (bytes >= view->bytes)
		return view->bytes;
	return (bytes + spec->page_bytes - 1) & ~(spec->page_bytes - 1);
}

/* Where in the view the file has its next hole or data from `start` on. */
static uint64_t seek(const struct window_view *view, uint64_t start, int whence)
{
	const struct mapping_spec *spec = &view->mapping.spec;
	off_t found = lseek(spec->fd, (off_t)(spec->fd_offset + start), whence);
	uint64_t offset;

	if (found < 0 && errno == ENXIO)
		return view->bytes; /* none up to the end of the file */
	/* A failing disk cannot say where: then it is data, and reading it will tell. */
	if (found < 0)
		return whence == SEEK_DATA ? start : view->bytes;
	offset = (uint64_t)found - spec->fd_offset;
	return offset < view->bytes ? offset : view->bytes;
}

/* Of a RESERVE section a hole is what was not committed. */
static struct window_extent committed_extent(const struct window_view *view, uint64_t start)
{
	bool committed;
	uint64_t bytes = mapping_commit_run(&view->mapping, start, view->bytes - start, &committed);

	return (struct window_extent){ start, start + bytes, !committed };
}

/* A page with any data is data. */
struct window_extent window_extent_at(const struct window_view *view, uint64_t start)
{
	uint64_t mask = window_page_bytes(view) - 1, next = start + mask + 1, data, hole;

	if (view->mapping.spec.reserve)
		return committed_extent(view, start);
	data = seek(view, start, SEEK_DATA) & ~mask;
	if (data > start)
		return (struct window_extent){ start, data, true };
	hole = (seek(view, start, SEEK_HOLE) + mask) & ~mask;
	/* The file may change meanwhile: always a step forward. */
	return (struct window_extent){ start, hole > next ? hole : next, false };
}

const struct mapping_run *window_next_lost(const struct window_view *view, uint64_t offset)
{
	const struct mapping *mapping = &view->mapping;
	size_t low = 0, high = mapping->lost_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct mapping_run *lost = &mapping->lost[middle];

		if (lost->offset + lost->length <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low < mapping->lost_count ? &mapping->lost[low] : NULL;
}

/* Steps over runs without access and over tombstones, one at a time. */
bool window_next_present(const struct window_view *view, uint64_t start,
			 struct window_range *ret_range)
{
	while (start < view->bytes) {
		const struct mapping_run run = mapping_run_at(&view->mapping, start);
		const struct mapping_run *lost = window_next_lost(view, start);
		uint64_t end = run.offset + run.length;

		if (run.mode == MAPPING_NONE) {
			start = end;
		} else if (lost && lost->offset <= start) {
			start = lost->offset + lost->length;
		} else {
			end = lost && lost->offset < end ? lost->offset : end;
			*ret_range = (struct window_range){ start, end - start };
			return true;
		}
	}
	return false;
}

static uint64_t present_pages(const struct window_view *view)
{
	struct window_range part;
	uint64_t bytes = 0;

	for (uint64_t start = 0; window_next_present(view, start, &part);
	     start = part.offset + part.bytes)
		bytes += part.bytes;
	return bytes / window_page_bytes(view);
}

static void note_loss(struct window *window, const struct window_view *view,
		      const struct window_range *range, uint64_t pages, int error)
{
	const struct window_loss loss = {
		.place = view->place, .id = view->id, .range = *range, .error = error
	};

	window->counters.lost_pages += pages;
	window_loss_add(window, &loss);
}

/* The mappings of this process are used up: the whole view is one tombstone. */
static int64_t bury_all(struct window *window, struct window_view *view, int error)
{
	const struct window_range all = { .bytes = view->bytes };
	uint64_t pages = present_pages(view);
	int result = mapping_bury(&view->mapping, 0, view->bytes);

	if (result < 0)
		return result;
	note_loss(window, view, &all, pages, error);
	return (int64_t)pages;
}

/* Only a page that cannot be read may be private all the same. */
static int next_private(const struct window_view *view, uint64_t start, int error,
			struct window_range *ret_range)
{
	if (error == EIO)
		return 0;
	return mapping_next_private(&view->mapping, start, &ret_range->offset, &ret_range->bytes);
}

/* A present part, around private pages.  The bytes that went, or -errno. */
static int64_t bury_part(struct window_view *view, const struct window_range *part, int error)
{
	uint64_t end = part->offset + part->bytes, start = part->offset, stop;
	int64_t bytes = 0;

	while (start < end) {
		struct window_range kept = { .offset = end };
		int result = next_private(view, start, error, &kept);

		if (result < 0)
			return result;
		stop = kept.offset < end ? kept.offset : end;
		if (start < stop)
			result = mapping_bury(&view->mapping, start, stop - start);
		if (result < 0)
			return result;
		bytes += (int64_t)(stop - start);
		start = stop < end ? kept.offset + kept.bytes : end;
	}
	return bytes;
}

int64_t window_bury(struct window *window, struct window_view *view, uint64_t start, uint64_t end,
		    int error)
{
	struct window_range part, all = { 0 };
	int64_t pages = 0, bytes;

	for (; window_next_present(view, start, &part) && part.offset < end;
	     start = part.offset + part.bytes) {
		part.bytes = part.bytes < end - part.offset ? part.bytes : end - part.offset;
		bytes = bury_part(view, &part, error);
		if (bytes < 0)
			return bury_all(window, view, error);
		all.offset = pages ? all.offset : part.offset;
		all.bytes = part.offset + part.bytes - all.offset;
		pages += bytes / (int64_t)window_page_bytes(view);
	}
	if (pages)
		note_loss(window, view, &all, (uint64_t)pages, error);
	return pages;
}

int64_t window_bury_page(struct window *window, struct window_view *view, uint64_t start)
{
	const struct mapping_spec *spec = &view->mapping.spec;
	struct window_extent extent;

	if (spec->reserve)
		return window_bury(window, view, start, start + spec->page_bytes,
				   mapping_is_committed(&view->mapping, start) ? EIO : EFAULT);
	/* The pool has no page, or a page is broken: hugetlb does not tell which. */
	if (spec->page_bytes > SMALL_PAGE)
		return window_bury(window, view, start, start + spec->page_bytes, ENOMEM);
	extent = window_extent_at(view, start);
	if (extent.is_hole)
		return window_bury(window, view, start, extent.end, ENOSPC);
	return window_bury(window, view, start, start + spec->page_bytes, EIO);
}

int64_t window_bury_at(struct window *window, struct window_view *view, uint64_t offset)
{
	uint64_t reach = window_reach(view);

	if (offset >= reach)
		return window_bury(window, view, reach, view->bytes, ENXIO);
	return window_bury_page(window, view, offset & ~(window_page_bytes(view) - 1));
}
