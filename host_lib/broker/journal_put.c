/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects of the registry as records; see journal_buffer.h.  restore.c turns them back. */
#include <string.h>

#include "broker/export.h"
#include "broker/journal_record.h"

static void copy_text(char *field, size_t room, const char *text)
{
	if (text)
		memcpy(field, text, strnlen(text, room - 1));
}

void journal_put_header(struct journal_buffer *buffer, const struct registry *registry,
			const char *boot_id)
{
	struct journal_header *header =
		journal_record_start(buffer, JOURNAL_HEADER, sizeof(*header));

	if (!header)
		return;
	header->version = JOURNAL_VERSION;
	header->last_party_id = registry->last_party_id;
	header->broker_generation = registry->broker_generation;
	header->last_section_id = registry->last_section_id;
	header->last_view_id = registry->last_view_id;
	header->last_offer_id = registry->last_offer_id;
	copy_text(header->boot_id, sizeof(header->boot_id), boot_id);
	journal_record_end(buffer);
}

static void fill_numbers(const struct party *party, uint32_t *numbers)
{
	const struct revoked_handle *revoked;
	size_t i;

	for (revoked = party->revoked_handles; revoked; revoked = revoked->hh.next)
		*numbers++ = revoked->id;
	for (i = 0; i < party->subject.group_count; i++)
		*numbers++ = party->subject.groups[i];
}

static void fill_party(const struct party *party, struct journal_party *record)
{
	record->key = (struct journal_key){ .type = JOURNAL_PARTY, .id = party->id };
	memcpy(record->token, party->token, sizeof(record->token));
	record->last_cookie = party->last_cookie;
	record->last_op = party->last_op;
	record->last_result = party->last_result;
	record->memory_bytes = party->memory_bytes;
	record->denied_writes = party->counters.denied_writes;
	record->hole_accesses = party->counters.hole_accesses;
	record->undecodable_stores = party->counters.undecodable_stores;
	record->lost_pages = party->counters.lost_pages;
	record->kind = party->kind;
	record->cpus = party->cpus;
	record->uid = party->subject.uid;
	record->gid = party->subject.gid;
	record->pid = party->subject.pid;
	record->next_handle = party->next_handle;
	copy_text(record->name, sizeof(record->name), party->name);
}

void journal_put_party(struct journal_buffer *buffer, const struct party *party)
{
	uint32_t revoked = HASH_COUNT(party->revoked_handles);
	size_t groups = party->subject.group_count;
	struct journal_party *record = journal_record_start(
		buffer, JOURNAL_PARTY, sizeof(*record) + JOURNAL_NUMBERS_BYTES(revoked + groups));

	if (!record)
		return;
	fill_party(party, record);
	record->revoked = revoked;
	record->groups = (uint32_t)groups;
	fill_numbers(party, (uint32_t *)(record + 1));
	journal_record_end(buffer);
}

static uint32_t section_flags(const struct section *section)
{
	return (section->permanent ? JOURNAL_SECTION_PERMANENT : 0) |
	       (section->reserve ? JOURNAL_SECTION_RESERVE : 0) |
	       (section->sealable ? JOURNAL_SECTION_SEALABLE : 0) |
	       (section->sealed ? JOURNAL_SECTION_SEALED : 0) |
	       (section->exportable ? JOURNAL_SECTION_EXPORTABLE : 0);
}

static void fill_section(const struct section *section, struct journal_section *record)
{
	record->key = (struct journal_key){ .type = JOURNAL_SECTION, .id = section->id };
	record->generation = section->generation;
	record->size_bytes = section->backing.size_bytes;
	record->max_bytes = section->max_bytes;
	record->charged_fds = section->charged_fds;
	record->dev = section->backing.dev;
	record->ino = section->backing.ino;
	record->backing_kind = section->backing_kind;
	record->protection = section->protection;
	record->page_shift = section->page_shift;
	record->flags = section_flags(section);
	record->io_error = section->io_error;
	record->uid = section->ownership.uid;
	record->gid = section->ownership.gid;
	record->mode = section->ownership.mode;
	copy_text(record->name, sizeof(record->name), section->name);
	copy_text(record->path, sizeof(record->path), section->backing.path);
}

static uint32_t count_exports(const struct section *section)
{
	uint32_t i, count = 0;

	for (i = 0; i < EXPORT_KINDS; i++)
		count += section->exports[i] != NULL;
	return count;
}

