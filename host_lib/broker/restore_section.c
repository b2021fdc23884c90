/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sections from their records; see restore.h.  Their memory comes later. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broker/export.h"
#include "broker/grant.h"
#include "broker/restore_check.h"
#include "broker/restore_objects.h"

static int restore_ranges(struct section *section, const struct journal_section *record,
			  const unsigned char *at)
{
	struct vmsect_wire_range range;
	uint64_t i;
	int r = 0;

	for (i = 0; !r && i < record->ranges; i++) {
		memcpy(&range, at + i * sizeof(range), sizeof(range));
		if (!restore_check_range(record, &range))
			return -EINVAL;
		r = commit_map_add(&section->committed, range.offset, range.length);
	}
	return r;
}

static int restore_grants(struct restore *restore, struct section *section,
			  const struct journal_section *record, const unsigned char *at)
{
	struct vmsect_wire_grant grant;
	uint32_t i;
	int r = 0;

	for (i = 0; !r && i < record->grants; i++) {
		memcpy(&grant, at + i * sizeof(grant), sizeof(grant));
		if (!restore_check_grant(&grant))
			return -EINVAL;
		r = grant_set(restore->registry, section, &grant, &restore->refusal);
	}
	return r;
}

/* What is at its path is looked at by export_recover(). */
static int restore_exports(struct section *section, const struct journal_section *record,
			   const unsigned char *at)
{
	struct journal_export from;
	struct export export;
	uint32_t i;
	int r = 0;

	for (i = 0; !r && i < record->exports; i++) {
		memcpy(&from, at + i * sizeof(from), sizeof(from));
		if (!restore_check_export(record, &from))
			return -EINVAL;
		export = (struct export){
			.kind = from.kind,
			.mode = from.mode,
			.uid = from.uid,
			.gid = from.gid,
			.vectors = from.vectors,
			.is_parked = from.is_parked,
		};
		memcpy(export.path, from.path, sizeof(export.path));
		r = export_restore(section, &export);
	}
	return r;
}

/*
 * Pages of a RESERVE section are charged as they were committed.  A charge for a
 * request that was under way is nobody's now.
 */
static int charge_committed(struct restore *restore, struct section *section)
{
	uint64_t bytes = commit_map_bytes(&section->committed);

	return section->reserve
		       ? registry_charge_bytes(restore->registry, section, bytes, &restore->refusal)
		       : 0;
}

static int fill_section(struct restore *restore, struct section *section,
			const struct journal_section *record, const unsigned char *tail)
{
	const unsigned char *ranges = tail + record->grants * sizeof(struct vmsect_wire_grant);
	int r;

	section->missing = true;
	section->sealed = record->flags & JOURNAL_SECTION_SEALED;
	section->io_error = record->io_error;
	section->backing.size_bytes = record->size_bytes;
	section->backing.dev = record->dev;
	section->backing.ino = record->ino;
	if (record->path[0])
		section->backing.path = strdup(record->path);
	if (record->path[0] && !section->backing.path)
		return -ENOMEM;
	r = restore_grants(restore, section, record, tail);
	if (!r)
		r = restore_ranges(section, record, ranges);
	if (!r)
		r = restore_exports(section, record,
				    ranges + record->ranges * sizeof(struct vmsect_wire_range));
	if (!r)
		r = charge_committed(restore, section);
	section->generation = record->generation;
	return r;
}

static struct section_spec spec_of(const struct journal_section *record)
{
	return (struct section_spec){
		.name = record->name,
		.protection = record->protection,
		.permanent = record->flags & JOURNAL_SECTION_PERMANENT,
		.reserve = record->flags & JOURNAL_SECTION_RESERVE,
		.sealable = record->flags & JOURNAL_SECTION_SEALABLE,
		.exportable = record->flags & JOURNAL_SECTION_EXPORTABLE,
		.max_bytes = record->max_bytes,
		.ownership = { .uid = record->uid, .gid = record->gid, .mode = record->mode },
		.backing = {
			.kind = record->backing_kind,
			.page_shift = record->page_shift,
			.writable = record->charged_fds == 2,
			.size_bytes = record->size_bytes,
		},
	};
}

int restore_section(struct restore *restore, const struct restore_entry *entry)
{
	struct registry *registry = restore->registry;
	const unsigned char *payload = entry->payload;
	struct section *section = NULL;
	struct journal_section record;
	struct section_spec spec;
	int r;

	memcpy(&record, payload, sizeof(record));
	/* Without an inode it was never filled. */
	if (!restore_check_section(&record, entry->size) || !record.ino)
		return -EINVAL;
	spec = spec_of(&record);
	registry->last_section_id = record.key.id - 1;
	r = registry_new_section(registry, &spec, &section, &restore->refusal);
	if (r < 0)
		return r == -ENOMEM ? r : -EINVAL;
	r = fill_section(restore, section, &record, payload + sizeof(record));
	if (r < 0) {
		registry_free_section(registry, section);
		return r;
	}
	restore->result->sections++;
	return 0;
}
