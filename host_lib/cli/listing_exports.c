/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Columns of exports.
 */
#include "cli/listings.h"

#include <errno.h>

#include "cli/format.h"

enum {
	COL_SECTION,
	COL_KIND,
	COL_PATH,
	COL_OWNER,
	COL_GROUP,
	COL_MODE,
	COL_VECTORS,
	COL_ID,
	COL_SECTION_ID,
	COL_UID,
	COL_GID,
};

static const struct column columns[] = {
	[COL_SECTION] = { "SECTION", 0, COLUMN_STRING, true, "the section's name" },
	[COL_KIND] = { "KIND", 0, COLUMN_STRING, true, "path or doorbell" },
	[COL_PATH] = { "PATH", 0, COLUMN_STRING, true, "where other programs find it" },
	[COL_OWNER] = { "OWNER", 0, COLUMN_STRING, true, "the path's owner" },
	[COL_GROUP] = { "GROUP", 0, COLUMN_STRING, true, "its group" },
	[COL_MODE] = { "MODE", 0, COLUMN_STRING, true, "who may open it" },
	[COL_VECTORS] = { "VECTORS", 0, COLUMN_NUMBER, false, "interrupts of each device" },
	[COL_ID] = { "ID", 0, COLUMN_NUMBER, false, "the export's number" },
	[COL_SECTION_ID] = { "SECTION-ID", 0, COLUMN_NUMBER, false, "the section's number" },
	[COL_UID] = { "UID", 0, COLUMN_NUMBER, false, "the owner's number" },
	[COL_GID] = { "GID", 0, COLUMN_NUMBER, false, "the group's number" },
};

static int cell(const void *row, size_t column, enum cell_form form, char **ret_text)
{
	const struct vmsect_export_info *info = row;
	bool rings = info->as == VMSECT_EXPORT_AS_DOORBELL;

	(void)form;
	switch (column) {
	case COL_SECTION:
		return format_text(info->section_name, ret_text);
	case COL_KIND:
		return format_text(rings ? "doorbell" : "path", ret_text);
	case COL_PATH:
		return format_text(info->path, ret_text);
	case COL_OWNER:
		return format_user(info->uid, ret_text);
	case COL_GROUP:
		return format_group(info->gid, ret_text);
	case COL_MODE:
		return format_mode(info->mode, ret_text);
	case COL_VECTORS:
		return rings ? format_number(info->vectors, ret_text) : format_text("", ret_text);
	case COL_ID:
		return format_number(info->id, ret_text);
	case COL_SECTION_ID:
		return format_number(info->section_id, ret_text);
	case COL_UID:
		return format_number(info->uid, ret_text);
	case COL_GID:
		return format_number(info->gid, ret_text);
	default:
		return -EINVAL;
	}
}

const struct listing exports_listing = {
	.name = "exports",
	.columns = columns,
	.count = sizeof(columns) / sizeof(columns[0]),
	.cell = cell,
};
