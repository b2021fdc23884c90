/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Native peers: who has the section open and is no member.  Each member has a
 * bridge to each, made when either comes.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "broker/doorbell_internal.h"

static struct doorbell_native *native_find(const struct doorbell_hub *hub, uint32_t id)
{
	struct doorbell_native *native;

	HASH_FIND(hh, hub->natives, &id, sizeof(id), native);
	return native;
}

static int add_bridge(struct doorbell_member *member, uint32_t id, struct refusal *refusal)
{
	struct doorbell_bridge *bridge = NULL;
	int r = doorbell_bridge_new(member, id, &bridge, refusal);

	if (r < 0)
		return r;
	r = doorbell_link_add(member, id, &bridge->bells, bridge, refusal);
	if (r < 0)
		doorbell_bridge_free(bridge);
	return r;
}

int doorbell_native_bridge(struct doorbell_member *member, struct refusal *refusal)
{
	struct doorbell_native *native;
	int r = 0;

	for (native = member->hub->natives; native && !r; native = native->hh.next) {
		if (native->id != member->id)
			r = add_bridge(member, native->id, refusal);
	}
	return r;
}

/*
 * It has its handle: nobody can be refused any more.  A member without a bridge
 * to it cannot ring it, and goes on.
 */
static void native_join(struct doorbell_hub *hub, uint32_t id)
{
	struct doorbells *doorbells = hub->doorbells;
	struct doorbell_member *member;
	struct refusal refusal;
	uint64_t dropped;

	TAILQ_FOREACH (member, &hub->members, of_hub) {
		if (member->is_doomed || add_bridge(member, id, &refusal) == 0)
			continue;
		doorbells->options.stats->unbridged++;
		if (log_allowed(&doorbells->log_limit, &dropped))
			log_warning("section %" PRIu64 ": member %u cannot ring peer %u: %s",
				    hub->section_id, member->id, id, refusal.text);
	}
}

static void native_note(struct doorbell_hub *hub, uint32_t id)
{
	struct doorbell_native *native = native_find(hub, id);

	if (!native) {
		native = calloc(1, sizeof(*native));
		if (!native)
			return; /* found the next time */
		native->id = id;
		HASH_ADD(hh, hub->natives, id, sizeof(native->id), native);
		if (!HASH_ADDED(hh, native)) {
			free(native);
			return;
		}
		native_join(hub, id);
	}
	native->round = hub->round;
}

void doorbell_native_forget(struct doorbell_hub *hub, uint32_t id)
{
	struct doorbell_native *native = native_find(hub, id);
	struct doorbell_member *member;

	if (!native)
		return;
	assert(hub->natives);
	HASH_DEL(hub->natives, native);
	free(native);
	TAILQ_FOREACH (member, &hub->members, of_hub)
		doorbell_link_leave(member, id);
}

static bool is_native(const struct doorbell_hub *hub, const struct attachment *attachment)
{
	return attachment->handle_count && !doorbell_is_outside(attachment->party) &&
	       !doorbell_hub_member(hub, attachment->party->id);
}

void doorbell_natives_settle(struct doorbell_hub *hub)
{
	const struct registry *registry = hub->doorbells->options.registry;
	const struct section *section = registry_find_section_id(registry, hub->section_id);
	struct doorbell_native *native, *next;
	struct attachment *attachment;

	hub->round++;
	if (section) {
		TAILQ_FOREACH (attachment, &section->attachments, of_section) {
			if (is_native(hub, attachment))
				native_note(hub, attachment->party->id);
		}
	}
	HASH_ITER (hh, hub->natives, native, next) {
		if (native->round != hub->round)
			doorbell_native_forget(hub, native->id);
	}
}

void doorbell_natives_free(struct doorbell_hub *hub)
{
	struct doorbell_native *native = hub->natives, *next;

	HASH_CLEAR(hh, hub->natives);
	for (; native; native = next) {
		next = native->hh.next; /* which HASH_CLEAR leaves alone */
		free(native);
	}
}
