/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Handles and views.  An attachment counts them for a party and a section; it
 * goes with the last of them.  The party is a peer of the section while it has
 * a handle: the other peers are told at its first and at its last one.
 */
#include <stdlib.h>

#include <vmsect/vmsect.h>

#include "broker/registry.h"
#include "broker/registry_internal.h"
#include "broker/rights.h"

struct handle *party_find_handle(const struct party *party, uint32_t id)
{
	struct handle *handle;

	HASH_FIND(hh, party->handles, &id, sizeof(id), handle);
	return handle;
}

struct attachment *party_find_attachment(const struct party *party, uint64_t section_id)
{
	struct attachment *attachment;

	HASH_FIND(hh, party->attachments, &section_id, sizeof(section_id), attachment);
	return attachment;
}

struct view *registry_find_view(const struct registry *registry, uint64_t id)
{
	struct view *view;

	HASH_FIND(hh, registry->views, &id, sizeof(id), view);
	return view;
}

static void tell_others(const struct registry *registry, const struct attachment *who,
			enum vmsect_wire_event_type type)
{
	const struct registry_event event = {
		.type = type,
		.peer = who->party->id,
		.section = who->section_id,
	};
	struct attachment *other;

	if (!registry->tell)
		return;
	TAILQ_FOREACH (other, &who->section->attachments, of_section) {
		if (other != who && other->handle_count)
			registry->tell(registry->tell_arg, other->party, &event);
	}
}

/* The attachment of the two, made if need be; NULL without memory. */
static struct attachment *attachment_get(struct party *party, struct section *section)
{
	struct attachment *attachment = party_find_attachment(party, section->id);

	if (attachment)
		return attachment;
	attachment = calloc(1, sizeof(*attachment));
	if (!attachment)
		return NULL;
	attachment->party = party;
	attachment->section = section;
	attachment->section_id = section->id;
	TAILQ_INIT(&attachment->handles);
	TAILQ_INIT(&attachment->views);
	HASH_ADD(hh, party->attachments, section_id, sizeof(attachment->section_id), attachment);
	if (!HASH_ADDED(hh, attachment)) {
		free(attachment);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&section->attachments, attachment, of_section);
	return attachment;
}

/* Frees an attachment that counts nothing any more. */
static void attachment_put(struct attachment *attachment)
{
	if (attachment->handle_count || attachment->view_count)
		return;
	TAILQ_REMOVE(&attachment->section->attachments, attachment, of_section);
	HASH_DEL(attachment->party->attachments, attachment);
	free(attachment);
}

static uint32_t new_handle_id(struct party *party)
{
	do
		party->next_handle++;
	while (!party->next_handle || party_find_handle(party, party->next_handle) ||
	       party_is_revoked(party, party->next_handle));
	return party->next_handle;
}

static struct handle *handle_new(struct party *party, struct section *section, uint32_t access)
{
	struct handle *handle = calloc(1, sizeof(*handle));

	if (!handle)
		return NULL;
	handle->access = access;
	handle->id = new_handle_id(party);
	handle->attachment = attachment_get(party, section);
	if (!handle->attachment) {
		free(handle);
		return NULL;
	}
	HASH_ADD(hh, party->handles, id, sizeof(handle->id), handle);
	if (HASH_ADDED(hh, handle))
		return handle;
	attachment_put(handle->attachment);
	free(handle);
	return NULL;
}

int party_open(struct party *party, struct section *section, uint32_t access,
	       struct handle **ret_handle, struct refusal *refusal)
{
	struct registry *registry = party->registry;
	struct handle *handle;
	int r;

	r = account_charge(&registry->account, party->subject.uid, RESOURCE_HANDLES, 1, refusal);
	if (r < 0)
		return r;
	handle = handle_new(party, section, access);
	if (!handle) {
		account_refund(&registry->account, party->subject.uid, RESOURCE_HANDLES, 1);
		return refuse_memory(refusal);
	}
	TAILQ_INSERT_TAIL(&handle->attachment->handles, handle, of_attachment);
	party->handle_count++;
	section->handle_count++;
	if (!handle->attachment->handle_count++)
		tell_others(registry, handle->attachment, VMSECT_WIRE_EVENT_PEER_JOINED);
	registry_changed(registry, REGISTRY_HANDLE, handle);
	*ret_handle = handle;
	return 0;
}

/* Counts down; the section and the attachment are the caller's to look at. */
static void handle_free(struct registry *registry, struct handle *handle)
{
	struct attachment *attachment = handle->attachment;
	struct party *party = attachment->party;

	registry_gone(registry, REGISTRY_HANDLE, handle);
	deadlines_remove(&registry->deadlines, &handle->deadline);
	TAILQ_REMOVE(&attachment->handles, handle, of_attachment);
	HASH_DEL(party->handles, handle);
	free(handle);
	account_refund(&registry->account, party->subject.uid, RESOURCE_HANDLES, 1);
	party->handle_count--;
	attachment->section->handle_count--;
	if (!--attachment->handle_count)
		tell_others(registry, attachment, VMSECT_WIRE_EVENT_PEER_LEFT);
}

