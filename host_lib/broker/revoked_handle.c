/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers of handles that were revoked, until their clients close them: a use
 * is told from that of a number that never was.  Such a number holds no section
 * and is no handle but for the limit, to which it counts on.
 */
#include <stdlib.h>

#include "broker/registry.h"
#include "broker/registry_internal.h"

static struct revoked_handle *find(const struct party *party, uint32_t id)
{
	struct revoked_handle *revoked;

	HASH_FIND(hh, party->revoked_handles, &id, sizeof(id), revoked);
	return revoked;
}

bool party_is_revoked(const struct party *party, uint32_t handle_id)
{
	return find(party, handle_id) != NULL;
}

static void forget(struct party *party, struct revoked_handle *revoked)
{
	HASH_DEL(party->revoked_handles, revoked);
	free(revoked);
	account_refund(&party->registry->account, party->subject.uid, RESOURCE_HANDLES, 1);
}

bool party_forget_revoked(struct party *party, uint32_t handle_id)
{
	struct revoked_handle *revoked = find(party, handle_id);

	if (!revoked)
		return false;
	forget(party, revoked);
	registry_changed(party->registry, REGISTRY_PARTY, party);
	return true;
}

void party_forget_all_revoked(struct party *party)
{
	struct revoked_handle *revoked = party->revoked_handles, *next;
	uint64_t count = HASH_COUNT(revoked);

	HASH_CLEAR(hh, party->revoked_handles);
	for (; revoked; revoked = next) {
		next = revoked->hh.next; /* which HASH_CLEAR leaves alone */
		free(revoked);
	}
	account_refund(&party->registry->account, party->subject.uid, RESOURCE_HANDLES, count);
}

/* Without memory the number is one that never was: it is refused as well. */
static void remember(struct party *party, uint32_t id)
{
	struct revoked_handle *revoked = calloc(1, sizeof(*revoked));
	struct refusal refusal;

	if (!revoked)
		return;
	revoked->id = id;
	if (account_charge(&party->registry->account, party->subject.uid, RESOURCE_HANDLES, 1,
			   &refusal) < 0) {
		free(revoked);
		return;
	}
	HASH_ADD(hh, party->revoked_handles, id, sizeof(revoked->id), revoked);
	if (HASH_ADDED(hh, revoked)) {
		registry_changed(party->registry, REGISTRY_PARTY, party);
		return;
	}
	account_refund(&party->registry->account, party->subject.uid, RESOURCE_HANDLES, 1);
	free(revoked);
}

void registry_close_revoked(struct registry *registry, struct handle *handle)
{
	struct party *party = handle->attachment->party;
	uint32_t id = handle->id;

	registry_close(registry, handle);
	remember(party, id);
}
