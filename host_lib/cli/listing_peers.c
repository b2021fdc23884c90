/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Columns of peers: VMs, processes and ivshmem clients.
 */
#include "cli/listings.h"

#include <errno.h>

#include "cli/format.h"

enum {
	COL_NAME,
	COL_KIND,
	COL_PID,
	COL_MEMORY,
	COL_CPUS,
	COL_HANDLES,
	COL_VIEWS,
	COL_DENIED,
	COL_HOLES,
	COL_UNDECODABLE,
	COL_LOST,
	COL_UID,
	COL_GID,
	COL_ID,
};

static const struct column columns[] = {
	[COL_NAME] = { "NAME", 0, COLUMN_STRING, true, "its name" },
	[COL_KIND] = { "KIND", 0, COLUMN_STRING, false,
		       "vm, process, or ivshmem: a client of doorbells" },
	[COL_PID] = { "PID", 0, COLUMN_NUMBER, true, "the process, of a VM its VMM" },
	[COL_MEMORY] = { "MEMORY", 0, COLUMN_NUMBER, true, "the VM's memory" },
	[COL_CPUS] = { "CPUS", 0, COLUMN_NUMBER, true, "the VM's virtual CPUs" },
	[COL_HANDLES] = { "HANDLES", 0, COLUMN_NUMBER, true, "open handles" },
	[COL_VIEWS] = { "VIEWS", 0, COLUMN_NUMBER, true, "mapped views" },
	[COL_DENIED] = { "DENIED", 0, COLUMN_NUMBER, true, "the VM's writes that were refused" },
	[COL_HOLES] = { "HOLES", 0, COLUMN_NUMBER, false, "its accesses where there is no view" },
	[COL_UNDECODABLE] = { "UNDECODABLE", 0, COLUMN_NUMBER, false,
			      "its stores that KVM could not emulate" },
	[COL_LOST] = { "LOST", 0, COLUMN_NUMBER, false, "its pages whose backing has gone" },
	[COL_UID] = { "UID", 0, COLUMN_NUMBER, true, "the user's number" },
	[COL_GID] = { "GID", 0, COLUMN_NUMBER, false, "the group's number" },
	[COL_ID] = { "ID", 0, COLUMN_NUMBER, true, "its number among the peers" },
};

static const char *word_of_kind(const struct vmsect_peer_info *info)
{
	if (info->is_ivshmem)
		return "ivshmem";
	return info->is_vm ? "vm" : "process";
}

/* Only VMs count. */
static int format_counter(const struct vmsect_peer_info *info, uint64_t value, char **ret_text)
{
	return info->is_vm ? format_number(value, ret_text) : 0;
}

static int cell(const void *row, size_t column, enum cell_form form, char **ret_text)
{
	const struct vmsect_peer_info *info = row;

	switch (column) {
	case COL_NAME:
		return format_text(info->name, ret_text);
	case COL_KIND:
		return format_text(word_of_kind(info), ret_text);
	case COL_PID:
		return format_signed(info->pid, ret_text);
	case COL_MEMORY:
		return info->is_vm ? format_size(info->memory_bytes, form, ret_text) : 0;
	case COL_CPUS:
		return info->is_vm ? format_number(info->cpus, ret_text) : 0;
	case COL_HANDLES:
		return format_number(info->handles, ret_text);
	case COL_VIEWS:
		return format_number(info->views, ret_text);
	case COL_DENIED:
		return format_counter(info, info->denied_writes, ret_text);
	case COL_HOLES:
		return format_counter(info, info->hole_accesses, ret_text);
	case COL_UNDECODABLE:
		return format_counter(info, info->undecodable_stores, ret_text);
	case COL_LOST:
		return format_counter(info, info->lost_pages, ret_text);
	case COL_UID:
		return format_number(info->uid, ret_text);
	case COL_GID:
		return format_number(info->gid, ret_text);
	case COL_ID:
		return format_number(info->id, ret_text);
	default:
		return -EINVAL;
	}
}

const struct listing peers_listing = {
	.name = "peers",
	.columns = columns,
	.count = sizeof(columns) / sizeof(columns[0]),
	.cell = cell,
};

const struct listing vms_listing = {
	.name = "vms",
	.columns = columns,
	.count = sizeof(columns) / sizeof(columns[0]),
	.cell = cell,
};
