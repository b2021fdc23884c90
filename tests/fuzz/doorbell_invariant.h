/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must hold for doorbells after each step, and what they have charged: for
 * the fuzzers that have a registry.
 */
#ifndef FUZZ_DOORBELL_INVARIANT_H
#define FUZZ_DOORBELL_INVARIANT_H

#include "broker/doorbell_internal.h"
#include "session_world.h"

/* A link that waits is charged; one that does not has told all that there was. */
static inline void doorbell_check_links(const struct doorbell_member *member, uint64_t *used)
{
	const struct doorbell_hub *hub = member->hub;
	const struct doorbell_link *link;

	TAILQ_FOREACH (link, &member->waiting, of_waiting) {
		require(link->is_waiting &&
			(link->has_left ? link->told > 0 : link->bells != NULL));
		used[RESOURCE_QUEUE] += sizeof(*link);
	}
	for (link = member->links; link; link = link->hh.next) {
		require(!link->has_left && link->bells->count == hub->vectors);
		require(link->is_waiting ? link->told < hub->vectors : link->told == hub->vectors);
		if (link->bridge) {
			require(link->bells == &link->bridge->bells);
			require(link->bridge->member == member &&
				link->bridge->native == link->peer);
			used[RESOURCE_DESCRIPTORS] += hub->vectors;
		} else {
			require(link->bells == &doorbell_hub_member(hub, link->peer)->bells);
		}
	}
}

static inline void doorbell_check_member(const struct doorbell_member *member, uint64_t *used)
{
	require(doorbell_hub_member(member->hub, member->id) == member);
	require(member->bells.count == member->hub->vectors);
	/* Of each member there is a link, its own too; a peer that is left out is no member. */
	require(member->is_doomed ||
		HASH_COUNT(member->links) <=
			HASH_COUNT(member->hub->by_id) + HASH_COUNT(member->hub->natives));
	require(HASH_COUNT(member->links) >= HASH_COUNT(member->hub->by_id) || member->is_doomed);
	used[RESOURCE_DESCRIPTORS] += member->charged_fds;
	used[RESOURCE_CLIENTS] += member->is_client;
	doorbell_check_links(member, used);
}

/* Adds what they have charged to `used`, which has RESOURCE_COUNT numbers. */
static inline void doorbell_invariant_check(const struct doorbells *doorbells, uint64_t *used)
{
	const struct doorbell_member *member;
	const struct doorbell_hub *hub;
	unsigned int count;

	if (!doorbells)
		return;
	for (hub = doorbells->hubs; hub; hub = hub->hh.next) {
		count = 0;
		require(hub->vectors >= 1 && hub->vectors <= VMSECT_VECTORS_MAX);
		require(hub->holds || !TAILQ_EMPTY(&hub->members));
		TAILQ_FOREACH (member, &hub->members, of_hub) {
			doorbell_check_member(member, used);
			count++;
		}
		require(count == HASH_COUNT(hub->by_id));
	}
}

#endif
