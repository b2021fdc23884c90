/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Columns of sections.
 */
#include "cli/listings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/format.h"

enum {
	COL_NAME,
	COL_SIZE,
	COL_BACKING,
	COL_PROT,
	COL_OWNER,
	COL_MODE,
	COL_HANDLES,
	COL_VIEWS,
	COL_ALLOCATED,
	COL_PATH,
	COL_ID,
	COL_GENERATION,
	COL_FLAGS,
	COL_PERMANENT,
	COL_PAGE,
	COL_UID,
	COL_GID,
	COL_MAX,
	COL_COMMITTED,
	COL_IO_ERROR,
	COL_GRANTS,
};

static const struct column columns[] = {
	[COL_NAME] = { "NAME", 0, COLUMN_STRING, true, "the section's name" },
	[COL_SIZE] = { "SIZE", 0, COLUMN_NUMBER, true, "its size" },
	[COL_BACKING] = { "BACKING", 0, COLUMN_STRING, true, "file, shmem, hugetlb or directory" },
	[COL_PROT] = { "PROT", 0, COLUMN_STRING, true, "the most that a view may do" },
	[COL_OWNER] = { "OWNER", 0, COLUMN_STRING, true, "who made it" },
	[COL_MODE] = { "MODE", 0, COLUMN_STRING, true, "who else may open it" },
	[COL_HANDLES] = { "HANDLES", 0, COLUMN_NUMBER, true, "open handles" },
	[COL_VIEWS] = { "VIEWS", 0, COLUMN_NUMBER, true, "mapped views" },
	[COL_ALLOCATED] = { "ALLOCATED", 0, COLUMN_NUMBER, false, "memory or disk in use for it" },
	[COL_PATH] = { "PATH", 0, COLUMN_STRING, true, "the data file" },
	[COL_ID] = { "ID", 0, COLUMN_NUMBER, false, "its number" },
	[COL_GENERATION] = { "GENERATION", 0, COLUMN_NUMBER, false, "how often it has changed" },
	[COL_FLAGS] = { "FLAGS", 0, COLUMN_STRING, false,
			"permanent, reserve, sealable, sealed, exportable" },
	[COL_PERMANENT] = { "PERMANENT", 0, COLUMN_BOOLEAN, false, "the same as yes or no" },
	[COL_PAGE] = { "PAGE", 0, COLUMN_NUMBER, false, "the unit of offsets and lengths" },
	[COL_UID] = { "UID", 0, COLUMN_NUMBER, false, "the owner's number" },
	[COL_GID] = { "GID", 0, COLUMN_NUMBER, false, "the group's number" },
	[COL_MAX] = { "MAX", 0, COLUMN_NUMBER, false, "'extend' reaches so far; a file has none" },
	[COL_COMMITTED] = { "COMMITTED", 0, COLUMN_NUMBER, false,
			    "memory that its owner is charged" },
	[COL_IO_ERROR] = { "IO-ERROR", 0, COLUMN_STRING, false,
			   "why the first write-back failed that did" },
	[COL_GRANTS] = { "GRANTS", 0, COLUMN_NUMBER, false, "entries of 'vmsect grants'" },
};

/* The words of the flags that are set, with commas. */
static int format_flags(uint32_t flags, char **ret_text)
{
	static const struct {
		uint32_t flag;
		const char *word;
	} words[] = {
		{ VMSECT_SECTION_PERMANENT, "permanent" },   { VMSECT_SECTION_RESERVE, "reserve" },
		{ VMSECT_SECTION_SEALABLE, "sealable" },     { VMSECT_SECTION_SEALED, "sealed" },
		{ VMSECT_SECTION_EXPORTABLE, "exportable" },
	};
	char text[64] = "";
	size_t length = 0, i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (flags & words[i].flag)
			length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s",
						   length ? "," : "", words[i].word);
	}
	return format_text(text, ret_text);
}

static int cell(const void *row, size_t column, enum cell_form form, char **ret_text)
{
	const struct vmsect_section_info *info = row;
	int permanent = (info->flags & VMSECT_SECTION_PERMANENT) != 0;

	switch (column) {
	case COL_NAME:
		return format_text(info->name, ret_text);
	case COL_SIZE:
		return format_size(info->size_bytes, form, ret_text);
	case COL_BACKING:
		return format_text(word_of_backing(info->backing), ret_text);
	case COL_PROT:
		return format_text(word_of_protection(info->protection), ret_text);
	case COL_OWNER:
		return format_user(info->uid, ret_text);
	case COL_MODE:
		return format_mode(info->mode, ret_text);
	case COL_HANDLES:
		return format_number(info->handles, ret_text);
	case COL_VIEWS:
		return format_number(info->views, ret_text);
	case COL_ALLOCATED:
		return format_size(info->allocated_bytes, form, ret_text);
	case COL_PATH:
		return format_text(info->path, ret_text);
	case COL_ID:
		return format_number(info->id, ret_text);
	case COL_GENERATION:
		return format_number(info->generation, ret_text);
	case COL_FLAGS:
		return format_flags(info->flags, ret_text);
	case COL_PERMANENT:
		return format_boolean(permanent, form, ret_text);
	case COL_PAGE:
		return format_size(UINT64_C(1) << info->page_shift, form, ret_text);
	case COL_UID:
		return format_number(info->uid, ret_text);
	case COL_GID:
		return format_number(info->gid, ret_text);
	case COL_MAX:
		return info->max_bytes ? format_size(info->max_bytes, form, ret_text)
				       : format_text("", ret_text);
	case COL_COMMITTED:
		return format_size(info->committed_bytes, form, ret_text);
	case COL_IO_ERROR:
		return format_text(info->io_error ? strerror((int)info->io_error) : "", ret_text);
	case COL_GRANTS:
		return format_number(info->grants, ret_text);
	default:
		return -EINVAL;
	}
}

const struct listing sections_listing = {
	.name = "sections",
	.columns = columns,
	.count = sizeof(columns) / sizeof(columns[0]),
	.cell = cell,
};
