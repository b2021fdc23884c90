/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MAP, UNMAP, REVOKED, VIEW_STATS. */
#include "broker/session.h"

#include <errno.h>
#include <inttypes.h>
#include <vmsect/vmsect.h>

#include "broker/rights.h"

#define MAP_FLAGS (VMSECT_VIEW_GROWABLE | VMSECT_VIEW_NO_CHANGE)

static int check_flags(const struct vmsect_req_map *map, struct refusal *refusal)
{
	if (map->flags & ~MAP_FLAGS)
		return refuse(refusal, -EINVAL, VMSECT_DETAIL_ATTR,
			      "a flag of the view is unknown");
	if (map->room && !(map->flags & VMSECT_VIEW_GROWABLE))
		return refuse(refusal, -EINVAL, VMSECT_DETAIL_ATTR,
			      "only growable views have room to grow");
	return 0;
}

/* A growable view needs a section that can grow. */
static int check_growth(const struct section *section, struct refusal *refusal)
{
	if (!rights_is_writable(section->protection))
		return refuse(refusal, -EACCES, VMSECT_DETAIL_PROTECTION,
			      "a section that is not to be written does not grow");
	if (section->backing_kind != BACKING_FILE &&
	    section->max_bytes <= section->backing.size_bytes)
		return refuse(
			refusal, -EINVAL, VMSECT_DETAIL_ATTR,
			"the section was not made to grow (max_bytes), or is as large already");
	return 0;
}

static int check_range(const struct vmsect_req_map *map, const struct section *section,
		       uint64_t *length, struct refusal *refusal)
{
	const struct rights_room room = { .offset = map->offset, .bytes = map->room };

	if (map->flags & VMSECT_VIEW_GROWABLE)
		return rights_check_growable(section->backing.size_bytes, section->page_shift,
					     &room, length, refusal);
	return rights_check_range(section->backing.size_bytes, section->page_shift, map->offset,
				  length, refusal);
}

static int check_commit(const struct section *section, uint64_t commit, uint64_t length,
			struct refusal *refusal)
{
	if (!commit)
		return 0;
	if (section->backing_kind == BACKING_FILE)
		return refuse(refusal, -EINVAL, VMSECT_DETAIL_COMMIT,
			      "the pages of a data file are not committed");
	if (commit > length)
		return refuse(refusal, -EINVAL, VMSECT_DETAIL_COMMIT,
			      "0x%" PRIx64 " bytes to commit are more than the view's 0x%" PRIx64,
			      commit, length);
	return 0;
}

/* All that is checked once there is a handle; the length becomes the view's. */
static int check_map(const struct session *session, const struct handle *handle, uint64_t *length)
{
	const struct vmsect_req_map *map = &session->request->map;
	const struct section *section = handle->attachment->section;
	struct refusal *refusal = session->refusal;
	int r;

	r = rights_check_view(handle->access, section->protection, map->protection, refusal);
	if (!r && map->flags & VMSECT_VIEW_GROWABLE)
		r = check_growth(section, refusal);
	if (!r)
		r = check_range(map, section, length, refusal);
	if (!r)
		r = check_commit(section, map->commit, *length, refusal);
	return r;
}

/* Notes the view, and commits its first pages. */
static int map_view(const struct session *session, const struct handle *handle,
		    const struct view_spec *spec)
{
	uint64_t commit = session->request->map.commit;
	struct view *view = NULL;
	int r;

	r = registry_map(session->registry, handle, spec, &view, session->refusal);
	if (r < 0)
		return r;
	if (commit)
		r = session_commit_range(session, view, 0, commit);
	if (r < 0)
		registry_unmap(session->registry, view);
	if (r)
		return r;
	reply_start(session->reply, session->request, sizeof(session->reply->map));
	session->reply->map.view = view->id;
	session->reply->map.length = view->length;
	return 0;
}

int session_map(const struct session *session)
{
	const struct vmsect_req_map *map = &session->request->map;
	struct view_spec spec = {
		.protection = map->protection,
		.offset = map->offset,
		.length = map->length,
		.place = map->place,
		.room = map->room,
		.flags = map->flags,
	};
	struct handle *handle;
	int r;

	r = check_flags(map, session->refusal);
	if (!r)
		r = rights_check_view_protection(map->protection, session->refusal);
	if (r < 0)
		return r;
	handle = session_find_handle(session, map->handle);
	if (!handle)
		return -EBADF;
	r = check_map(session, handle, &spec.length);
	return r ? r : map_view(session, handle, &spec);
}

/* A view of another party is none.  One that is to go still is there. */
static struct view *find_any_view(const struct session *session, uint64_t id)
{
	struct view *view = registry_find_view(session->registry, id);

	if (view && view->attachment->party == session->party)
		return view;
	(void)refuse(session->refusal, -ENXIO, VMSECT_DETAIL_NONE,
		     "view %" PRIu64 " is not one of this client", id);
	return NULL;
}

struct view *session_find_view(const struct session *session, uint64_t id)
{
	struct view *view = find_any_view(session, id);

	if (!view || !(view->flags & VMSECT_VIEW_REVOKED))
		return view;
	(void)refuse(session->refusal, -ENXIO, VMSECT_DETAIL_REVOKED,
		     "view %" PRIu64 " was revoked, or has expired", id);
	return NULL;
}

static int end_view(const struct session *session, struct view *view)
{
	registry_unmap(session->registry, view);
	reply_start(session->reply, session->request, sizeof(struct vmsect_msg_hdr));
	return 0;
}

int session_unmap(const struct session *session)
{
	struct view *view = find_any_view(session, session->request->unmap.view);

	return view ? end_view(session, view) : -ENXIO;
}

/* The client has taken it away; that it has said so ends the view. */
int session_revoked(const struct session *session)
{
	struct view *view = find_any_view(session, session->request->unmap.view);

	if (!view)
		return -ENXIO;
	if (!(view->flags & VMSECT_VIEW_REVOKED))
		return refuse(session->refusal, -EINVAL, VMSECT_DETAIL_STATE,
			      "view %" PRIu64 " was not revoked", view->id);
	return end_view(session, view);
}

int session_view_stats(const struct session *session)
{
	const struct vmsect_req_view_stats *stats = &session->request->view_stats;
	struct view *view = find_any_view(session, stats->view);

	if (!view)
		return -ENXIO;
	view->denied_writes = stats->denied_writes;
	view->private_pages = stats->private_pages;
	registry_changed(session->registry, REGISTRY_VIEW, view);
	reply_start(session->reply, session->request, sizeof(struct vmsect_msg_hdr));
	return 0;
}