static void fill_exports(const struct section *section, unsigned char *at)
{
	size_t i;

	for (i = 0; i < EXPORT_KINDS; i++) {
		const struct export *export = section->exports[i];
		struct journal_export record = { 0 };

		if (!export)
			continue;
		record.kind = export->kind;
		record.mode = export->mode;
		record.uid = export->uid;
		record.gid = export->gid;
		record.vectors = export->vectors;
		record.is_parked = export->is_parked;
		copy_text(record.path, sizeof(record.path), export->path);
		memcpy(at, &record, sizeof(record));
		at += sizeof(record);
	}
}

void journal_put_section(struct journal_buffer *buffer, const struct section *section)
{
	size_t grants = section->ownership.grant_count * sizeof(struct vmsect_wire_grant);
	size_t ranges = section->committed.count * sizeof(struct vmsect_wire_range);
	uint32_t exports = count_exports(section);
	struct journal_section *record = journal_record_start(
		buffer, JOURNAL_SECTION,
		sizeof(*record) + grants + ranges + exports * sizeof(struct journal_export));
	unsigned char *tail;

	if (!record)
		return;
	tail = (unsigned char *)(record + 1);
	fill_section(section, record);
	record->grants = section->ownership.grant_count;
	record->ranges = section->committed.count;
	record->exports = exports;
	if (grants)
		memcpy(tail, section->ownership.grants, grants);
	if (ranges)
		memcpy(tail + grants, section->committed.ranges, ranges);
	fill_exports(section, tail + grants + ranges);
	journal_record_end(buffer);
}

void journal_put_handle(struct journal_buffer *buffer, const struct handle *handle)
{
	struct journal_handle *record =
		journal_record_start(buffer, JOURNAL_HANDLE, sizeof(*record));

	if (!record)
		return;
	record->key = (struct journal_key){
		.type = JOURNAL_HANDLE,
		.party = handle->attachment->party->id,
		.id = handle->id,
	};
	record->section = handle->attachment->section_id;
	record->expires_ms = handle->expires_ms;
	record->access = handle->access;
	journal_record_end(buffer);
}

void journal_put_view(struct journal_buffer *buffer, const struct view *view)
{
	struct journal_view *record = journal_record_start(buffer, JOURNAL_VIEW, sizeof(*record));

	if (!record)
		return;
	*record = (struct journal_view){
		.key = { .type = JOURNAL_VIEW, .id = view->id },
		.section = view->attachment->section_id,
		.offset = view->offset,
		.length = view->length,
		.place = view->place,
		.denied_writes = view->denied_writes,
		.private_pages = view->private_pages,
		.room = view->room,
		.expires_ms = view->expires_ms,
		.charged_private = view->charged_private,
		.protection = view->protection,
		.protection_now = view->protection_now,
		.flags = view->flags,
		.access = view->access,
		.party = view->attachment->party->id,
	};
	journal_record_end(buffer);
}

void journal_put_offer(struct journal_buffer *buffer, const struct offer *offer)
{
	struct journal_offer *record = journal_record_start(buffer, JOURNAL_OFFER, sizeof(*record));

	if (!record)
		return;
	*record = (struct journal_offer){
		.key = { .type = JOURNAL_OFFER, .id = offer->id },
		.section = offer->section->id,
		.expires_ms = offer->expires_ms,
		.access = offer->access,
		.from = offer->from,
		.to = offer->to,
	};
	journal_record_end(buffer);
}

void journal_put_drop(struct journal_buffer *buffer, const struct journal_key *key)
{
	struct journal_drop *record = journal_record_start(buffer, JOURNAL_DROP, sizeof(*record));

	if (!record)
		return;
	record->key = *key;
	journal_record_end(buffer);
}

bool journal_keeps_party(const struct party *party)
{
	return party->kind != VMSECT_PEER_IVSHMEM;
}

static void put_party_with_handles(struct journal_buffer *buffer, const struct party *party)
{
	const struct handle *handle;

	journal_put_party(buffer, party);
	for (handle = party->handles; handle; handle = handle->hh.next)
		journal_put_handle(buffer, handle);
}

void journal_put_all(struct journal_buffer *buffer, const struct registry *registry,
		     const char *boot_id)
{
	const struct section *section;
	const struct party *party;
	const struct offer *offer;
	const struct view *view;

	journal_put_header(buffer, registry, boot_id);
	buffer->records = 0; /* the header is of no unit */
	for (section = registry->sections; section; section = section->hh.next)
		journal_put_section(buffer, section);
	for (party = registry->parties; party; party = party->hh.next) {
		if (journal_keeps_party(party))
			put_party_with_handles(buffer, party);
	}
	for (view = registry->views; view; view = view->hh.next) {
		if (journal_keeps_party(view->attachment->party))
			journal_put_view(buffer, view);
	}
	for (offer = registry->offers; offer; offer = offer->hh.next)
		journal_put_offer(buffer, offer);
	journal_put_commit(buffer);
}
