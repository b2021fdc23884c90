/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See rights.h. */
#include "broker/rights.h"

#include <errno.h>
#include <inttypes.h>

#include "broker/backing.h"

#define BIT(n) (1u << (n))

/* Sets of view protections. */
#define VIEWS_NOACCESS BIT(PROTECTION_NOACCESS)
#define VIEWS_READ (VIEWS_NOACCESS | BIT(PROTECTION_READONLY) | BIT(PROTECTION_WRITECOPY))
#define VIEWS_WRITE (VIEWS_READ | BIT(PROTECTION_READWRITE))
#define VIEWS_EXECUTE (VIEWS_NOACCESS | BIT(PROTECTION_EXECUTE))
#define VIEWS_EXECUTE_READ                                                                         \
	(VIEWS_READ | VIEWS_EXECUTE | BIT(PROTECTION_EXECUTE_READ) |                               \
	 BIT(PROTECTION_EXECUTE_WRITECOPY))
#define VIEWS_ALL (VIEWS_EXECUTE_READ | VIEWS_WRITE | BIT(PROTECTION_EXECUTE_READWRITE))

/*
 * Row by row what a protection, of a section or of a view as it was mapped,
 * admits; and the rights that a view of that protection needs.
 */
static const struct {
	uint32_t views;
	uint32_t rights;
} rows[] = {
	[PROTECTION_NOACCESS] = { VIEWS_NOACCESS, ACCESS_READ },
	[PROTECTION_READONLY] = { VIEWS_READ, ACCESS_READ },
	[PROTECTION_READWRITE] = { VIEWS_WRITE, ACCESS_WRITE },
	[PROTECTION_WRITECOPY] = { VIEWS_READ, ACCESS_READ },
	[PROTECTION_EXECUTE] = { VIEWS_EXECUTE, ACCESS_EXECUTE },
	[PROTECTION_EXECUTE_READ] = { VIEWS_EXECUTE_READ, ACCESS_EXECUTE | ACCESS_READ },
	[PROTECTION_EXECUTE_READWRITE] = { VIEWS_ALL, ACCESS_EXECUTE | ACCESS_WRITE },
	[PROTECTION_EXECUTE_WRITECOPY] = { VIEWS_EXECUTE_READ, ACCESS_EXECUTE | ACCESS_READ },
};

static bool is_protection(uint32_t protection)
{
	return protection >= PROTECTION_NOACCESS && protection <= PROTECTION_EXECUTE_WRITECOPY;
}

