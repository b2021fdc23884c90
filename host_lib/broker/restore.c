/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See restore.h.  Objects are made by the registry's own calls, so that they
 * are listed and charged like any other: the counters that give ids are set to
 * the number before.  Limits do not count here; what was allowed stays.
 */
#include "broker/restore.h"

#include <errno.h>
#include <string.h>

#include "broker/journal_boot.h"
#include "broker/journal_scan.h"
#include "broker/offer.h"
#include "broker/restore_check.h"
#include "broker/restore_objects.h"

/* Each of these: 0, -EINVAL (the record makes no sense) or -ENOMEM. */
static int restore_handle(struct restore *restore, const struct restore_entry *entry)
{
	struct journal_handle record;
	struct section *section;
	struct handle *handle = NULL;
	struct party *party;
	uint32_t next;
	int r;

	memcpy(&record, entry->payload, sizeof(record));
	if (!restore_check_handle(&record))
		return -EINVAL;
	party = registry_find_party(restore->registry, record.key.party);
	section = registry_find_section_id(restore->registry, record.section);
	if (!party || !section || party_is_revoked(party, (uint32_t)record.key.id))
		return -EINVAL;
	next = party->next_handle;
	party->next_handle = (uint32_t)record.key.id - 1;
	r = party_open(party, section, record.access, &handle, &restore->refusal);
	party->next_handle = next;
	if (r < 0)
		return r;
	handle->expires_ms = record.expires_ms;
	return 0;
}

/* A view is mapped through a handle, which for this one may be closed since. */
static int map_again(struct restore *restore, struct party *party, struct section *section,
		     const struct journal_view *record, struct view **ret_view)
{
	const struct view_spec spec = {
		.protection = record->protection,
		.offset = record->offset,
		.length = record->length,
		.place = record->place,
		.room = record->room,
		.flags = record->flags,
	};
	struct handle *handle = NULL;
	uint32_t next = party->next_handle;
	int r;

	r = party_open(party, section, record->access, &handle, &restore->refusal);
	if (r < 0)
		return r;
	handle->expires_ms = record->expires_ms;
	restore->registry->last_view_id = record->key.id - 1;
	r = registry_map(restore->registry, handle, &spec, ret_view, &restore->refusal);
	registry_close(restore->registry, handle);
	party->next_handle = next;
	return r;
}

static int settle_private(struct restore *restore, struct view *view, uint64_t bytes)
{
	struct account *account = &restore->registry->account;
	uid_t uid = view->attachment->party->subject.uid;
	int r = 0;

	if (bytes < view->charged_private)
		account_refund(account, uid, RESOURCE_PRIVATE, view->charged_private - bytes);
	else
		r = account_charge(account, uid, RESOURCE_PRIVATE, bytes - view->charged_private,
				   &restore->refusal);
	if (!r)
		view->charged_private = bytes;
	return r;
}

static bool is_within(const struct section *section, const struct journal_view *record)
{
	uint64_t page = UINT64_C(1) << section->page_shift;
	uint64_t bytes = (section->backing.size_bytes + page - 1) & ~(page - 1);

	return !((record->offset | record->length) & (page - 1)) && record->offset <= bytes &&
	       record->length <= bytes - record->offset;
}

static int restore_view(struct restore *restore, const struct restore_entry *entry)
{
	struct journal_view record;
	struct section *section;
	struct party *party;
	struct view *view = NULL;
	int r;

	memcpy(&record, entry->payload, sizeof(record));
	if (!restore_check_view(&record))
		return -EINVAL;
	party = registry_find_party(restore->registry, record.party);
	section = registry_find_section_id(restore->registry, record.section);
	if (!party || !section || !is_within(section, &record))
		return -EINVAL;
	r = map_again(restore, party, section, &record, &view);
	if (r < 0)
		return r;
	view->denied_writes = record.denied_writes;
	view->private_pages = record.private_pages;
	view->expires_ms = record.expires_ms;
	view->protection_now = record.protection_now;
	view->flags = record.flags;
	view->access = record.access;
	return settle_private(restore, view, record.charged_private);
}

