/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See window.h.  The classifier of guest accesses that did not simply happen.
 *
 * A view's bytes are only ever touched through process_vm_readv() and
 * process_vm_writev() on ourselves: on a lost page these fail, where a plain
 * load would raise SIGBUS.  They may wait for the disk under the lock; that
 * is the price of not racing with an unmap.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "mem/window_impl.h"

struct access {
	uint64_t offset; /* in the window */
	bool is_write;
	void *data;
	uint32_t bytes;
};

static bool copy_view(const struct window *window, const struct access *access)
{
	struct iovec local = { .iov_base = access->data, .iov_len = access->bytes };
	struct iovec view = { .iov_base = window->hva + access->offset, .iov_len = access->bytes };
	ssize_t done = access->is_write ? process_vm_writev(getpid(), &local, 1, &view, 1, 0)
					: process_vm_readv(getpid(), &local, 1, &view, 1, 0);

	return done == (ssize_t)access->bytes;
}

static enum window_fault access_hole(struct window *window, const struct access *access)
{
	window->counters.hole_accesses++;
	if (!access->is_write)
		memset(access->data, 0xFF, access->bytes);
	return WINDOW_FAULT_HOLE;
}

static enum window_fault access_denied(struct window *window, struct window_view *view)
{
	view->denied_writes++;
	window->counters.denied_writes++;
	return WINDOW_FAULT_DENIED;
}

/* The view allows the access: do it, on a tombstone if need be. */
static enum window_fault access_view(struct window *window, struct window_view *view,
				     const struct access *access)
{
	if (copy_view(window, access))
		return WINDOW_FAULT_RACE;
	window->counters.lost_accesses++;
	if (window_bury_at(window, view, access->offset - view->place) < 0 ||
	    !copy_view(window, access)) {
		if (!access->is_write)
			memset(access->data, 0, access->bytes);
	}
	return WINDOW_FAULT_LOST;
}

/* What all bytes of an access allow: modes are in the order of what they do. */
static enum mapping_mode access_mode(const struct window_view *view, const struct access *access)
{
	uint64_t offset = access->offset - view->place;
	enum mapping_mode first = mapping_run_at(&view->mapping, offset).mode;
	enum mapping_mode last = mapping_run_at(&view->mapping, offset + access->bytes - 1).mode;

	return first < last ? first : last;
}

static enum window_fault classify(struct window *window, const struct access *access)
{
	struct window_view *view = window_view_at(window, access->offset);
	enum mapping_mode mode;

	if (!view || view->is_revoked || access->bytes > view->place + view->bytes - access->offset)
		return access_hole(window, access);
	mode = access_mode(view, access);
	if (mode == MAPPING_NONE)
		return access_hole(window, access);
	if (access->is_write && mode == MAPPING_READ)
		return access_denied(window, view);
	return access_view(window, view, access);
}

/* WINDOW_NOWHERE has no offset that is inside. */
static bool find_offset(const struct window *window, uint64_t gpa, uint64_t *ret_offset)
{
	if (window->base_gpa == WINDOW_NOWHERE || gpa < window->base_gpa ||
	    gpa - window->base_gpa >= window->bytes)
		return false;
	*ret_offset = gpa - window->base_gpa;
	return true;
}

bool window_has(struct window *window, uint64_t gpa)
{
	uint64_t offset;
	bool has;

	pthread_mutex_lock(&window->lock);
	has = find_offset(window, gpa, &offset);
	pthread_mutex_unlock(&window->lock);
	return has;
}

enum window_fault window_fault(struct window *window, uint64_t gpa, bool is_write, void *data,
			       uint32_t bytes)
{
	struct access access = { .is_write = is_write, .data = data, .bytes = bytes };
	enum window_fault result;

	pthread_mutex_lock(&window->lock);
	/* The BAR may have moved since the exit: then there is only a hole. */
	result = find_offset(window, gpa, &access.offset) ? classify(window, &access)
							  : access_hole(window, &access);
	pthread_mutex_unlock(&window->lock);
	return result;
}
