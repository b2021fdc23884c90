/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See wire.h.  Each struct is cleared first: nothing of the broker's memory leaks. */
#include "broker/wire.h"

#include <string.h>

/* vmsect.h and the wire agree on these bits. */
#define SECTION_PERMANENT 0x1u
#define SECTION_RESERVE 0x2u
#define SECTION_SEALABLE 0x4u
#define SECTION_SEALED 0x8u
#define SECTION_EXPORTABLE 0x10u

static void copy_text(char *field, size_t room, const char *text)
{
	if (text)
		memcpy(field, text, strnlen(text, room - 1));
}

static uint32_t flags_of(const struct section *section)
{
	return (section->permanent ? SECTION_PERMANENT : 0) |
	       (section->reserve ? SECTION_RESERVE : 0) |
	       (section->sealable ? SECTION_SEALABLE : 0) | (section->sealed ? SECTION_SEALED : 0) |
	       (section->exportable ? SECTION_EXPORTABLE : 0);
}

void wire_section(const struct section *section, struct vmsect_wire_section *ret_wire)
{
	memset(ret_wire, 0, sizeof(*ret_wire));
	ret_wire->id = section->id;
	ret_wire->generation = section->generation;
	ret_wire->size_bytes = section->backing.size_bytes;
	ret_wire->allocated_bytes = backing_allocated(&section->backing);
	ret_wire->backing = section->backing_kind;
	ret_wire->protection = section->protection;
	ret_wire->flags = flags_of(section);
	ret_wire->max_bytes = section->max_bytes;
	ret_wire->committed_bytes = section->backing_kind == BACKING_FILE
					    ? section->backing.size_bytes
					    : section->charged_bytes;
	ret_wire->io_error = section->io_error;
	ret_wire->page_shift = section->page_shift;
	ret_wire->uid = section->ownership.uid;
	ret_wire->gid = section->ownership.gid;
	ret_wire->mode = section->ownership.mode;
	ret_wire->handles = section->handle_count;
	ret_wire->views = section->view_count;
	ret_wire->grants = section->ownership.grant_count;
	copy_text(ret_wire->name, sizeof(ret_wire->name), section->name);
	copy_text(ret_wire->path, sizeof(ret_wire->path), section->backing.path);
}

void wire_view(const struct view *view, const struct subject *reader,
	       struct vmsect_wire_view *ret_wire)
{
	const struct party *party = view->attachment->party;
	bool place_is_offset = party->kind == VMSECT_PEER_VM;

	memset(ret_wire, 0, sizeof(*ret_wire));
	ret_wire->id = view->id;
	ret_wire->section = view->attachment->section_id;
	ret_wire->offset = view->offset;
	ret_wire->length = view->length;
	if (place_is_offset || policy_may_see_address(reader, party->subject.uid))
		ret_wire->place = view->place;
	ret_wire->denied_writes = view->denied_writes;
	ret_wire->peer = party->id;
	ret_wire->protection = view->protection;
	ret_wire->room = view->room;
	ret_wire->private_pages = view->private_pages;
	ret_wire->protection_now = view->protection_now;
	ret_wire->flags = view->flags;
	ret_wire->access = view->access;
	ret_wire->peer_kind = party->kind;
	ret_wire->pid = party->subject.pid;
	ret_wire->uid = party->subject.uid;
	copy_text(ret_wire->section_name, sizeof(ret_wire->section_name),
		  view->attachment->section->name);
	copy_text(ret_wire->peer_name, sizeof(ret_wire->peer_name), party->name);
}

void wire_export(const struct section *section, const struct export *export,
		 struct vmsect_wire_export *ret_wire)
{
	memset(ret_wire, 0, sizeof(*ret_wire));
	ret_wire->id = WIRE_EXPORT_ID(section->id, export->kind);
	ret_wire->section = section->id;
	ret_wire->kind = export->kind;
	ret_wire->mode = export->mode;
	ret_wire->uid = export->uid;
	ret_wire->gid = export->gid;
	ret_wire->vectors = export->vectors;
	copy_text(ret_wire->section_name, sizeof(ret_wire->section_name), section->name);
	copy_text(ret_wire->path, sizeof(ret_wire->path), export->path);
}

void wire_peer(const struct party *party, struct vmsect_wire_peer *ret_wire)
{
	memset(ret_wire, 0, sizeof(*ret_wire));
	ret_wire->id = party->id;
	ret_wire->memory_bytes = party->memory_bytes;
	ret_wire->denied_writes = party->counters.denied_writes;
	ret_wire->hole_accesses = party->counters.hole_accesses;
	ret_wire->undecodable_stores = party->counters.undecodable_stores;
	ret_wire->lost_pages = party->counters.lost_pages;
	ret_wire->kind = party->kind;
	ret_wire->cpus = party->cpus;
	ret_wire->pid = party->subject.pid;
	ret_wire->uid = party->subject.uid;
	ret_wire->gid = party->subject.gid;
	ret_wire->handles = party->handle_count;
	ret_wire->views = party->view_count;
	copy_text(ret_wire->name, sizeof(ret_wire->name), party->name);
}
