/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See restore_table.h. */
#include "broker/restore_table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void note_ids(struct journal_header *last, const struct journal_key *key)
{
	if (key->type == JOURNAL_PARTY && key->id > last->last_party_id)
		last->last_party_id = (uint32_t)key->id;
	else if (key->type == JOURNAL_SECTION && key->id > last->last_section_id)
		last->last_section_id = key->id;
	else if (key->type == JOURNAL_VIEW && key->id > last->last_view_id)
		last->last_view_id = key->id;
	else if (key->type == JOURNAL_OFFER && key->id > last->last_offer_id)
		last->last_offer_id = key->id;
}

/* Could the registry have given that number? */
static bool is_number(const struct journal_key *key)
{
	bool is_short = key->type == JOURNAL_PARTY || key->type == JOURNAL_HANDLE;

	return key->id && key->id <= (is_short ? UINT32_MAX : INT64_MAX);
}

static struct restore_entry *entry_get(struct restore_table *table, const struct journal_key *key)
{
	struct restore_entry *entry;

	HASH_FIND(hh, table->entries, key, sizeof(*key), entry);
	if (entry)
		return entry;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->key = *key;
	HASH_ADD(hh, table->entries, key, sizeof(entry->key), entry);
	if (HASH_ADDED(hh, entry))
		return entry;
	free(entry);
	return NULL;
}

static void entry_drop(struct restore_table *table, const struct journal_key *key)
{
	struct restore_entry *entry;

	HASH_FIND(hh, table->entries, key, sizeof(*key), entry);
	if (!entry)
		return;
	HASH_DEL(table->entries, entry);
	free(entry);
}

int restore_table_add(void *arg, uint32_t type, const void *payload, size_t size)
{
	struct restore_table *table = arg;
	struct restore_entry *entry;
	struct journal_key key;

	memcpy(&key, payload, sizeof(key));
	if (!is_number(&key))
		return 0; /* no object */
	if (type == JOURNAL_DROP) {
		note_ids(&table->last, &key);
		entry_drop(table, &key);
		return 0;
	}
	if (key.type != type)
		return 0;
	note_ids(&table->last, &key);
	entry = entry_get(table, &key);
	if (!entry)
		return -ENOMEM;
	entry->payload = payload;
	entry->size = size;
	return 0;
}

static int compare(const struct restore_entry *a, const struct restore_entry *b)
{
	if (a->key.type != b->key.type)
		return a->key.type < b->key.type ? -1 : 1;
	if (a->key.party != b->key.party)
		return a->key.party < b->key.party ? -1 : 1;
	return a->key.id < b->key.id ? -1 : a->key.id > b->key.id;
}

void restore_table_sort(struct restore_table *table)
{
	HASH_SRT(hh, table->entries, compare);
}

void restore_table_deinit(struct restore_table *table)
{
	struct restore_entry *entry, *next;

	entry = table->entries;
	HASH_CLEAR(hh, table->entries);
	for (; entry; entry = next) {
		next = entry->hh.next;
		free(entry);
	}
}
