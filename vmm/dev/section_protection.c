/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See section_protection.h. */
#include "dev/section_protection.h"

#include "vmsect_dev.h"

#define BIT(protection) (1u << (protection))
#define NA BIT(VMSECT_DEV_PROT_NOACCESS)
#define RO BIT(VMSECT_DEV_PROT_READONLY)
#define RW BIT(VMSECT_DEV_PROT_READWRITE)
#define WC BIT(VMSECT_DEV_PROT_WRITECOPY)
#define X BIT(VMSECT_DEV_PROT_EXECUTE)
#define XR BIT(VMSECT_DEV_PROT_EXECUTE_READ)
#define XRW BIT(VMSECT_DEV_PROT_EXECUTE_READWRITE)
#define XWC BIT(VMSECT_DEV_PROT_EXECUTE_WRITECOPY)

static const struct {
	uint32_t rights;
	uint32_t fits; /* as a section's: the views it allows */
	uint32_t within; /* as a view's: what its pages may become */
	enum window_mode mode;
	bool executes;
} protections[] = {
	[VMSECT_DEV_PROT_NOACCESS] = { VMSECT_DEV_ACCESS_READ, 0, NA, WINDOW_NOACCESS, false },
	[VMSECT_DEV_PROT_READONLY] = { VMSECT_DEV_ACCESS_READ, NA | RO | WC, NA | RO | WC,
				       WINDOW_READONLY, false },
	[VMSECT_DEV_PROT_READWRITE] = { VMSECT_DEV_ACCESS_WRITE, NA | RO | RW | WC,
					NA | RO | RW | WC, WINDOW_READWRITE, false },
	[VMSECT_DEV_PROT_WRITECOPY] = { VMSECT_DEV_ACCESS_READ, NA | RO | WC, NA | RO | WC,
					WINDOW_WRITECOPY, false },
	[VMSECT_DEV_PROT_EXECUTE] = { VMSECT_DEV_ACCESS_EXECUTE, NA | X, NA | X, WINDOW_READONLY,
				      true },
	[VMSECT_DEV_PROT_EXECUTE_READ] = { VMSECT_DEV_ACCESS_EXECUTE | VMSECT_DEV_ACCESS_READ,
					   NA | RO | WC | X | XR | XWC, NA | RO | WC | X | XR | XWC,
					   WINDOW_READONLY, true },
	[VMSECT_DEV_PROT_EXECUTE_READWRITE] = { VMSECT_DEV_ACCESS_EXECUTE | VMSECT_DEV_ACCESS_WRITE,
						UINT32_MAX, UINT32_MAX, WINDOW_READWRITE, true },
	[VMSECT_DEV_PROT_EXECUTE_WRITECOPY] = { VMSECT_DEV_ACCESS_EXECUTE | VMSECT_DEV_ACCESS_READ,
						NA | RO | WC | X | XR | XWC,
						NA | RO | WC | X | XR | XWC, WINDOW_WRITECOPY,
						true },
};

bool section_protection_is_legal(uint32_t protection)
{
	return protection >= VMSECT_DEV_PROT_NOACCESS &&
	       protection <= VMSECT_DEV_PROT_EXECUTE_WRITECOPY;
}

uint32_t section_protection_rights(uint32_t protection)
{
	return protections[protection].rights;
}

bool section_protection_fits(uint32_t most, uint32_t protection)
{
	return protections[most].fits & BIT(protection);
}

bool section_protection_within(uint32_t first, uint32_t protection)
{
	return protections[first].within & BIT(protection);
}

enum window_mode section_protection_mode(uint32_t protection)
{
	return protections[protection].mode;
}

bool section_protection_executes(uint32_t protection)
{
	return protections[protection].executes;
}

uint32_t section_protection_of_page(uint32_t protection, bool is_private)
{
	if (!is_private || section_protection_mode(protection) != WINDOW_WRITECOPY)
		return protection;
	return section_protection_executes(protection) ? VMSECT_DEV_PROT_EXECUTE_READWRITE
						       : VMSECT_DEV_PROT_READWRITE;
}
