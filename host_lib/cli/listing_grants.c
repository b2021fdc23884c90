/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Columns of grants.
 */
#include "cli/listings.h"

#include <errno.h>

#include "cli/format.h"
#include "cli/grantee.h"

enum {
	COL_WHO,
	COL_ACCESS,
	COL_KIND,
	COL_ID,
	COL_VM,
};

static const struct column columns[] = {
	[COL_WHO] = { "WHO", 0, COLUMN_STRING, true, "as 'vmsect grant' takes it" },
	[COL_ACCESS] = { "ACCESS", 0, COLUMN_STRING, true, "letters of qrwxeng, or none" },
	[COL_KIND] = { "KIND", 0, COLUMN_STRING, false, "uid, gid or vm" },
	[COL_ID] = { "ID", 0, COLUMN_NUMBER, false, "the user's or group's number" },
	[COL_VM] = { "VM", 0, COLUMN_STRING, false, "the VM's name" },
};

static const char *kind_word(enum vmsect_grant_to to)
{
	switch (to) {
	case VMSECT_GRANT_UID:
		return "uid";
	case VMSECT_GRANT_GID:
		return "gid";
	case VMSECT_GRANT_VM:
		return "vm";
	}
	return "unknown";
}

static int cell(const void *row, size_t column, enum cell_form form, char **ret_text)
{
	const struct vmsect_grant *grant = row;

	(void)form;
	switch (column) {
	case COL_WHO:
		return grantee_format(grant, ret_text);
	case COL_ACCESS:
		return access_format(grant->access, ret_text);
	case COL_KIND:
		return format_text(kind_word(grant->to), ret_text);
	case COL_ID:
		return format_number(grant->id, ret_text);
	case COL_VM:
		return format_text(grant->name, ret_text);
	default:
		return -EINVAL;
	}
}

const struct listing grants_listing = {
	.name = "grants",
	.columns = columns,
	.count = sizeof(columns) / sizeof(columns[0]),
	.cell = cell,
};
