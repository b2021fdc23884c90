/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See section_impl.h.  Sections that become larger, and pages of RESERVE
 * sections that become memory: asked for by this driver, or heard of from the
 * broker; either way our own views follow.
 */
#include "dev/section_impl.h"

#include <endian.h>
#include <string.h>

/* How long a growable view is to be with a section of this size. */
static uint64_t wanted_bytes(const struct section_view *view, uint64_t size_bytes)
{
	uint64_t mask = view->page_bytes - 1, bytes;

	if (size_bytes <= view->offset)
		return view->bytes;
	if (__builtin_add_overflow(size_bytes - view->offset, mask, &bytes))
		return view->room;
	bytes &= ~mask;
	return bytes < view->room ? bytes : view->room;
}

static void grow(struct section_dev *dev, struct section_view *view, uint64_t bytes)
{
	const struct window_range tail = { view->bytes, bytes - view->bytes };
	struct section_runs runs;
	int result = section_runs_with(&view->runs, &tail, view->protection, &runs);

	if (result == 0) {
		result = window_grow(view->window, view->place, bytes);
		if (result < 0)
			section_runs_deinit(&runs);
	}
	if (result < 0) {
		log_warning("view %u cannot grow to %llu bytes: %s",
			    (unsigned int)section_view_id(dev, view), (unsigned long long)bytes,
			    strerror(-result));
		return;
	}
	section_runs_deinit(&view->runs);
	view->runs = runs;
	view->bytes = bytes;
}

void section_resized(struct section_dev *dev, uint64_t section_id, uint64_t size_bytes)
{
	for (uint32_t i = 0; i < SECTION_HANDLES_MAX; i++) {
		struct section_handle *handle = &dev->handles[i];

		/* Sections do not shrink: what is smaller is older. */
		if (handle->section && handle->section_id == section_id &&
		    handle->size_bytes < size_bytes)
			handle->size_bytes = size_bytes;
	}
	for (uint32_t i = 0; i < SECTION_VIEWS_MAX; i++) {
		struct section_view *view = &dev->views[i];
		uint64_t bytes;

		if (!view->is_used || view->is_revoked || view->section_id != section_id ||
		    !(view->flags & VMSECT_VIEW_F_GROWABLE))
			continue;
		bytes = wanted_bytes(view, size_bytes);
		if (bytes > view->bytes)
			grow(dev, view, bytes);
	}
}

/* What of a range of the section the view shows; false: nothing. */
static bool within_view(const struct section_view *view, const struct window_range *range,
			struct window_range *ret_part)
{
	uint64_t end = range->offset + range->bytes, view_end = view->offset + view->bytes;
	uint64_t from = range->offset > view->offset ? range->offset : view->offset;
	uint64_t to = end < view_end ? end : view_end;

	return from < to && section_view_range(view, from - view->offset, to - from, ret_part);
}

/* The guest may have touched these pages before: then zeros are in their place. */
void section_committed(struct section_dev *dev, uint64_t section_id,
		       const struct window_range *range)
{
	for (uint32_t i = 0; i < SECTION_VIEWS_MAX; i++) {
		struct section_view *view = &dev->views[i];
		struct window_range part;

		if (!view->is_used || view->is_revoked || view->section_id != section_id ||
		    !within_view(view, range, &part))
			continue;
		if (window_restore(view->window, view->place, &part) < 0)
			log_warning("view %u: the host cannot map what was committed",
				    (unsigned int)section_view_id(dev, view));
	}
}

struct section_answer section_extend(struct section_dev *dev, struct section_call *call)
{
	const struct vmsect_req_extend *request = call->request;
	struct vmsect_rsp_value *reply = (struct vmsect_rsp_value *)(void *)call->reply;
	struct section_answer answer;
	const struct section_handle *handle =
		section_handle_of(dev, le32toh(request->handle), &answer);
	uint64_t size = 0;

	if (!handle)
		return answer;
	if (!(vmsect_section_access(handle->section) & VMSECT_ACCESS_EXTEND))
		return section_refuse(VMSECT_S_EPERM, VMSECT_D_NONE);
	if (dev->broker_gone)
		return section_refuse(VMSECT_S_EHOSTDOWN, VMSECT_D_NONE);
	answer = section_answer_of(
		dev, vmsect_section_extend(handle->section, le64toh(request->size_bytes), &size));
	if (answer.status != VMSECT_S_OK)
		return answer;
	/* Before the reply: the driver may use what it asked for at once. */
	section_resized(dev, handle->section_id, size);
	reply->value = htole64(size);
	return SECTION_OK;
}

/* The pages, for all views, and then their protection in this one. */
static struct section_answer commit(struct section_dev *dev, struct section_view *view,
				    const struct window_range *range, uint32_t protection)
{
	const struct window_range of_section = { view->offset + range->offset, range->bytes };
	struct section_answer answer;

	if (dev->broker_gone)
		return section_refuse(VMSECT_S_EHOSTDOWN, VMSECT_D_NONE);
	answer = section_answer_of(
		dev, vmsect_view_check_commit(view->registered, range->offset, range->bytes));
	if (answer.status != VMSECT_S_OK)
		return answer;
	section_committed(dev, view->section_id, &of_section);
	return protection ? section_protect_range(dev, view, range, protection) : SECTION_OK;
}

struct section_answer section_commit(struct section_dev *dev, struct section_call *call)
{
	const struct vmsect_req_range *request = call->request;
	uint32_t protection = le32toh(request->protection);
	uint64_t length = le64toh(request->length);
	struct section_answer answer;
	struct window_range range;
	struct section_view *view;

	if (protection && !section_protection_is_legal(protection))
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_PROTECTION);
	view = section_view_of(dev, le32toh(request->view), &answer);
	if (!view)
		return answer;
	if (protection) {
		answer = section_protect_allowed(view, protection);
		if (answer.status != VMSECT_S_OK)
			return answer;
	}
	if (!length)
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_RANGE);
	if (!section_view_range(view, le64toh(request->offset), length, &range))
		return section_refuse(VMSECT_S_EEXIST, VMSECT_D_RANGE);
	return commit(dev, view, &range, protection);
}
