/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checks of sections, views and peers as the broker shows them.  A string
 * must end within its field; numbers must be ones that the API can mean;
 * ranges must not wrap.
 */
#include "lib/wire.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/parse.h"

#define SIZE_BYTES_MAX ((uint64_t)INT64_MAX)
#define ERRNO_MAX 4095u

/* A legal name, or none. */
static bool name_is_clean(const char *name)
{
	size_t length;

	if (name_field_length(name, VMSECT_NAME_MAX + 1, &length) < 0)
		return false;
	return !length || name_is_legal(name, length);
}

static bool range_is_clean(uint64_t offset, uint64_t length)
{
	uint64_t end;

	return !__builtin_add_overflow(offset, length, &end) && end <= SIZE_BYTES_MAX;
}

static bool protection_is_clean(uint32_t protection)
{
	return protection >= VMSECT_PROT_NOACCESS && protection <= VMSECT_PROT_EXECUTE_WRITECOPY;
}

static bool page_shift_is_clean(uint32_t shift)
{
	return shift == 12 || shift == 21 || shift == 30;
}

static bool section_is_clean(const struct vmsect_wire_section *wire)
{
	return wire->id && wire->size_bytes <= SIZE_BYTES_MAX &&
	       wire->max_bytes <= SIZE_BYTES_MAX && wire->io_error <= ERRNO_MAX &&
	       wire->backing >= VMSECT_BACKING_FILE && wire->backing <= VMSECT_BACKING_DIRECTORY &&
	       protection_is_clean(wire->protection) && page_shift_is_clean(wire->page_shift) &&
	       wire->mode <= 0777 && name_is_clean(wire->name) &&
	       strnlen(wire->path, sizeof(wire->path)) < sizeof(wire->path);
}

int wire_to_section(const struct vmsect_wire_section *wire, struct vmsect_section_info *ret_info)
{
	struct vmsect_section_info info = {
		.id = wire->id,
		.generation = wire->generation,
		.size_bytes = wire->size_bytes,
		.allocated_bytes = wire->allocated_bytes,
		.max_bytes = wire->max_bytes,
		.committed_bytes = wire->committed_bytes,
		.io_error = wire->io_error,
		.grants = wire->grants,
		.flags = wire->flags,
		.page_shift = wire->page_shift,
		.uid = wire->uid,
		.gid = wire->gid,
		.mode = wire->mode,
		.handles = wire->handles,
		.views = wire->views,
	};

	_Static_assert(sizeof(info.name) == sizeof(wire->name), "name");
	_Static_assert(sizeof(info.path) == sizeof(wire->path), "path");
	if (!section_is_clean(wire))
		return -EPROTO;
	info.backing = (enum vmsect_backing)wire->backing;
	info.protection = (enum vmsect_protection)wire->protection;
	memcpy(info.name, wire->name, sizeof(info.name));
	memcpy(info.path, wire->path, sizeof(info.path));
	*ret_info = info;
	return 0;
}

static bool peer_kind_is_clean(uint32_t kind)
{
	return kind >= VMSECT_PEER_PROCESS && kind <= VMSECT_PEER_IVSHMEM;
}

static bool view_is_clean(const struct vmsect_wire_view *wire)
{
	return wire->id && wire->section && range_is_clean(wire->offset, wire->length) &&
	       range_is_clean(wire->offset, wire->room) && protection_is_clean(wire->protection) &&
	       (!wire->protection_now || protection_is_clean(wire->protection_now)) &&
	       peer_kind_is_clean(wire->peer_kind) && name_is_clean(wire->section_name) &&
	       name_is_clean(wire->peer_name);
}