static int restore_offer(struct restore *restore, const struct restore_entry *entry)
{
	struct registry *registry = restore->registry;
	struct journal_offer record;
	struct offer_spec spec;
	struct offer *offer;

	memcpy(&record, entry->payload, sizeof(record));
	spec = (struct offer_spec){
		.expires_ms = record.expires_ms,
		.access = record.access,
		.from = record.from,
		.to = record.to,
		.section = registry_find_section_id(registry, record.section),
	};
	if (!restore_check_offer(&record) || !spec.section ||
	    !registry_find_party(registry, record.from) ||
	    !registry_find_party(registry, record.to))
		return -EINVAL;
	registry->last_offer_id = record.key.id - 1;
	return offer_add(registry, &spec, &offer, &restore->refusal);
}

typedef int (*restore_one)(struct restore *restore, const struct restore_entry *entry);

static const restore_one steps[] = {
	[JOURNAL_PARTY] = restore_party,   [JOURNAL_SECTION] = restore_section,
	[JOURNAL_HANDLE] = restore_handle, [JOURNAL_VIEW] = restore_view,
	[JOURNAL_OFFER] = restore_offer,
};

/* In this order each finds what it names. */
static int restore_entries(struct restore *restore, const struct restore_table *table)
{
	const struct restore_entry *entry;
	int r;

	for (entry = table->entries; entry; entry = entry->hh.next) {
		r = steps[entry->key.type](restore, entry);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			restore->result->left_out++;
	}
	return 0;
}

/* Sections that nothing holds: their handles were left out. */
static void collect_sections(struct registry *registry)
{
	struct section *section, *next;

	HASH_ITER (hh, registry->sections, section, next) {
		if (!section->permanent && !section->handle_count && !section->view_count)
			registry_free_section(registry, section);
	}
}

/* Ids that were in use are not used again, whatever has become of their objects. */
static void settle_ids(struct registry *registry, const struct journal_header *header,
		       const struct journal_header *seen)
{
	registry->broker_generation = header->broker_generation;
	registry->last_party_id = header->last_party_id > seen->last_party_id
					  ? header->last_party_id
					  : seen->last_party_id;
	registry->last_section_id = header->last_section_id > seen->last_section_id
					    ? header->last_section_id
					    : seen->last_section_id;
	registry->last_view_id = header->last_view_id > seen->last_view_id ? header->last_view_id
									   : seen->last_view_id;
	registry->last_offer_id = header->last_offer_id > seen->last_offer_id
					  ? header->last_offer_id
					  : seen->last_offer_id;
}

static int restore_table(struct restore *restore, struct restore_table *table)
{
	struct account *account = &restore->registry->account;
	struct limits limits = account->limits;
	int i, r;

	for (i = 0; i < RESOURCE_COUNT; i++)
		account->limits.user[i] = account->limits.all[i] = UINT64_MAX;
	restore_table_sort(table);
	r = restore_entries(restore, table);
	collect_sections(restore->registry);
	account->limits = limits;
	return r;
}

static int check_header(const void *bytes, size_t size, struct journal_header *ret_header)
{
	char boot_id[JOURNAL_BOOT_ID_BYTES];

	switch (journal_scan_header(bytes, size, ret_header)) {
	case 0:
		journal_boot_id(boot_id);
		return strcmp(boot_id, ret_header->boot_id) ? RESTORE_E_NOTHING : 0;
	case JOURNAL_E_EMPTY:
		return RESTORE_E_NOTHING;
	case JOURNAL_E_VERSION:
		return RESTORE_E_VERSION;
	default:
		return RESTORE_E_DAMAGED;
	}
}

int restore_registry(struct registry *registry, struct absent_list *absents, const void *bytes,
		     size_t size, struct restore_result *ret_result)
{
	struct restore restore = { registry, absents, ret_result, { 0 } };
	struct restore_table table = { 0 };
	struct journal_header header = { 0 };
	size_t good = 0;
	int r;

	*ret_result = (struct restore_result){ 0 };
	r = check_header(bytes, size, &header);
	ret_result->version = header.version;
	if (r)
		return r;
	r = journal_scan(bytes, size, restore_table_add, &table, &good);
	if (!r)
		r = restore_table(&restore, &table);
	settle_ids(registry, &header, &table.last);
	ret_result->torn_bytes = size - good;
	restore_table_deinit(&table);
	return r;
}
