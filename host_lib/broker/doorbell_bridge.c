/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bridge: the eventfds by which one member rings one native peer.  Each pair
 * has its own, so that the broker knows who rings whom, and what it is told of
 * cannot be said in another's name.
 *
 * A ring costs the member's party a notification.  Where it has none left the
 * bell rests, and what is rung meanwhile adds up in it.
 */
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/event.h"
#include "broker/doorbell_internal.h"

#define REST_MS 10u

static struct token_bucket *bucket_of(struct doorbell_member *member)
{
	struct party *party;

	if (member->is_outside)
		return &member->party.notify_bucket;
	party = registry_find_party(member->hub->doorbells->options.registry, member->id);
	return party && party->serial == member->serial ? &party->notify_bucket : NULL;
}

static void rest(struct doorbell_bell *bell)
{
	struct doorbell_member *member = bell->bridge->member;
	struct timeval period = loop_ms(REST_MS);

	member->hub->doorbells->options.stats->limited++;
	(void)event_del(bell->event);
	bell->is_resting = true;
	TAILQ_INSERT_TAIL(&member->resting, bell, of_resting);
	if (!event_pending(member->again, EV_TIMEOUT, NULL) &&
	    event_add(member->again, &period) < 0)
		doorbell_member_doom(member, DOORBELL_END_ERROR);
}

void doorbell_bridge_wake(struct doorbell_member *member)
{
	struct doorbell_bell *bell;

	while ((bell = TAILQ_FIRST(&member->resting))) {
		TAILQ_REMOVE(&member->resting, bell, of_resting);
		bell->is_resting = false;
		if (event_add(bell->event, NULL) < 0)
			doorbell_member_doom(member, DOORBELL_END_ERROR);
	}
}

static void tell(const struct doorbell_bell *bell, uint64_t count)
{
	const struct doorbell_bridge *bridge = bell->bridge;
	const struct doorbell_options *options = &bridge->member->hub->doorbells->options;
	const struct registry *registry = options->registry;
	struct party *native = registry_find_party(registry, bridge->native);
	const struct registry_event event = {
		.type = VMSECT_WIRE_EVENT_NOTIFIED,
		.peer = bridge->member->id,
		.section = bridge->member->hub->section_id,
		.value = (uint64_t)(bell - bridge->bell),
		.length = count < UINT32_MAX ? count : UINT32_MAX, /* anything may be written */
	};

	if (!native || !registry->tell)
		return;
	options->stats->to_natives++;
	registry->tell(registry->tell_arg, native, &event);
}

static void on_ring(evutil_socket_t fd, short what, void *arg)
{
	struct doorbell_bell *bell = arg;
	struct doorbell_member *member = bell->bridge->member;
	const struct doorbell_options *options = &member->hub->doorbells->options;
	struct token_bucket *bucket = bucket_of(member);
	uint64_t count;

	(void)what;
	if (!bucket || !token_bucket_take(bucket, token_bucket_now())) {
		rest(bell);
		return;
	}
	count = bell_read(fd);
	if (!count)
		return;
	tell(bell, count);
	if (options->ended)
		options->ended(options->arg);
}

void doorbell_bridge_flush(struct doorbell_bridge *bridge)
{
	uint64_t count;
	uint32_t i;

	for (i = 0; i < bridge->bells.count; i++) {
		count = bell_read(bridge->bells.fds[i]);
		if (count)
			tell(&bridge->bell[i], count);
	}
}

/* Listens to each. */
static int bridge_watch(struct doorbell_bridge *bridge, struct refusal *refusal)
{
	struct event_base *base = bridge->member->hub->doorbells->options.base;
	struct doorbell_bell *bell;
	uint32_t i;

	for (i = 0; i < bridge->bells.count; i++) {
		bell = &bridge->bell[i];
		bell->bridge = bridge;
		bell->event =
			event_new(base, bridge->bells.fds[i], EV_READ | EV_PERSIST, on_ring, bell);
		if (!bell->event || event_add(bell->event, NULL) < 0)
			return refuse_memory(refusal);
	}
	return 0;
}

static int bridge_fill(struct doorbell_bridge *bridge, uint32_t vectors, struct refusal *refusal)
{
	int r = bells_init(&bridge->bells, vectors);

	if (r < 0)
		return refuse(refusal, r, VMSECT_DETAIL_NONE,
			      "no eventfds for a peer of the section: %s", strerror(-r));
	return bridge_watch(bridge, refusal);
}

int doorbell_bridge_new(struct doorbell_member *member, uint32_t native,
			struct doorbell_bridge **ret_bridge, struct refusal *refusal)
{
	struct account *account = &member->hub->doorbells->options.registry->account;
	uint32_t vectors = member->hub->vectors;
	struct doorbell_bridge *bridge;
	int r;

	r = account_charge(account, member->uid, RESOURCE_DESCRIPTORS, vectors, refusal);
	if (r < 0)
		return r;
	bridge = calloc(1, sizeof(*bridge) + vectors * sizeof(bridge->bell[0]));
	if (!bridge) {
		account_refund(account, member->uid, RESOURCE_DESCRIPTORS, vectors);
		return refuse_memory(refusal);
	}
	bridge->member = member;
	bridge->native = native;
	r = bridge_fill(bridge, vectors, refusal);
	if (r < 0) {
		doorbell_bridge_free(bridge);
		return r;
	}
	*ret_bridge = bridge;
	return 0;
}

void doorbell_bridge_free(struct doorbell_bridge *bridge)
{
	struct doorbell_member *member;
	uint32_t vectors, i;

	if (!bridge)
		return;
	member = bridge->member;
	vectors = member->hub->vectors;
	for (i = 0; i < vectors; i++) {
		if (bridge->bell[i].is_resting)
			TAILQ_REMOVE(&member->resting, &bridge->bell[i], of_resting);
		if (bridge->bell[i].event)
			event_free(bridge->bell[i].event);
	}
	bells_deinit(&bridge->bells);
	account_refund(&member->hub->doorbells->options.registry->account, member->uid,
		       RESOURCE_DESCRIPTORS, vectors);
	free(bridge);
}
