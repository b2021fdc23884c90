/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Columns of views, and of mappings that were made without the broker: what it
 * alone knows these have not.
 */
#include "cli/listings.h"

#include <errno.h>

#include "cli/format.h"
#include "cli/views.h"

enum {
	COL_SECTION,
	COL_PEER,
	COL_KIND,
	COL_PID,
	COL_PROT,
	COL_MODE,
	COL_OFFSET,
	COL_LENGTH,
	COL_PLACE,
	COL_DENIED,
	COL_ID,
	COL_UID,
	COL_SECTION_ID,
	COL_PEER_ID,
	COL_NOW,
	COL_PRIVATE,
	COL_ROOM,
	COL_STATE,
};

static const struct column columns[] = {
	[COL_SECTION] = { "SECTION", 0, COLUMN_STRING, true, "the section's name" },
	[COL_PEER] = { "PEER", 0, COLUMN_STRING, true, "the VM or program that maps it" },
	[COL_KIND] = { "KIND", 0, COLUMN_STRING, true, "vm, process or ivshmem" },
	[COL_PID] = { "PID", 0, COLUMN_NUMBER, true, "the process, of a VM its VMM" },
	[COL_PROT] = { "PROT", 0, COLUMN_STRING, false,
		       "the view's protection; outside: as the kernel tells, as rw-s" },
	[COL_MODE] = { "MODE", 0, COLUMN_STRING, true,
		       "the same in short: ro, rw, cow, none; outside: not by the broker" },
	[COL_OFFSET] = { "OFFSET", 0, COLUMN_NUMBER, true, "where it begins in the section" },
	[COL_LENGTH] = { "LENGTH", 0, COLUMN_NUMBER, true, "its length" },
	[COL_PLACE] = { "PLACE", 0, COLUMN_NUMBER, false,
			"of a VM the offset in its window, else the address" },
	[COL_DENIED] = { "DENIED", 0, COLUMN_NUMBER, true, "writes that were refused" },
	[COL_ID] = { "ID", 0, COLUMN_NUMBER, false, "the view's number" },
	[COL_UID] = { "UID", 0, COLUMN_NUMBER, false, "the user's number" },
	[COL_SECTION_ID] = { "SECTION-ID", 0, COLUMN_NUMBER, false, "the section's number" },
	[COL_PEER_ID] = { "PEER-ID", 0, COLUMN_NUMBER, false, "the peer's number" },
	[COL_NOW] = { "NOW", 0, COLUMN_STRING, false,
		      "its protection now, if it is the same for all pages" },
	[COL_PRIVATE] = { "PRIVATE", 0, COLUMN_NUMBER, false,
			  "private pages of a VM's copy-on-write view" },
	[COL_ROOM] = { "ROOM", 0, COLUMN_NUMBER, false, "it can grow to that length" },
	[COL_STATE] = { "STATE", 0, COLUMN_STRING, false,
			"revoked: it is about to go; outside: the broker cannot enforce it" },
};

static const char *word_of_kind(const struct vmsect_view_info *info)
{
	if (info->peer_is_ivshmem)
		return "ivshmem";
	return info->peer_is_vm ? "vm" : "process";
}

/* A client from outside has mapped it where it likes. */
static const char *word_of_state(const struct vmsect_view_info *info)
{
	if (info->flags & VMSECT_VIEW_REVOKED)
		return "revoked";
	return info->peer_is_ivshmem ? "outside" : "";
}

static int cell_of_view(const struct vmsect_view_info *info, size_t column, enum cell_form form,
			char **ret_text)
{
	switch (column) {
	case COL_SECTION:
		return format_text(info->section_name, ret_text);
	case COL_PEER:
		return format_text(info->peer_name, ret_text);
	case COL_KIND:
		return format_text(word_of_kind(info), ret_text);
	case COL_PID:
		return format_signed(info->pid, ret_text);
	case COL_PROT:
		return format_text(word_of_protection(info->protection), ret_text);
	case COL_MODE:
		return format_text(word_of_mode(info->protection), ret_text);
	case COL_OFFSET:
		return format_size(info->offset, form, ret_text);
	case COL_LENGTH:
		return format_size(info->length, form, ret_text);
	case COL_PLACE:
		return format_place(info->place, form, ret_text);
	case COL_DENIED:
		return format_number(info->denied_writes, ret_text);
	case COL_ID:
		return format_number(info->id, ret_text);
	case COL_UID:
		return format_number(info->uid, ret_text);
	case COL_SECTION_ID:
		return format_number(info->section_id, ret_text);
	case COL_PEER_ID:
		return format_number(info->peer_id, ret_text);
	case COL_NOW:
		return format_text(
			info->protection_now
				? word_of_protection((enum vmsect_protection)info->protection_now)
				: "mixed",
			ret_text);
	case COL_PRIVATE:
		return format_number(info->private_pages, ret_text);
	case COL_ROOM:
		return info->room ? format_size(info->room, form, ret_text)
				  : format_text("", ret_text);
	case COL_STATE:
		return format_text(word_of_state(info), ret_text);
	default:
		return -EINVAL;
	}
}

static int cell_of_mapping(const struct view_row *row, size_t column, enum cell_form form,
			   char **ret_text)
{
	const struct outside_mapping *mapping = &row->mapping;

	switch (column) {
	case COL_SECTION:
		return format_text(row->view.section_name, ret_text);
	case COL_SECTION_ID:
		return format_number(row->view.section_id, ret_text);
	case COL_PEER:
		return format_text(mapping->name, ret_text);
	case COL_KIND:
		return format_text("process", ret_text);
	case COL_PID:
		return format_signed(mapping->pid, ret_text);
	case COL_UID:
		return format_number(mapping->uid, ret_text);
	case COL_PROT:
		return format_text(mapping->access, ret_text);
	case COL_MODE:
		return format_text("outside", ret_text);
	case COL_OFFSET:
		return format_size(mapping->offset, form, ret_text);
	case COL_LENGTH:
		return format_size(mapping->length, form, ret_text);
	case COL_PLACE:
		return format_place(mapping->start, form, ret_text);
	default:
		*ret_text = NULL;
		return 0;
	}
}

static int cell(const void *row, size_t column, enum cell_form form, char **ret_text)
{
	const struct view_row *either = row;

	return either->is_outside ? cell_of_mapping(either, column, form, ret_text)
				  : cell_of_view(&either->view, column, form, ret_text);
}

const struct listing views_listing = {
	.name = "views",
	.columns = columns,
	.count = sizeof(columns) / sizeof(columns[0]),
	.cell = cell,
};
