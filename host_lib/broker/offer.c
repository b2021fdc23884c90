/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See offer.h. */
#include "broker/offer.h"

#include <stdlib.h>

struct offer *offer_find(const struct registry *registry, uint64_t id)
{
	struct offer *offer;

	HASH_FIND(hh, registry->offers, &id, sizeof(id), offer);
	return offer;
}

static struct offer *offer_make(struct registry *registry, const struct offer_spec *spec)
{
	struct offer *offer = calloc(1, sizeof(*offer));

	if (!offer)
		return NULL;
	offer->id = ++registry->last_offer_id;
	offer->access = spec->access;
	offer->from = spec->from;
	offer->to = spec->to;
	offer->section = spec->section;
	offer->expires_ms = spec->expires_ms;
	HASH_ADD(hh, registry->offers, id, sizeof(offer->id), offer);
	if (HASH_ADDED(hh, offer))
		return offer;
	free(offer);
	return NULL;
}

static void offer_link(struct registry *registry, struct offer *offer)
{
	TAILQ_INSERT_TAIL(&offer->section->offers, offer, of_section);
	if (offer->expires_ms)
		deadlines_add(&registry->deadlines, &offer->deadline, DEADLINE_OFFER,
			      offer->expires_ms);
	registry_changed(registry, REGISTRY_OFFER, offer);
}

int offer_add(struct registry *registry, const struct offer_spec *spec, struct offer **ret_offer,
	      struct refusal *refusal)
{
	const struct party *from = registry_find_party(registry, spec->from);
	struct offer *offer;
	int r;

	if (deadlines_reserve(&registry->deadlines) < 0)
		return refuse_memory(refusal);
	r = account_charge(&registry->account, from->subject.uid, RESOURCE_OFFERS, 1, refusal);
	if (r < 0)
		return r;
	offer = offer_make(registry, spec);
	if (!offer) {
		account_refund(&registry->account, from->subject.uid, RESOURCE_OFFERS, 1);
		return refuse_memory(refusal);
	}
	offer_link(registry, offer);
	*ret_offer = offer;
	return 0;
}

static void tell(const struct registry *registry, const struct offer *offer, uint32_t access)
{
	const struct registry_event event = {
		.type = VMSECT_WIRE_EVENT_OFFERED,
		.peer = offer->from,
		.section = offer->section->id,
		.value = offer->id,
		.length = access,
	};
	struct party *to = registry_find_party(registry, offer->to);

	if (to && registry->tell)
		registry->tell(registry->tell_arg, to, &event);
}

void offer_tell(const struct registry *registry, const struct offer *offer)
{
	tell(registry, offer, offer->access);
}

void offer_end(struct registry *registry, struct offer *offer)
{
	const struct party *from = registry_find_party(registry, offer->from);

	/* Without access it never reaches the wire: it takes back one that waits. */
	tell(registry, offer, 0);
	registry_gone(registry, REGISTRY_OFFER, offer);
	deadlines_remove(&registry->deadlines, &offer->deadline);
	TAILQ_REMOVE(&offer->section->offers, offer, of_section);
	HASH_DEL(registry->offers, offer);
	account_refund(&registry->account, from->subject.uid, RESOURCE_OFFERS, 1);
	free(offer);
}

void offer_end_of_section(struct registry *registry, struct section *section)
{
	struct offer *offer, *next;

	for (offer = TAILQ_FIRST(&section->offers); offer; offer = next) {
		next = TAILQ_NEXT(offer, of_section);
		offer_end(registry, offer);
	}
}

void offer_end_of_party(struct registry *registry, struct party *party)
{
	struct offer *offer, *next;

	HASH_ITER (hh, registry->offers, offer, next) {
		if (offer->from == party->id || offer->to == party->id)
			offer_end(registry, offer);
	}
}
