/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See window.h.  Pages whose backing has gone, and the tombstones (private
 * zero pages, with the view's protection) that take their place, so that the
 * guest goes on.
 *
 * A truncated file loses all behind its end, so that becomes one tombstone.  A
 * store that is full cannot hold any page of a hole of a sparse file, so the
 * hole is buried as one.  A page that cannot be read is buried alone (hugetlb:
 * the huge page).  Each tombstone may cost a mapping, and the kernel bounds
 * these: where it refuses, the whole view is buried.
 *
 * A tombstone stays until the view is unmapped, even if the file grows again:
 * bytes that a guest wrote to it must not turn into others.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"
#include "mem/window_impl.h"

#define PROBE_BYTES (UINT64_C(64) << 20)

static int bury(struct window *window, const struct window_view *view, uint64_t start, uint64_t end)
{
	void *mapped = mmap(window->hva + view->place + start, end - start, window_view_prot(view),
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);

	if (mapped == MAP_FAILED)
		return -errno;
	window->counters.lost_pages += (end - start) / view->page_bytes;
	return 0;
}

static int bury_tail(struct window *window, struct window_view *view, uint64_t start)
{
	int result = bury(window, view, start, view->live_bytes);

	if (result < 0)
		return result;
	view->live_bytes = start;
	TAILQ_REMOVE(&window->changes, view, change);
	TAILQ_INSERT_HEAD(&window->changes, view, change);
	return 0;
}

static int bury_range(struct window *window, struct window_view *view, uint64_t start, uint64_t end)
{
	int result = bury(window, view, start, end);

	return result < 0 ? bury_tail(window, view, 0) : 0;
}

/* How much of the live part the file still reaches, in whole pages. */
static uint64_t reach(const struct window_view *view)
{
	struct stat status;
	uint64_t size, bytes;

	if (fstat(view->file->fd, &status) < 0)
		return view->live_bytes;
	size = (uint64_t)status.st_size;
	if (size <= view->fd_offset)
		return 0;
	bytes = size - view->fd_offset;
	if (bytes >= view->live_bytes)
		return view->live_bytes;
	return (bytes + view->page_bytes - 1) & ~(view->page_bytes - 1);
}

/* A range of a view, in whole pages, that is a hole of the file or has data. */
struct extent {
	uint64_t start;
	uint64_t end;
	bool is_hole;
};

/* Where in the view the file has its next hole or data from `start` on. */
static uint64_t seek(const struct window_view *view, uint64_t start, int whence)
{
	off_t found = lseek(view->file->fd, (off_t)(view->fd_offset + start), whence);
	uint64_t offset;

	if (found < 0)
		return view->live_bytes; /* none up to the end of the file */
	offset = (uint64_t)found - view->fd_offset;
	return offset < view->live_bytes ? offset : view->live_bytes;
}

/*
 * The extent at `start`, which is in the live part and a whole page.  A page
 * with any data is data.
 */
static struct extent extent_at(const struct window_view *view, uint64_t start)
{
	uint64_t mask = view->page_bytes - 1, next = start + view->page_bytes;
	uint64_t data = seek(view, start, SEEK_DATA) & ~mask, hole;

	if (data > start)
		return (struct extent){ start, data, true };
	hole = (seek(view, start, SEEK_HOLE) + mask) & ~mask;
	/* The file may change meanwhile: always a step forward. */
	return (struct extent){ start, hole > next ? hole : next, false };
}

/* The page at `start` is lost, and with it the rest of a hole that it is in. */
static int bury_page(struct window *window, struct window_view *view, uint64_t start)
{
	struct extent extent = extent_at(view, start);

	return bury_range(window, view, start,
			  extent.is_hole ? extent.end : start + view->page_bytes);
}

int window_view_bury(struct window *window, struct window_view *view, uint64_t offset)
{
	uint64_t live = reach(view);

	if (offset >= view->live_bytes)
		return 0;
	if (offset >= live)
		return bury_tail(window, view, live);
	return bury_page(window, view, offset & ~(view->page_bytes - 1));
}

static bool can_populate(const struct window *window, const struct window_view *view,
			 uint64_t start, uint64_t bytes, int advice)
{
	int result = sys_result(madvise(window->hva + view->place + start, bytes, advice));

	/* Want of memory is not a loss, and neither is a kernel without the call. */
	return result != -EFAULT && result != -EHWPOISON;
}

/* The first page in a range that is not backed: one is known to be there. */
static uint64_t find_page(const struct window *window, const struct window_view *view,
			  uint64_t start, uint64_t bytes)
{
	while (bytes > view->page_bytes) {
		uint64_t half = bytes / view->page_bytes / 2 * view->page_bytes;

		if (can_populate(window, view, start, half, MADV_POPULATE_READ)) {
			start += half;
			bytes -= half;
		} else {
			bytes = half;
		}
	}
	return start;
}

/* Truncated files: cheap, and by far the usual reason. */
static bool sweep_size(struct window *window, struct window_view *view)
{
	uint64_t live = reach(view);

	return live < view->live_bytes && bury_tail(window, view, live) == 0;
}

/* Data: looks for a page that cannot be read. */
static bool sweep_data(struct window *window, struct window_view *view, struct extent extent)
{
	for (uint64_t start = extent.start; start < extent.end; start += PROBE_BYTES) {
		uint64_t bytes = extent.end - start, page;

		bytes = bytes < PROBE_BYTES ? bytes : PROBE_BYTES;
		if (can_populate(window, view, start, bytes, MADV_POPULATE_READ))
			continue;
		page = find_page(window, view, start, bytes);
		return bury_page(window, view, page) == 0;
	}
	return false;
}

/*
 * A hole: tries one page, as the guest would use it.  Not all of them, since
 * that would allocate what nobody has written.
 */
static bool sweep_hole(struct window *window, struct window_view *view, struct extent extent)
{
	int advice = view->mode == WINDOW_READWRITE ? MADV_POPULATE_WRITE : MADV_POPULATE_READ;

	return !can_populate(window, view, extent.start, view->page_bytes, advice) &&
	       bury_range(window, view, extent.start, extent.end) == 0;
}

/* A turn for each extent, of which a view has no more than pages. */
static bool sweep_extents(struct window *window, struct window_view *view)
{
	struct extent extent = { 0 };

	for (uint64_t start = 0; start < view->live_bytes; start = extent.end) {
		extent = extent_at(view, start);
		if (extent.is_hole ? sweep_hole(window, view, extent)
				   : sweep_data(window, view, extent))
			return true;
	}
	return false;
}

typedef bool sweep_view(struct window *window, struct window_view *view);

/* A view that is found moves to the head of the list, behind us. */
static uint32_t sweep_with(struct window *window, sweep_view *sweep)
{
	struct window_view *view, *next;
	uint32_t found = 0;

	for (view = TAILQ_FIRST(&window->changes); view; view = next) {
		next = TAILQ_NEXT(view, change);
		if (view->file && view->live_bytes && sweep(window, view))
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

uint32_t window_sweep(struct window *window)
{
	uint32_t found;

	pthread_mutex_lock(&window->lock);
	found = sweep_with(window, sweep_size);
	if (found == 0)
		found = sweep_with(window, sweep_extents);
	pthread_mutex_unlock(&window->lock);
	return found;
}
