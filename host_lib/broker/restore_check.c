/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See restore_check.h. */
#include "broker/restore_check.h"

#include <string.h>

#include "base/parse.h"
#include "broker/backing.h"
#include "broker/commit_map.h"
#include "broker/registry.h"
#include "broker/rights.h"

#define ERRNO_MAX 4095u
#define GROUPS_MAX 65536u /* NGROUPS_MAX */
#define GIB_SHIFT 30u /* the largest page */
#define ROOM_MAX (UINT64_C(1) << 47) /* of addresses */
#define SECTION_FLAGS                                                                              \
	(JOURNAL_SECTION_PERMANENT | JOURNAL_SECTION_RESERVE | JOURNAL_SECTION_SEALABLE |          \
	 JOURNAL_SECTION_SEALED | JOURNAL_SECTION_EXPORTABLE)
#define VECTORS_MAX 64u
#define VIEW_FLAGS 0x7u /* VMSECT_VIEW_GROWABLE, _NO_CHANGE, _REVOKED */

/* A text that ends, and is padded; empty is fine. */
static bool is_name(const char *name, bool may_be_anything)
{
	size_t length;

	if (name_field_length(name, VMSECT_NAME_MAX + 1, &length) < 0)
		return false;
	return !length || may_be_anything || name_is_legal(name, length);
}

static bool is_printable(const char *name)
{
	for (; *name; name++) {
		if (*name < ' ' || *name > '~')
			return false;
	}
	return true;
}

bool restore_check_party(const struct journal_party *record, size_t size)
{
	bool is_vm = record->kind == VMSECT_PEER_VM;

	return size == sizeof(*record) +
			       JOURNAL_NUMBERS_BYTES((size_t)record->revoked + record->groups) &&
	       record->groups <= GROUPS_MAX && record->key.id &&
	       record->key.id <= VMSECT_PEER_MAX && !record->key.party &&
	       (is_vm || record->kind == VMSECT_PEER_PROCESS) && is_name(record->name, !is_vm) &&
	       is_printable(record->name);
}

static bool is_page(uint32_t shift)
{
	return shift == BACKING_PAGE_SHIFT || shift == BACKING_HUGE_SHIFT || shift == GIB_SHIFT;
}

static bool is_protection(uint32_t protection)
{
	return protection >= PROTECTION_NOACCESS && protection <= PROTECTION_EXECUTE_WRITECOPY;
}

static bool is_access(uint32_t access)
{
	return !(access & ~(uint32_t)ACCESS_ALL); /* a copy of a handle may have none */
}

/* Its tail has just the size that the numbers say. */
static bool is_tail(const struct journal_section *record, size_t size)
{
	size_t tail = size - sizeof(*record);

	return record->grants <= VMSECT_GRANTS_MAX && record->ranges <= COMMIT_RANGES_MAX &&
	       record->exports <= EXPORT_KINDS &&
	       tail == record->grants * sizeof(struct vmsect_wire_grant) +
			       record->ranges * sizeof(struct vmsect_wire_range) +
			       record->exports * sizeof(struct journal_export);
}

static bool are_sizes(const struct journal_section *record)
{
	return record->size_bytes && record->size_bytes <= BACKING_BYTES_MAX &&
	       record->max_bytes <= BACKING_BYTES_MAX &&
	       (!record->max_bytes || record->max_bytes >= record->size_bytes);
}

bool restore_check_section(const struct journal_section *record, size_t size)
{
	return record->key.id && !record->key.party && is_tail(record, size) && are_sizes(record) &&
	       is_page(record->page_shift) && record->backing_kind >= BACKING_FILE &&
	       record->backing_kind <= BACKING_DIRECTORY && is_protection(record->protection) &&
	       record->io_error <= ERRNO_MAX && !(record->flags & ~SECTION_FLAGS) &&
	       record->mode <= 0777u && is_name(record->name, false) &&
	       !record->path[VMSECT_PATH_MAX];
}

bool restore_check_grant(const struct vmsect_wire_grant *grant)
{
	bool is_vm = grant->grantee == VMSECT_GRANTEE_VM;

	return grant->grantee >= VMSECT_GRANTEE_UID && grant->grantee <= VMSECT_GRANTEE_VM &&
	       !(grant->access & ~(uint32_t)ACCESS_ALL) && is_name(grant->name, false) &&
	       is_vm == (grant->name[0] != '\0');
}

bool restore_check_range(const struct journal_section *record,
			 const struct vmsect_wire_range *range)
{
	uint64_t page = UINT64_C(1) << record->page_shift;
	uint64_t bytes = record->size_bytes + page - 1;

	return range->length && !((range->offset | range->length) & (page - 1)) &&
	       range->offset <= bytes && range->length <= bytes - range->offset;
}

bool restore_check_export(const struct journal_section *section,
			  const struct journal_export *record)
{
	bool is_path = record->kind == VMSECT_EXPORT_PATH;
	bool is_file = section->backing_kind == BACKING_FILE;

	if (is_path && !is_file && !(section->flags & JOURNAL_SECTION_EXPORTABLE))
		return false;
	return (is_path || record->kind == VMSECT_EXPORT_DOORBELL) && section->name[0] &&
	       record->path[0] == '/' && !record->path[VMSECT_PATH_MAX] && record->mode <= 0777u &&
	       is_path == !record->vectors && record->vectors <= VECTORS_MAX &&
	       record->is_parked <= (is_path && !is_file);
}

bool restore_check_handle(const struct journal_handle *record)
{
	return record->key.id && record->key.id <= UINT32_MAX && record->key.party &&
	       is_access(record->access);
}

bool restore_check_view(const struct journal_view *record)
{
	uint64_t end;

	return record->key.id && !record->key.party && record->length &&
	       !__builtin_add_overflow(record->offset, record->length, &end) &&
	       end <= 2 * BACKING_BYTES_MAX && record->room <= ROOM_MAX &&
	       record->charged_private <= 2 * BACKING_BYTES_MAX &&
	       is_protection(record->protection) && is_access(record->access) &&
	       (!record->protection_now || is_protection(record->protection_now)) &&
	       !(record->flags & ~VIEW_FLAGS);
}

bool restore_check_offer(const struct journal_offer *record)
{
	return record->key.id && !record->key.party && record->from && record->to &&
	       is_access(record->access);
}
