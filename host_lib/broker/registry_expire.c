/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See registry.h: times at which objects end; expiry.h ends them. */
#include <vmsect/vmsect.h>

#include "broker/registry.h"

int registry_expire_handle(struct registry *registry, struct handle *handle, uint64_t expires_ms,
			   struct refusal *refusal)
{
	if (!expires_ms)
		return 0;
	if (deadlines_reserve(&registry->deadlines) < 0)
		return refuse_memory(refusal);
	handle->expires_ms = expires_ms;
	deadlines_add(&registry->deadlines, &handle->deadline, DEADLINE_HANDLE, expires_ms);
	registry_changed(registry, REGISTRY_HANDLE, handle);
	return 0;
}

/* One deadline, if there is a time and it is not in the heap. */
static int adopt(struct deadlines *deadlines, struct deadline *deadline, enum deadline_kind kind,
		 uint64_t expires_ms)
{
	int r;

	if (!expires_ms || deadline->place)
		return 0;
	r = deadlines_reserve(deadlines);
	if (r < 0)
		return r;
	deadlines_add(deadlines, deadline, kind, expires_ms);
	return 0;
}

static int adopt_handles(struct registry *registry, const struct party *party)
{
	struct handle *handle;
	int r = 0;

	for (handle = party->handles; handle && !r; handle = handle->hh.next)
		r = adopt(&registry->deadlines, &handle->deadline, DEADLINE_HANDLE,
			  handle->expires_ms);
	return r;
}

int registry_adopt_deadlines(struct registry *registry)
{
	const struct party *party;
	struct offer *offer;
	struct view *view;
	int r = 0;

	for (party = registry->parties; party && !r; party = party->hh.next)
		r = adopt_handles(registry, party);
	for (view = registry->views; view && !r; view = view->hh.next) {
		if (!(view->flags & VMSECT_VIEW_REVOKED))
			r = adopt(&registry->deadlines, &view->deadline, DEADLINE_VIEW,
				  view->expires_ms);
	}
	for (offer = registry->offers; offer && !r; offer = offer->hh.next)
		r = adopt(&registry->deadlines, &offer->deadline, DEADLINE_OFFER,
			  offer->expires_ms);
	return r;
}
