/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See window.h.  What is asked of a live view. */
#include <errno.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "mem/window_impl.h"

/* Whether pages are committed is asked page by page: an answer is no longer than this. */
#define COMMIT_BYTES_MAX (UINT64_C(64) << 20)

static enum window_mode mode_of(enum mapping_mode mode)
{
	switch (mode) {
	case MAPPING_READ:
		return WINDOW_READONLY;
	case MAPPING_WRITE:
		return WINDOW_READWRITE;
	case MAPPING_COPY:
		return WINDOW_WRITECOPY;
	case MAPPING_NONE:
		break;
	}
	return WINDOW_NOACCESS;
}

static void pages_end(struct window_pages *pages, uint64_t end)
{
	if (end - pages->offset < pages->bytes)
		pages->bytes = end - pages->offset;
}

static void query_lost(const struct window_view *view, struct window_pages *pages)
{
	const struct mapping_run *lost = window_next_lost(view, pages->offset);

	if (!lost)
		return;
	pages->is_lost = lost->offset <= pages->offset;
	pages_end(pages, pages->is_lost ? lost->offset + lost->length : lost->offset);
}

static int query_private(const struct window_view *view, struct window_pages *pages)
{
	uint64_t offset, bytes;
	int result = mapping_next_private(&view->mapping, pages->offset, &offset, &bytes);

	if (result <= 0)
		return result;
	pages->is_private = offset == pages->offset;
	pages_end(pages, pages->is_private ? offset + bytes : offset);
	return 0;
}

static void query_committed(const struct window_view *view, struct window_pages *pages)
{
	if (view->mapping.spec.reserve)
		pages_end(pages, pages->offset + COMMIT_BYTES_MAX);
	pages->bytes = mapping_commit_run(&view->mapping, pages->offset, pages->bytes,
					  &pages->is_committed);
}

static int view_query(const struct window_view *view, uint64_t offset,
		      struct window_pages *ret_pages)
{
	uint64_t start = offset & ~(window_page_bytes(view) - 1);
	const struct mapping_run run = mapping_run_at(&view->mapping, start);
	struct window_pages pages = {
		.offset = start,
		.bytes = run.offset + run.length - start,
		.mode = mode_of(run.mode),
		.execute = run.execute,
	};
	int result = query_private(view, &pages);

	if (result < 0)
		return result;
	query_lost(view, &pages);
	query_committed(view, &pages);
	*ret_pages = pages;
	return 0;
}

int window_query(struct window *window, uint64_t place, uint64_t offset,
		 struct window_pages *ret_pages)
{
	const struct window_view *view;
	int result = -EINVAL;

	pthread_mutex_lock(&window->lock);
	view = window_view_placed(window, place);
	if (view && offset < view->bytes) {
		result = 0;
		if (view->is_revoked)
			*ret_pages = (struct window_pages){ .bytes = view->bytes };
		else
			result = view_query(view, offset, ret_pages);
	}
	pthread_mutex_unlock(&window->lock);
	return result;
}

static int view_diff(const struct window_view *view, uint64_t after, struct window_range *ranges,
		     size_t room)
{
	size_t count = 0;

	while (count < room) {
		struct window_range *range = &ranges[count];
		int result =
			mapping_next_private(&view->mapping, after, &range->offset, &range->bytes);

		if (result < 0)
			return result;
		if (result == 0)
			break;
		after = range->offset + range->bytes;
		count++;
	}
	return (int)count;
}

int window_diff(struct window *window, uint64_t place, uint64_t after, struct window_range *ranges,
		size_t room)
{
	const struct window_view *view;
	int result = -EINVAL;

	pthread_mutex_lock(&window->lock);
	view = window_view_live(window, place);
	if (view && room <= INT32_MAX)
		result = view_diff(view, after, ranges, room);
	pthread_mutex_unlock(&window->lock);
	return result;
}

int64_t window_private_pages(struct window *window, uint64_t place)
{
	const struct window_view *view;
	int64_t result = -EINVAL;

	pthread_mutex_lock(&window->lock);
	view = window_view_placed(window, place);
	if (view)
		result = view->is_revoked ? 0 : mapping_private_pages(&view->mapping);
	pthread_mutex_unlock(&window->lock);
	return result;
}

/* On a page that is not there this fails, where a plain load would raise SIGBUS. */
static int copy_out(const struct window *window, const struct window_view *view, uint64_t offset,
		    void *buffer, uint64_t bytes)
{
	struct iovec to = { .iov_base = buffer, .iov_len = bytes };
	struct iovec from = { .iov_base = window->hva + view->place + offset, .iov_len = bytes };

	return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == (ssize_t)bytes ? 0 : -EIO;
}

/*
 * Pages without access have bytes only if they are private.  They have no slot,
 * so nobody sees that they can be read for a moment.
 */
static int copy_out_closed(const struct window *window, const struct window_view *view,
			   uint64_t offset, void *buffer, uint64_t bytes)
{
	uint64_t mask = window_page_bytes(view) - 1, start = offset & ~mask;
	uint64_t end = (offset + bytes + mask) & ~mask, private_start, private_bytes;
	void *pages = window->hva + view->place + start;
	int result = mapping_next_private(&view->mapping, start, &private_start, &private_bytes);

	if (result <= 0 || private_start > start || private_start + private_bytes < end)
		return -EIO;
	if (mprotect(pages, end - start, PROT_READ) < 0)
		return -EIO;
	result = copy_out(window, view, offset, buffer, bytes);
	return mprotect(pages, end - start, PROT_NONE) < 0 ? -EIO : result;
}

static int view_read(const struct window *window, const struct window_view *view, uint64_t offset,
		     uint8_t *buffer, uint64_t bytes)
{
	const struct mapping_run *lost = window_next_lost(view, offset);
	uint64_t end = offset + bytes;
	int result = lost && lost->offset < end ? -EIO : 0;

	while (offset < end && result == 0) {
		const struct mapping_run run = mapping_run_at(&view->mapping, offset);
		uint64_t stop = run.offset + run.length < end ? run.offset + run.length : end;

		if (run.mode == MAPPING_NONE)
			result = copy_out_closed(window, view, offset, buffer, stop - offset);
		else
			result = copy_out(window, view, offset, buffer, stop - offset);
		buffer += stop - offset;
		offset = stop;
	}
	return result;
}

int window_read(struct window *window, uint64_t place, uint64_t offset, void *buffer, size_t bytes)
{
	const struct window_view *view;
	int result = -EIO;

	pthread_mutex_lock(&window->lock);
	view = window_view_live(window, place);
	if (view && offset <= view->bytes && bytes <= view->bytes - offset)
		result = view_read(window, view, offset, buffer, bytes);
	pthread_mutex_unlock(&window->lock);
	return result;
}
