/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See section_impl.h.  Protections of pages.  The broker consents and notes
 * first, then the window changes; if that fails the broker is told what the
 * pages still are.
 */
#include "dev/section_impl.h"

#include <endian.h>

struct section_answer section_protect_allowed(const struct section_view *view, uint32_t protection)
{
	if (view->flags & VMSECT_VIEW_F_NO_CHANGE)
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_PROTECTION);
	if (!section_protection_within(view->protection, protection))
		return section_refuse(VMSECT_S_EACCES, VMSECT_D_NONE);
	return SECTION_OK;
}

static uint64_t greater(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The broker's note as it was; should that fail too, it is the broker that has gone. */
static void take_back(const struct section_view *view, const struct window_range *range)
{
	uint64_t end = range->offset + range->bytes;

	for (size_t i = section_runs_at(&view->runs, range->offset); i < view->runs.count; i++) {
		uint64_t from = greater(section_runs_start(&view->runs, i), range->offset);
		uint64_t to = lesser(view->runs.items[i].end, end);

		if (from >= to)
			return;
		(void)vmsect_view_check_protect(
			view->registered, from, to - from,
			(enum vmsect_protection)view->runs.items[i].protection);
	}
}

struct section_answer section_protect_range(struct section_dev *dev, struct section_view *view,
					    const struct window_range *range, uint32_t protection)
{
	enum window_mode mode = section_protection_mode(protection);
	struct section_answer answer;
	struct section_runs runs;

	if (dev->broker_gone)
		return section_refuse(VMSECT_S_EHOSTDOWN, VMSECT_D_NONE);
	if (section_runs_with(&view->runs, range, protection, &runs) < 0)
		return section_refuse(VMSECT_S_ENOMEM, VMSECT_D_NONE);
	answer = section_answer_of(
		dev, vmsect_view_check_protect(view->registered, range->offset, range->bytes,
					       (enum vmsect_protection)protection));
	if (answer.status == VMSECT_S_OK) {
		answer = section_answer_window(
			window_protect(view->window, view->place, range, mode,
				       section_protection_executes(protection)));
		if (answer.status != VMSECT_S_OK)
			take_back(view, range);
	}
	if (answer.status != VMSECT_S_OK) {
		section_runs_deinit(&runs);
		return answer;
	}
	section_runs_deinit(&view->runs);
	view->runs = runs;
	view->is_copying |= mode == WINDOW_WRITECOPY;
	return answer;
}

/* The run of like pages at an offset; its protection is what a guest sees of it. */
static struct section_answer look(const struct section_view *view, uint64_t offset,
				  struct window_pages *ret_pages, uint32_t *ret_protection)
{
	size_t index = section_runs_at(&view->runs, offset);
	const struct section_run *run = &view->runs.items[index];
	uint64_t start = section_runs_start(&view->runs, index), end;
	int result = window_query(view->window, view->place, offset, ret_pages);

	if (result < 0)
		return section_answer_window(result);
	end = lesser(ret_pages->offset + ret_pages->bytes, run->end);
	ret_pages->offset = greater(ret_pages->offset, start);
	ret_pages->bytes = end - ret_pages->offset;
	*ret_protection = section_protection_of_page(run->protection, ret_pages->is_private);
	return SECTION_OK;
}

struct section_answer section_protect(struct section_dev *dev, struct section_call *call)
{
	const struct vmsect_req_range *request = call->request;
	struct vmsect_rsp_value *reply = (struct vmsect_rsp_value *)(void *)call->reply;
	uint32_t protection = le32toh(request->protection), old = 0;
	struct window_pages first;
	struct section_answer answer;
	struct window_range range;
	struct section_view *view;

	if (!section_protection_is_legal(protection))
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_PROTECTION);
	view = section_view_of(dev, le32toh(request->view), &answer);
	if (!view)
		return answer;
	answer = section_protect_allowed(view, protection);
	if (answer.status != VMSECT_S_OK)
		return answer;
	if (!section_view_range(view, le64toh(request->offset), le64toh(request->length), &range))
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_RANGE);
	answer = look(view, range.offset, &first, &old);
	if (answer.status == VMSECT_S_OK)
		answer = section_protect_range(dev, view, &range, protection);
	if (answer.status == VMSECT_S_OK)
		reply->value = htole64(old);
	return answer;
}

struct section_answer section_query_pages(struct section_dev *dev, struct section_call *call)
{
	const struct vmsect_req_range *request = call->request;
	struct vmsect_rsp_query_pages *reply = (struct vmsect_rsp_query_pages *)(void *)call->reply;
	uint64_t offset = le64toh(request->offset);
	struct window_pages pages;
	struct section_answer answer;
	struct section_view *view;
	uint32_t protection = 0;

	if (request->protection || request->length)
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_RESERVED);
	view = section_view_of(dev, le32toh(request->view), &answer);
	if (!view)
		return answer;
	if (offset >= view->bytes)
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_RANGE);
	answer = look(view, offset & ~(view->page_bytes - 1), &pages, &protection);
	if (answer.status != VMSECT_S_OK)
		return answer;
	reply->offset = htole64(pages.offset);
	reply->length = htole64(pages.bytes);
	reply->protection = htole32(protection);
	reply->pages = htole32((pages.is_committed ? VMSECT_PAGES_F_COMMITTED : 0u) |
			       (pages.is_private ? VMSECT_PAGES_F_PRIVATE : 0u) |
			       (pages.is_lost ? VMSECT_PAGES_F_LOST : 0u));
	return SECTION_OK;
}