int rights_check_view_protection(uint32_t protection, struct refusal *refusal)
{
	if (!is_protection(protection))
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

static int check_bits(uint32_t access, struct refusal *refusal)
{
	if (access & ~(uint32_t)ACCESS_ALL)
		return refuse(refusal, -EINVAL, VMSECT_DETAIL_ACCESS,
			      "access mask 0x%x has unknown bits", access);
	return 0;
}

int rights_check_access(uint32_t access, struct refusal *refusal)
{
	if (!access)
		return refuse(refusal, -EINVAL, VMSECT_DETAIL_ACCESS, "the access mask is empty");
	return check_bits(access, refusal);
}

int rights_check_part(uint32_t access, uint32_t held, struct refusal *refusal)
{
	int r = check_bits(access, refusal);

	if (r < 0)
		return r;
	if (access & ~held)
		return refuse(refusal, -EPERM, VMSECT_DETAIL_ACCESS,
			      "the handle has access 0x%x, not 0x%x", held, access);
	return 0;
}

bool rights_is_writable(uint32_t protection)
{
	return protection == PROTECTION_READWRITE || protection == PROTECTION_EXECUTE_READWRITE;
}

bool rights_is_writecopy(uint32_t protection)
{
	return protection == PROTECTION_WRITECOPY || protection == PROTECTION_EXECUTE_WRITECOPY;
}

uint32_t rights_sealed(uint32_t section_protection)
{
	switch (section_protection) {
	case PROTECTION_READWRITE:
		return PROTECTION_READONLY;
	case PROTECTION_EXECUTE_READWRITE:
		return PROTECTION_EXECUTE_READ;
	default:
		return section_protection;
	}
}

bool rights_can_write(uint32_t access, uint32_t section_protection)
{
	return access & ACCESS_WRITE && rights_is_writable(section_protection);
}

/* The rights of a set in words, for a refusal. */
static const char *name_of(uint32_t rights)
{
	if (rights & ACCESS_EXECUTE)
		return "execute";
	return rights & ACCESS_WRITE ? "write" : "read";
}

int rights_check_view(uint32_t access, uint32_t section_protection, uint32_t view_protection,
		      struct refusal *refusal)
{
	uint32_t lacks = rows[view_protection].rights & ~access;

	if (lacks)
		return refuse(refusal, -EPERM, VMSECT_DETAIL_ACCESS, "the handle has no %s access",
			      name_of(lacks));
	if (!(rows[section_protection].views & BIT(view_protection)))
		return refuse(refusal, -EACCES, VMSECT_DETAIL_PROTECTION,
			      "the section's protection forbids such a view");
	return 0;
}

int rights_check_protect(uint32_t map_protection, uint32_t protection, struct refusal *refusal)
{
	int r = rights_check_view_protection(protection, refusal);

	if (r < 0)
		return r;
	if (!(rows[map_protection].views & BIT(protection)))
		return refuse(refusal, -EACCES, VMSECT_DETAIL_PROTECTION,
			      "the view was mapped with protection %u, which does not allow %u",
			      map_protection, protection);
	return 0;
}

/* The offset of a view; its section has pages of `page` bytes. */
static int check_offset(uint64_t section_bytes, uint64_t page, uint64_t offset,
			struct refusal *refusal)
{
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
	return 0;
}

int rights_check_range(uint64_t section_bytes, uint32_t page_shift, uint64_t offset,
		       uint64_t *length, struct refusal *refusal)
{
	uint64_t page = UINT64_C(1) << page_shift;
	uint64_t rest;
	int r;

	r = check_offset(section_bytes, page, offset, refusal);
	if (r < 0)
		return r;
	rest = section_bytes - offset;
	if (*length > rest)
		return refuse(refusal, -EINVAL, VMSECT_DETAIL_VIEW_SIZE,
			      "only 0x%" PRIx64 " bytes follow offset 0x%" PRIx64, rest, offset);
	/* Sections are far smaller than 2^64 bytes: rounding cannot wrap. */
	*length = ((*length ? *length : rest) + page - 1) & ~(page - 1);
	return 0;
}

int rights_check_growable(uint64_t section_bytes, uint32_t page_shift,
			  const struct rights_room *room, uint64_t *length, struct refusal *refusal)
{
	uint64_t page = UINT64_C(1) << page_shift;
	uint64_t wanted = *length;
	int r;

	if (room->bytes & (page - 1))
		return refuse(refusal, -EINVAL, VMSECT_DETAIL_ALIGNMENT,
			      "room 0x%" PRIx64 " is no multiple of the section's page, 0x%" PRIx64,
			      room->bytes, page);
	r = check_offset(section_bytes, page, room->offset, refusal);
	if (r < 0)
		return r;
	if (!wanted || wanted > section_bytes - room->offset)
		wanted = section_bytes - room->offset;
	wanted = (wanted + page - 1) & ~(page - 1);
	if (room->bytes < wanted || room->bytes < *length || room->bytes > BACKING_BYTES_MAX)
		return refuse(refusal, -EINVAL, VMSECT_DETAIL_VIEW_SIZE,
			      "a view of 0x%" PRIx64 " bytes has no room of 0x%" PRIx64, wanted,
			      room->bytes);
	*length = wanted;
	return 0;
}

int rights_check_part_of_view(uint64_t view_bytes, uint32_t page_shift, uint64_t *offset,
			      uint64_t *length, struct refusal *refusal)
{
	uint64_t page = UINT64_C(1) << page_shift;
	uint64_t end;

	if (*offset >= view_bytes || *length > view_bytes - *offset)
		return refuse(refusal, -EINVAL, VMSECT_DETAIL_RANGE,
			      "0x%" PRIx64 " bytes at 0x%" PRIx64
			      " are not within the view's 0x%" PRIx64,
			      *length, *offset, view_bytes);
	/* The view's length is whole pages: rounding stays within it. */
	end = *length ? (*offset + *length + page - 1) & ~(page - 1) : view_bytes;
	*offset &= ~(page - 1);
	*length = end - *offset;
	return 0;
}

bool rights_has_fd(uint32_t access)
{
	return access & (ACCESS_READ | ACCESS_WRITE | ACCESS_EXECUTE);
}
