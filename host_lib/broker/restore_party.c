/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parties from their records; see restore.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broker/restore_check.h"
#include "broker/restore_objects.h"

static void fill_party(struct party *party, const struct journal_party *record)
{
	memcpy(party->token, record->token, sizeof(party->token));
	memcpy(party->name, record->name, sizeof(party->name));
	party->last_cookie = record->last_cookie;
	party->last_op = (uint16_t)record->last_op;
	party->last_result = record->last_result;
	party->memory_bytes = record->memory_bytes;
	party->counters = (struct party_counters){
		.denied_writes = record->denied_writes,
		.hole_accesses = record->hole_accesses,
		.undecodable_stores = record->undecodable_stores,
		.lost_pages = record->lost_pages,
	};
	party->kind = record->kind;
	party->cpus = record->cpus;
	party->subject = (struct subject){
		.uid = record->uid,
		.gid = record->gid,
		.pid = record->pid,
	};
}

/* One number, charged like the handle that it was. */
static int restore_revoked_one(struct restore *restore, struct party *party, uint32_t id)
{
	struct account *account = &restore->registry->account;
	struct revoked_handle *revoked;
	int r;

	if (!id || party_is_revoked(party, id))
		return 0;
	revoked = calloc(1, sizeof(*revoked));
	if (!revoked)
		return -ENOMEM;
	revoked->id = id;
	r = account_charge(account, party->subject.uid, RESOURCE_HANDLES, 1, &restore->refusal);
	if (!r) {
		HASH_ADD(hh, party->revoked_handles, id, sizeof(revoked->id), revoked);
		if (HASH_ADDED(hh, revoked))
			return 0;
		account_refund(account, party->subject.uid, RESOURCE_HANDLES, 1);
	}
	free(revoked);
	return -ENOMEM;
}

static int restore_revoked(struct restore *restore, struct party *party, uint32_t count,
			   const unsigned char *numbers)
{
	uint32_t id, i;
	int r = 0;

	for (i = 0; !r && i < count; i++) {
		memcpy(&id, numbers + i * sizeof(id), sizeof(id));
		r = restore_revoked_one(restore, party, id);
	}
	return r;
}

/* Grants to groups may concern it while it is away. */
static int restore_groups(struct subject *subject, uint32_t count, const unsigned char *numbers)
{
	if (!count)
		return 0;
	subject->groups = calloc(count, sizeof(gid_t));
	if (!subject->groups)
		return -ENOMEM;
	memcpy(subject->groups, numbers, count * sizeof(gid_t));
	subject->group_count = count;
	return 0;
}

int restore_party(struct restore *restore, const struct restore_entry *entry)
{
	struct registry *registry = restore->registry;
	const unsigned char *numbers =
		(const unsigned char *)entry->payload + sizeof(struct journal_party);
	struct journal_party record;
	struct absent *absent;
	int r;

	memcpy(&record, entry->payload, sizeof(record));
	if (!restore_check_party(&record, entry->size))
		return -EINVAL;
	absent = absent_new(restore->absents);
	if (!absent)
		return -ENOMEM;
	fill_party(&absent->party, &record);
	registry->last_party_id = (uint32_t)record.key.id - 1;
	r = registry_add_party(registry, &absent->party, &restore->refusal);
	if (r < 0) {
		absent_free(absent);
		return r;
	}
	absent->party.next_handle = record.next_handle;
	restore->result->parties++;
	r = restore_groups(&absent->party.subject, record.groups,
			   numbers + record.revoked * sizeof(uint32_t));
	return r < 0 ? r : restore_revoked(restore, &absent->party, record.revoked, numbers);
}