int wire_to_view(const struct vmsect_wire_view *wire, struct vmsect_view_info *ret_info)
{
	struct vmsect_view_info info = {
		.id = wire->id,
		.section_id = wire->section,
		.offset = wire->offset,
		.length = wire->length,
		.place = wire->place,
		.denied_writes = wire->denied_writes,
		.room = wire->room,
		.private_pages = wire->private_pages,
		.protection_now = wire->protection_now,
		.flags = wire->flags,
		.peer_id = wire->peer,
		.access = wire->access,
		.peer_is_vm = wire->peer_kind == VMSECT_PEER_VM,
		.peer_is_ivshmem = wire->peer_kind == VMSECT_PEER_IVSHMEM,
		.pid = wire->pid,
		.uid = wire->uid,
	};

	if (!view_is_clean(wire))
		return -EPROTO;
	info.protection = (enum vmsect_protection)wire->protection;
	memcpy(info.section_name, wire->section_name, sizeof(info.section_name));
	memcpy(info.peer_name, wire->peer_name, sizeof(info.peer_name));
	*ret_info = info;
	return 0;
}

int wire_to_peer(const struct vmsect_wire_peer *wire, struct vmsect_peer_info *ret_info)
{
	struct vmsect_peer_info info = {
		.memory_bytes = wire->memory_bytes,
		.denied_writes = wire->denied_writes,
		.hole_accesses = wire->hole_accesses,
		.undecodable_stores = wire->undecodable_stores,
		.lost_pages = wire->lost_pages,
		.is_vm = wire->kind == VMSECT_PEER_VM,
		.is_ivshmem = wire->kind == VMSECT_PEER_IVSHMEM,
		.cpus = wire->cpus,
		.pid = wire->pid,
		.uid = wire->uid,
		.gid = wire->gid,
		.handles = wire->handles,
		.views = wire->views,
	};

	if (!wire->id || wire->id > UINT32_MAX || !peer_kind_is_clean(wire->kind) ||
	    !name_is_clean(wire->name))
		return -EPROTO;
	info.id = (uint32_t)wire->id;
	memcpy(info.name, wire->name, sizeof(info.name));
	*ret_info = info;
	return 0;
}

static bool export_is_clean(const struct vmsect_wire_export *wire)
{
	bool is_path = wire->kind == VMSECT_EXPORT_PATH;

	return wire->id && wire->section && (is_path || wire->kind == VMSECT_EXPORT_DOORBELL) &&
	       is_path == !wire->vectors && wire->mode <= 0777 &&
	       name_is_clean(wire->section_name) && wire->path[0] == '/' &&
	       strnlen(wire->path, sizeof(wire->path)) < sizeof(wire->path);
}

int wire_to_export(const struct vmsect_wire_export *wire, struct vmsect_export_info *ret_info)
{
	struct vmsect_export_info info = {
		.id = wire->id,
		.section_id = wire->section,
		.mode = wire->mode,
		.uid = wire->uid,
		.gid = wire->gid,
		.vectors = wire->vectors,
	};

	_Static_assert(sizeof(info.path) == sizeof(wire->path), "path");
	if (!export_is_clean(wire))
		return -EPROTO;
	info.as = (enum vmsect_export_as)wire->kind;
	memcpy(info.section_name, wire->section_name, sizeof(info.section_name));
	memcpy(info.path, wire->path, sizeof(info.path));
	*ret_info = info;
	return 0;
}

int wire_to_grant(const struct vmsect_wire_grant *wire, struct vmsect_grant *ret_grant)
{
	struct vmsect_grant grant = { .id = wire->id, .access = wire->access };
	bool is_vm = wire->grantee == VMSECT_GRANTEE_VM;
	size_t length;

	_Static_assert(sizeof(grant.name) == sizeof(wire->name), "name");
	if (wire->grantee < VMSECT_GRANTEE_UID || wire->grantee > VMSECT_GRANTEE_VM ||
	    wire->access & ~VMSECT_ACCESS_ALL || !name_is_clean(wire->name) ||
	    name_field_length(wire->name, sizeof(wire->name), &length) < 0 || !length == is_vm)
		return -EPROTO;
	grant.to = (enum vmsect_grant_to)wire->grantee;
	memcpy(grant.name, wire->name, sizeof(grant.name));
	*ret_grant = grant;
	return 0;
}
