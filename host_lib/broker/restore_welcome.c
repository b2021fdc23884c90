/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See restore_welcome.h. */
#include "broker/restore_welcome.h"

#include <vmsect/vmsect.h>

static void tell(struct party *party, const struct registry_event *event)
{
	const struct registry *registry = party->registry;

	if (registry->tell)
		registry->tell(registry->tell_arg, party, event);
}

/* An order to let go counts until it has been carried out. */
static void tell_revoked_views(struct party *party, const struct attachment *attachment)
{
	struct registry_event event = {
		.type = VMSECT_WIRE_EVENT_REVOKE_VIEW,
		.section = attachment->section_id,
	};
	const struct view *view;

	TAILQ_FOREACH (view, &attachment->views, of_attachment) {
		event.view = view->id;
		if (view->flags & VMSECT_VIEW_REVOKED)
			tell(party, &event);
	}
}

static void tell_revoked_handles(struct party *party)
{
	struct registry_event event = { .type = VMSECT_WIRE_EVENT_REVOKE_HANDLE };
	const struct revoked_handle *revoked;

	for (revoked = party->revoked_handles; revoked; revoked = revoked->hh.next) {
		event.value = revoked->id;
		tell(party, &event);
	}
}

/* One event for all pages: whoever cares looks which. */
static void tell_committed(struct party *party, const struct section *section)
{
	const struct commit_map *map = &section->committed;
	const struct vmsect_wire_range *first = map->ranges, *last;

	if (!map->count)
		return;
	last = &map->ranges[map->count - 1];
	tell(party, &(struct registry_event){
			    .type = VMSECT_WIRE_EVENT_COMMITTED,
			    .section = section->id,
			    .offset = first->offset,
			    .length = last->offset + last->length - first->offset,
		    });
}

static void tell_section(struct party *party, const struct section *section)
{
	struct registry_event event = { .section = section->id };

	if (section->generation > 1) {
		event.type = VMSECT_WIRE_EVENT_RESIZED;
		event.value = section->backing.size_bytes;
		tell(party, &event);
	}
	tell_committed(party, section);
	if (section->io_error) {
		event.type = VMSECT_WIRE_EVENT_IO_ERROR;
		event.value = section->io_error;
		tell(party, &event);
	}
}

static void tell_offers(struct party *party)
{
	const struct offer *offer;

	for (offer = party->registry->offers; offer; offer = offer->hh.next) {
		if (offer->to != party->id)
			continue;
		tell(party, &(struct registry_event){
				    .type = VMSECT_WIRE_EVENT_OFFERED,
				    .peer = offer->from,
				    .section = offer->section->id,
				    .value = offer->id,
				    .length = offer->access,
			    });
	}
}

static void tell_what_waited(struct restore_grace *grace, struct party *party)
{
	struct absent_event *event;
	struct absent *absent;

	LIST_FOREACH (absent, &grace->absents, of_list) {
		if (!absent->party.id)
			break; /* the one that was taken */
	}
	if (!absent)
		return;
	STAILQ_FOREACH (event, &absent->events, of_absent)
		tell(party, &event->event);
	if (absent->lost)
		tell(party, &(struct registry_event){ .type = VMSECT_WIRE_EVENT_LOST,
						      .value = absent->lost });
	absent_free(absent);
}

void restore_welcome(struct restore_grace *grace, struct party *party)
{
	const struct attachment *attachment;

	for (attachment = party->attachments; attachment; attachment = attachment->hh.next) {
		tell_section(party, attachment->section);
		tell_revoked_views(party, attachment);
	}
	tell_revoked_handles(party);
	tell_offers(party);
	tell_what_waited(grace, party);
}
