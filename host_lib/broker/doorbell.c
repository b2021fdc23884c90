/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See doorbell.h: hubs, and what is told to them. */
#include <errno.h>
#include <stdlib.h>
#include <vmsect/vmsect.h>

#include "broker/doorbell_internal.h"

#define LOG_BURST 20u

struct doorbells *doorbells_new(const struct doorbell_options *options)
{
	struct doorbells *doorbells = calloc(1, sizeof(*doorbells));

	if (!doorbells)
		return NULL;
	doorbells->options = *options;
	doorbells->log_limit.burst = LOG_BURST;
	TAILQ_INIT(&doorbells->stale);
	ringer_clear(&doorbells->ringer);
	return doorbells;
}

struct doorbells *doorbells_free(struct doorbells *doorbells)
{
	struct doorbell_hub *hub, *next;

	if (!doorbells)
		return NULL;
	HASH_ITER (hh, doorbells->hubs, hub, next) {
		hub->holds++;
		while (!TAILQ_EMPTY(&hub->members))
			doorbell_member_drop(TAILQ_FIRST(&hub->members), DOORBELL_END_ENDED);
		hub->holds = 0;
		doorbell_hub_put(hub);
	}
	ringer_deinit(&doorbells->ringer);
	free(doorbells);
	return NULL;
}

struct doorbell_hub *doorbell_hub_find(const struct doorbells *doorbells, uint64_t section_id)
{
	struct doorbell_hub *hub;

	HASH_FIND(hh, doorbells->hubs, &section_id, sizeof(section_id), hub);
	return hub;
}

struct doorbell_member *doorbell_hub_member(const struct doorbell_hub *hub, uint32_t id)
{
	struct doorbell_member *member;

	HASH_FIND(hh, hub->by_id, &id, sizeof(id), member);
	return member;
}

static struct doorbell_hub *hub_new(struct doorbells *doorbells, uint64_t section_id,
				    uint32_t vectors)
{
	struct doorbell_hub *hub = calloc(1, sizeof(*hub));

	if (!hub)
		return NULL;
	hub->section_id = section_id;
	hub->vectors = vectors;
	hub->doorbells = doorbells;
	TAILQ_INIT(&hub->members);
	HASH_ADD(hh, doorbells->hubs, section_id, sizeof(hub->section_id), hub);
	if (HASH_ADDED(hh, hub))
		return hub;
	free(hub);
	return NULL;
}

int doorbell_hub_get(struct doorbells *doorbells, uint64_t section_id, uint32_t vectors,
		     struct doorbell_hub **ret_hub, struct refusal *refusal)
{
	struct doorbell_hub *hub = doorbell_hub_find(doorbells, section_id);

	if (!vectors || vectors > VMSECT_VECTORS_MAX) {
		(void)refuse(refusal, -EINVAL, VMSECT_DETAIL_FORMAT,
			     "doorbells have 1 to %u vectors, not %u", VMSECT_VECTORS_MAX, vectors);
		return -EINVAL;
	}
	if (hub && hub->vectors != vectors) {
		(void)refuse(refusal, -EBUSY, VMSECT_DETAIL_STATE,
			     "the section's doorbells have %u vectors while they are in use, "
			     "not %u",
			     hub->vectors, vectors);
		return -EBUSY;
	}
	if (!hub)
		hub = hub_new(doorbells, section_id, vectors);
	if (!hub) {
		(void)refuse_memory(refusal);
		return -ENOMEM;
	}
	*ret_hub = hub;
	return 0;
}

void doorbell_hub_put(struct doorbell_hub *hub)
{
	struct doorbells *doorbells = hub->doorbells;

	if (hub->holds || !TAILQ_EMPTY(&hub->members))
		return;
	if (hub->is_stale)
		TAILQ_REMOVE(&doorbells->stale, hub, of_stale);
	doorbell_natives_free(hub);
	HASH_DEL(doorbells->hubs, hub);
	free(hub);
}

