/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MAP, UNMAP, VIEW_STATS. */
#include "broker/session.h"

#include <errno.h>
#include <inttypes.h>

#include "broker/rights.h"

int session_map(const struct session *session)
{
	const struct vmsect_req_map *map = &session->request->map;
	struct view_spec spec = {
		.protection = map->protection,
		.offset = map->offset,
		.length = map->length,
		.place = map->place,
	};
	const struct section *section;
	struct handle *handle;
	struct view *view = NULL;
	int r;

	r = rights_check_view_protection(map->protection, session->refusal);
	if (r < 0)
		return r;
	handle = session_find_handle(session, map->handle);
	if (!handle)
		return -EBADF;
	section = handle->attachment->section;
	r = rights_check_view(handle->access, section->protection, map->protection,
			      session->refusal);
	if (!r)
		r = rights_check_range(section->backing.size_bytes, section->page_shift,
				       map->offset, &spec.length, session->refusal);
	if (!r)
		r = registry_map(session->registry, handle, &spec, &view, session->refusal);
	if (r)
		return r;
	reply_start(session->reply, session->request, sizeof(session->reply->map));
	session->reply->map.view = view->id;
	session->reply->map.length = view->length;
	return 0;
}

/* A view of another party is none. */
static struct view *find_view(const struct session *session, uint64_t id)
{
	struct view *view = registry_find_view(session->registry, id);

	if (view && view->attachment->party == session->party)
		return view;
	(void)refuse(session->refusal, -ENXIO, VMSECT_DETAIL_NONE,
		     "view %" PRIu64 " is not one of this client", id);
	return NULL;
}

int session_unmap(const struct session *session)
{
	struct view *view = find_view(session, session->request->unmap.view);

	if (!view)
		return -ENXIO;
	registry_unmap(session->registry, view);
	reply_start(session->reply, session->request, sizeof(struct vmsect_msg_hdr));
	return 0;
}

int session_view_stats(const struct session *session)
{
	const struct vmsect_req_view_stats *stats = &session->request->view_stats;
	struct view *view = find_view(session, stats->view);

	if (!view)
		return -ENXIO;
	view->denied_writes = stats->denied_writes;
	reply_start(session->reply, session->request, sizeof(struct vmsect_msg_hdr));
	return 0;
}