void registry_close(struct registry *registry, struct handle *handle)
{
	struct attachment *attachment = handle->attachment;
	struct section *section = attachment->section;

	handle_free(registry, handle);
	attachment_put(attachment);
	section_collect(registry, section);
}

static struct view *view_new(struct registry *registry, const struct handle *handle,
			     const struct view_spec *spec)
{
	struct view *view = calloc(1, sizeof(*view));

	if (!view)
		return NULL;
	view->id = ++registry->last_view_id;
	view->offset = spec->offset;
	view->length = spec->length;
	view->place = spec->place;
	view->room = spec->room;
	view->flags = spec->flags;
	view->protection = spec->protection;
	view->protection_now = spec->protection;
	view->access = handle->access;
	view->expires_ms = handle->expires_ms;
	view->attachment = handle->attachment;
	HASH_ADD(hh, registry->views, id, sizeof(view->id), view);
	if (HASH_ADDED(hh, view))
		return view;
	free(view);
	return NULL;
}

int registry_charge_private(struct registry *registry, struct view *view, struct refusal *refusal)
{
	uint64_t bytes = view->room > view->length ? view->room : view->length;
	int r;

	if (view->charged_private)
		return 0;
	r = account_charge(&registry->account, view->attachment->party->subject.uid,
			   RESOURCE_PRIVATE, bytes, refusal);
	if (!r)
		view->charged_private = bytes;
	return r;
}

/* Room for its deadline and, if it copies, memory for the copies. */
static int view_charge(struct registry *registry, struct view *view, struct refusal *refusal)
{
	if (view->expires_ms && deadlines_reserve(&registry->deadlines) < 0)
		return refuse_memory(refusal);
	if (rights_is_writecopy(view->protection))
		return registry_charge_private(registry, view, refusal);
	return 0;
}

/* Into all lists; cannot fail. */
static void view_link(struct registry *registry, struct view *view)
{
	struct attachment *attachment = view->attachment;

	TAILQ_INSERT_TAIL(&attachment->section->views, view, of_section);
	TAILQ_INSERT_TAIL(&attachment->views, view, of_attachment);
	attachment->section->view_count++;
	attachment->view_count++;
	attachment->party->view_count++;
	if (view->expires_ms && !(view->flags & VMSECT_VIEW_REVOKED))
		deadlines_add(&registry->deadlines, &view->deadline, DEADLINE_VIEW,
			      view->expires_ms);
	registry_changed(registry, REGISTRY_VIEW, view);
}

/* A view that is in no list yet but its table; not charged for itself. */
static int view_make(struct registry *registry, const struct handle *handle,
		     const struct view_spec *spec, struct view **ret_view, struct refusal *refusal)
{
	struct view *view = view_new(registry, handle, spec);
	int r;

	if (!view)
		return refuse_memory(refusal);
	r = view_charge(registry, view, refusal);
	if (r < 0) {
		HASH_DEL(registry->views, view);
		free(view);
		return r;
	}
	*ret_view = view;
	return 0;
}

int registry_map(struct registry *registry, const struct handle *handle,
		 const struct view_spec *spec, struct view **ret_view, struct refusal *refusal)
{
	uid_t uid = handle->attachment->party->subject.uid;
	int r;

	r = account_charge(&registry->account, uid, RESOURCE_VIEWS, 1, refusal);
	if (r < 0)
		return r;
	r = view_make(registry, handle, spec, ret_view, refusal);
	if (r < 0)
		account_refund(&registry->account, uid, RESOURCE_VIEWS, 1);
	else
		view_link(registry, *ret_view);
	return r;
}

static void view_free(struct registry *registry, struct view *view)
{
	struct attachment *attachment = view->attachment;
	struct party *party = attachment->party;

	registry_gone(registry, REGISTRY_VIEW, view);
	deadlines_remove(&registry->deadlines, &view->deadline);
	TAILQ_REMOVE(&attachment->section->views, view, of_section);
	TAILQ_REMOVE(&attachment->views, view, of_attachment);
	HASH_DEL(registry->views, view);
	account_refund(&registry->account, party->subject.uid, RESOURCE_PRIVATE,
		       view->charged_private);
	free(view);
	account_refund(&registry->account, party->subject.uid, RESOURCE_VIEWS, 1);
	attachment->section->view_count--;
	attachment->view_count--;
	party->view_count--;
}

void registry_unmap(struct registry *registry, struct view *view)
{
	struct attachment *attachment = view->attachment;
	struct section *section = attachment->section;

	view_free(registry, view);
	attachment_put(attachment);
	section_collect(registry, section);
}

void attachment_end(struct registry *registry, struct attachment *attachment)
{
	struct section *section = attachment->section;
	struct handle *handle, *next_handle;
	struct view *view, *next_view;

	for (view = TAILQ_FIRST(&attachment->views); view; view = next_view) {
		next_view = TAILQ_NEXT(view, of_attachment);
		view_free(registry, view);
	}
	for (handle = TAILQ_FIRST(&attachment->handles); handle; handle = next_handle) {
		next_handle = TAILQ_NEXT(handle, of_attachment);
		handle_free(registry, handle);
	}
	attachment_put(attachment);
	section_collect(registry, section);
}