void doorbell_hub_note(struct doorbell_hub *hub)
{
	if (hub->is_stale)
		return;
	hub->is_stale = true;
	TAILQ_INSERT_TAIL(&hub->doorbells->stale, hub, of_stale);
}

int doorbells_hold(struct doorbells *doorbells, const struct section *section, uint32_t vectors,
		   struct refusal *refusal)
{
	struct doorbell_hub *hub = NULL;
	int r = doorbell_hub_get(doorbells, section->id, vectors, &hub, refusal);

	if (!r)
		hub->holds++;
	return r;
}

void doorbells_release(struct doorbells *doorbells, uint64_t section_id)
{
	struct doorbell_hub *hub = doorbell_hub_find(doorbells, section_id);

	if (!hub || !hub->holds)
		return;
	hub->holds--;
	doorbell_hub_put(hub);
}

/* Whose handles and views members hear of. */
static const struct attachment *attachment_of(enum registry_object kind, const void *object)
{
	switch (kind) {
	case REGISTRY_HANDLE:
		return ((const struct handle *)object)->attachment;
	case REGISTRY_VIEW:
		return ((const struct view *)object)->attachment;
	default:
		return NULL;
	}
}

void doorbells_note(struct doorbells *doorbells, enum registry_object kind, const void *object)
{
	const struct attachment *attachment = attachment_of(kind, object);
	struct doorbell_hub *hub;

	if (!attachment || !doorbells || !doorbells->hubs)
		return;
	hub = doorbell_hub_find(doorbells, attachment->section_id);
	if (hub)
		doorbell_hub_note(hub);
}

static bool has_view(const struct doorbell_member *member)
{
	const struct registry *registry = member->hub->doorbells->options.registry;
	const struct view *view = registry_find_view(registry, member->view);

	return view && !(view->flags & VMSECT_VIEW_REVOKED);
}

/* Does the member still have that by which it became one? */
static bool has_right(const struct doorbell_member *member)
{
	const struct registry *registry = member->hub->doorbells->options.registry;
	const struct party *party = registry_find_party(registry, member->id);

	if (!party || party->serial != member->serial || !party_find_handle(party, member->handle))
		return false;
	return !member->is_outside || has_view(member);
}

static void hub_settle(struct doorbell_hub *hub)
{
	struct doorbell_member *member, *next;

	hub->holds++;
	for (member = TAILQ_FIRST(&hub->members); member; member = next) {
		next = TAILQ_NEXT(member, of_hub);
		if (!has_right(member))
			doorbell_member_drop(member, DOORBELL_END_REVOKED);
	}
	doorbell_natives_settle(hub);
	hub->holds--;
	doorbell_hub_put(hub);
}

void doorbells_settle(struct doorbells *doorbells)
{
	struct doorbell_hub *hub;

	while (doorbells && (hub = TAILQ_FIRST(&doorbells->stale))) {
		TAILQ_REMOVE(&doorbells->stale, hub, of_stale);
		hub->is_stale = false;
		hub_settle(hub);
	}
}

bool doorbell_is_outside(const struct party *party)
{
	return party->kind == VMSECT_PEER_IVSHMEM;
}

bool doorbells_ring(struct doorbells *doorbells, const struct party *to,
		    const struct registry_event *event)
{
	const struct doorbell_hub *hub = doorbell_hub_find(doorbells, event->section);
	const struct doorbell_member *member = hub ? doorbell_hub_member(hub, to->id) : NULL;
	const struct attachment *attachment;
	uint32_t vector;

	if (!member)
		return doorbell_is_outside(to);
	vector = event->value < hub->vectors ? (uint32_t)event->value : 0;
	if (ringer_ring(&doorbells->ringer, member->bells.fds[vector]) == 0)
		doorbells->options.stats->to_members++;
	if (member->is_outside)
		return true;
	attachment = party_find_attachment(to, event->section);
	return !attachment || attachment->handle_count <= 1;
}
