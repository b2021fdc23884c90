/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See rights.h. */
#include "broker/rights.h"

#include <errno.h>
#include <inttypes.h>

#define BIT(n) (1u << (n))

static bool is_executable(uint32_t protection)
{
	return protection >= PROTECTION_EXECUTE && protection <= PROTECTION_EXECUTE_WRITECOPY;
}

int rights_check_view_protection(uint32_t protection, struct refusal *refusal)
{
	if (is_executable(protection))
		return refuse(refusal, -EOPNOTSUPP, VMSECT_DETAIL_PROTECTION,
			      "executable protections are not offered");
	if (protection < PROTECTION_NOACCESS || protection > PROTECTION_WRITECOPY)
		return refuse(refusal, -EINVAL, VMSECT_DETAIL_PROTECTION, "%u is no protection",
			      protection);
	return 0;
}

int rights_check_section_protection(uint32_t protection, struct refusal *refusal)
{
	if (protection == PROTECTION_NOACCESS)
		return refuse(refusal, -EINVAL, VMSECT_DETAIL_PROTECTION,
			      "noaccess is a protection of views, not of sections");
	return rights_check_view_protection(protection, refusal);
}

int rights_check_access(uint32_t access, struct refusal *refusal)
{
	if (!access)
		return refuse(refusal, -EINVAL, VMSECT_DETAIL_ACCESS, "the access mask is empty");
	if (access & ~(uint32_t)ACCESS_ALL)
		return refuse(refusal, -EINVAL, VMSECT_DETAIL_ACCESS,
			      "access mask 0x%x has unknown bits", access);
	if (access & ACCESS_EXECUTE)
		return refuse(refusal, -EOPNOTSUPP, VMSECT_DETAIL_ACCESS,
			      "execute access is not offered");
	return 0;
}

int rights_check_open(uint32_t access, uint32_t section_protection, struct refusal *refusal)
{
	if (access & ACCESS_WRITE && section_protection != PROTECTION_READWRITE)
		return refuse(refusal, -EACCES, VMSECT_DETAIL_ACCESS,
			      "the section is read-only; write access is never given");
	return 0;
}

/* The right that a view protection needs.  Copy-on-write only reads. */
static uint32_t right_of_view(uint32_t view_protection)
{
	return view_protection == PROTECTION_READWRITE ? ACCESS_WRITE : ACCESS_READ;
}

/* The view protections that a section protection admits, as a set of bits. */
static uint32_t views_of_section(uint32_t section_protection)
{
	uint32_t readable = BIT(PROTECTION_NOACCESS) | BIT(PROTECTION_READONLY) |
			    BIT(PROTECTION_WRITECOPY);

	switch (section_protection) {
	case PROTECTION_READONLY:
	case PROTECTION_WRITECOPY:
		return readable;
	case PROTECTION_READWRITE:
		return readable | BIT(PROTECTION_READWRITE);
	default:
		return 0;
	}
}

int rights_check_view(uint32_t access, uint32_t section_protection, uint32_t view_protection,
		      struct refusal *refusal)
{
	uint32_t right = right_of_view(view_protection);

	if (!(access & right))
		return refuse(refusal, -EPERM, VMSECT_DETAIL_ACCESS, "the handle has no %s access",
			      right == ACCESS_WRITE ? "write" : "read");
	if (!(views_of_section(section_protection) & BIT(view_protection)))
		return refuse(refusal, -EACCES, VMSECT_DETAIL_PROTECTION,
			      "the section's protection forbids such a view");
	return 0;
}

int rights_check_range(uint64_t section_bytes, uint32_t page_shift, uint64_t offset,
		       uint64_t *length, struct refusal *refusal)
{
	uint64_t page = UINT64_C(1) << page_shift;
	uint64_t room;

	if (offset & (page - 1))
		return refuse(refusal, -EINVAL, VMSECT_DETAIL_ALIGNMENT,
			      "offset 0x%" PRIx64
			      " is no multiple of the section's page, 0x%" PRIx64,
			      offset, page);
	if (offset >= section_bytes)
		return refuse(refusal, -EINVAL, VMSECT_DETAIL_VIEW_SIZE,
			      "offset 0x%" PRIx64 " is not within the section's 0x%" PRIx64
			      " bytes",
			      offset, section_bytes);
	room = section_bytes - offset;
	if (*length > room)
		return refuse(refusal, -EINVAL, VMSECT_DETAIL_VIEW_SIZE,
			      "only 0x%" PRIx64 " bytes follow offset 0x%" PRIx64, room, offset);
	/* Sections are far smaller than 2^64 bytes: rounding cannot wrap. */
	*length = ((*length ? *length : room) + page - 1) & ~(page - 1);
	return 0;
}

bool rights_has_fd(uint32_t access)
{
	return access & (ACCESS_READ | ACCESS_WRITE);
}
