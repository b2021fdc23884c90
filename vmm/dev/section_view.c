/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See section_impl.h.  Views: asked for, described, given back. */
#include "dev/section_impl.h"

#include <endian.h>

#define MAP_FLAGS (VMSECT_VIEW_F_GROWABLE | VMSECT_VIEW_F_NO_CHANGE)

_Static_assert(VMSECT_VIEW_F_GROWABLE == VMSECT_VIEW_GROWABLE &&
		       VMSECT_VIEW_F_NO_CHANGE == VMSECT_VIEW_NO_CHANGE,
	       "one numbering of view flags");

uint32_t section_view_id(const struct section_dev *dev, const struct section_view *view)
{
	return (uint32_t)(view - dev->views) + 1;
}

/* Also one that was revoked.  What another device shows is not of this one. */
static struct section_view *find(struct section_dev *dev, uint32_t id)
{
	struct section_view *view;

	if (id == 0 || id > SECTION_VIEWS_MAX)
		return NULL;
	view = &dev->views[id - 1];
	return view->is_used && !view->has_device ? view : NULL;
}

struct section_view *section_view_of(struct section_dev *dev, uint32_t id,
				     struct section_answer *ret_why)
{
	struct section_view *view = find(dev, id);

	*ret_why = section_refuse(VMSECT_S_ENXIO, view ? VMSECT_D_REVOKED : VMSECT_D_NONE);
	return view && !view->is_revoked ? view : NULL;
}

bool section_view_range(const struct section_view *view, uint64_t offset, uint64_t length,
			struct window_range *ret_range)
{
	uint64_t mask = view->page_bytes - 1, start, end;

	if (offset >= view->bytes || length > view->bytes - offset)
		return false;
	start = offset & ~mask;
	/* The view is whole pages, so rounding up stays within it. */
	end = length ? (offset + length + mask) & ~mask : view->bytes;
	*ret_range = (struct window_range){ start, end - start };
	return true;
}

void section_view_describe(struct section_dev *dev, uint32_t id, struct vmsect_dev_view *ret_view)
{
	const struct section_view *view = &dev->views[id - 1];
	uint32_t revoked = view->is_revoked ? VMSECT_VIEW_F_REVOKED : 0;

	*ret_view = (struct vmsect_dev_view){
		.view = htole32(id),
		.handle = htole32(view->handle),
		.protection = htole32(view->protection),
		.cache = htole32(VMSECT_DEV_CACHE_WRITE_BACK),
		.window_offset = htole64(view->place),
		.offset = htole64(view->offset),
		.length = htole64(view->bytes),
		.denied_writes = htole64(window_denied_writes(view->window, view->place)),
		.room = htole64(view->flags & VMSECT_VIEW_F_GROWABLE ? view->room : 0),
		.view_flags = htole32(view->flags | revoked),
		.protection_now = htole32(section_runs_protection(&view->runs)),
	};
}

/* What of MAP concerns no object yet. */
static struct section_answer check_form(const struct section_dev *dev,
					const struct section_place *place)
{
	bool grows = place->flags & VMSECT_VIEW_F_GROWABLE;

	if (place->flags & ~(uint32_t)MAP_FLAGS || (place->room && !grows))
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_RESERVED);
	if (grows && !(dev->features & (UINT64_C(1) << VMSECT_F_EXTEND)))
		return section_refuse(VMSECT_S_EOPNOTSUPP, VMSECT_D_NONE);
	if (!section_protection_is_legal(place->protection))
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_PROTECTION);
	return SECTION_OK;
}

struct section_answer section_map(struct section_dev *dev, struct section_call *call)
{
	const struct vmsect_req_map *request = call->request;
	struct vmsect_rsp_map *reply = (struct vmsect_rsp_map *)(void *)call->reply;
	const struct section_place place = {
		.protection = le32toh(request->protection),
		.flags = le32toh(request->map_flags),
		.offset = le64toh(request->offset),
		.length = le64toh(request->length),
		.window_offset = le64toh(request->window_offset),
		.room = le64toh(request->room),
		.commit = le64toh(request->commit),
	};
	struct section_answer answer = check_form(dev, &place);
	uint32_t id;

	if (answer.status == VMSECT_S_OK)
		answer = section_view_place(dev, le32toh(request->handle), &place, &id);
	if (answer.status == VMSECT_S_OK)
		section_view_describe(dev, id, &reply->view);
	return answer;
}

void section_view_drop(struct section_dev *dev, struct section_view *view)
{
	section_report_view(dev, view);
	window_unmap(view->window, view->place);
	view->registered = vmsect_view_unmap(view->registered);
	section_runs_deinit(&view->runs);
	*view = (struct section_view){ 0 };
}

struct section_answer section_unmap(struct section_dev *dev, struct section_call *call)
{
	const struct vmsect_req_unmap *request = call->request;
	struct section_view *view = find(dev, le32toh(request->view));

	if (!view)
		return section_refuse(VMSECT_S_ENXIO, VMSECT_D_NONE);
	if (view->is_attachment)
		return section_refuse(VMSECT_S_EPERM, VMSECT_D_ATTACHMENT);
	section_view_drop(dev, view);
	return SECTION_OK;
}

struct section_answer section_query_view(struct section_dev *dev, struct section_call *call)
{
	const struct vmsect_req_query_view *request = call->request;
	struct vmsect_rsp_query_view *reply = (struct vmsect_rsp_query_view *)(void *)call->reply;
	uint32_t id = le32toh(request->view);

	if (!find(dev, id))
		return section_refuse(VMSECT_S_ENXIO, VMSECT_D_NONE);
	section_view_describe(dev, id, &reply->view);
	return SECTION_OK;
}

void section_views_orphan(struct section_dev *dev, uint32_t handle)
{
	for (uint32_t i = 0; i < SECTION_VIEWS_MAX; i++)
		if (dev->views[i].handle == handle)
			dev->views[i].handle = 0;
}

void section_views_drop(struct section_dev *dev, bool all)
{
	for (uint32_t i = 0; i < SECTION_VIEWS_MAX; i++) {
		struct section_view *view = &dev->views[i];

		if (view->is_used && (all || !view->is_attachment))
			section_view_drop(dev, view);
	}
}
