/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See revoke.h. */
#include "broker/revoke.h"

#include <stddef.h>
#include <vmsect/vmsect.h>

#include "broker/offer.h"

#define OBJECT_OF(type, deadline_ptr)                                                              \
	((struct type *)((char *)(deadline_ptr)-offsetof(struct type, deadline)))

static void tell(const struct registry *registry, const struct attachment *attachment,
		 const struct registry_event *event)
{
	if (registry->tell)
		registry->tell(registry->tell_arg, attachment->party, event);
}

static void tell_view(const struct registry *registry, const struct view *view)
{
	const struct registry_event event = {
		.type = VMSECT_WIRE_EVENT_REVOKE_VIEW,
		.section = view->attachment->section_id,
		.view = view->id,
	};

	tell(registry, view->attachment, &event);
}

static void revoke_view(struct registry *registry, struct view *view)
{
	deadlines_remove(&registry->deadlines, &view->deadline);
	view->flags |= VMSECT_VIEW_REVOKED;
	registry_changed(registry, REGISTRY_VIEW, view);
	tell_view(registry, view);
}

/* The section may go with it. */
static void revoke_handle(struct registry *registry, struct handle *handle)
{
	const struct registry_event event = {
		.type = VMSECT_WIRE_EVENT_REVOKE_HANDLE,
		.section = handle->attachment->section_id,
		.value = handle->id,
	};

	tell(registry, handle->attachment, &event);
	registry_close_revoked(registry, handle);
}

/* Views of a party that were mapped through a handle with more access than `allowed`. */
static uint32_t revoke_views(struct registry *registry, struct attachment *attachment,
			     uint32_t allowed)
{
	uint32_t count = 0;
	struct view *view;

	TAILQ_FOREACH (view, &attachment->views, of_attachment) {
		if (view->flags & VMSECT_VIEW_REVOKED || !(view->access & ~allowed))
			continue;
		revoke_view(registry, view);
		count++;
	}
	return count;
}

/* The attachment may go with its last handle. */
static uint32_t revoke_handles(struct registry *registry, struct attachment *attachment,
			       uint32_t allowed)
{
	struct handle *handle, *next;
	uint32_t count = 0;

	for (handle = TAILQ_FIRST(&attachment->handles); handle; handle = next) {
		next = TAILQ_NEXT(handle, of_attachment);
		if (!(handle->access & ~allowed))
			continue;
		revoke_handle(registry, handle);
		count++;
	}
	return count;
}

/* Is that party one that the entry is about, and lacks some of the access? */
static bool lacks(const struct registry *registry, const struct section *section,
		  const struct vmsect_wire_grant *grant, uint32_t party_id, uint32_t access)
{
	const struct party *party = registry_find_party(registry, party_id);

	return party && policy_concerns(party, &section->ownership, grant) &&
	       access & ~policy_access(party, &section->ownership);
}

static void revoke_offers(struct registry *registry, struct section *section,
			  const struct vmsect_wire_grant *grant, const struct party *except)
{
	struct offer *offer, *next;

	for (offer = TAILQ_FIRST(&section->offers); offer; offer = next) {
		next = TAILQ_NEXT(offer, of_section);
		if ((offer->from != except->id &&
		     lacks(registry, section, grant, offer->from, offer->access)) ||
		    (offer->to != except->id &&
		     lacks(registry, section, grant, offer->to, offer->access)))
			offer_end(registry, offer);
	}
}

void revoke_by_grant(struct registry *registry, struct section *section,
		     const struct vmsect_wire_grant *grant, const struct party *except,
		     struct revoke_count *ret_count)
{
	struct attachment *attachment, *next;

	*ret_count = (struct revoke_count){ 0 };
	revoke_offers(registry, section, grant, except);
	for (attachment = TAILQ_FIRST(&section->attachments); attachment; attachment = next) {
		const struct party *party = attachment->party;
		uint32_t allowed = policy_access(party, &section->ownership);

		next = TAILQ_NEXT(attachment, of_section);
		if (party == except || !policy_concerns(party, &section->ownership, grant))
			continue;
		ret_count->views += revoke_views(registry, attachment, allowed);
		ret_count->handles += revoke_handles(registry, attachment, allowed);
	}
}

/* Takes its object's deadline away. */
static void expire(struct registry *registry, struct deadline *first)
{
	switch (first->kind) {
	case DEADLINE_VIEW:
		revoke_view(registry, OBJECT_OF(view, first));
		break;
	case DEADLINE_HANDLE:
		revoke_handle(registry, OBJECT_OF(handle, first));
		break;
	case DEADLINE_OFFER:
		offer_end(registry, OBJECT_OF(offer, first));
		break;
	}
}

void revoke_expired(struct registry *registry, uint64_t now_ms, unsigned int count)
{
	struct deadline *first;

	while (count--) {
		first = deadlines_first(&registry->deadlines);
		if (!first || first->at_ms > now_ms)
			break;
		expire(registry, first);
	}
}
