/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules of access masks, section protections and view protections.  Pure
 * functions over numbers; no state.
 *
 * A view passes these checks in this order, and the first that fails is the
 * answer: protection value (EINVAL, EOPNOTSUPP), handle (EBADF, elsewhere),
 * rights of the handle (EPERM), protection of the section (EACCES), alignment,
 * range (EINVAL).
 *
 * Executable protections and the EXECUTE right are legal values that this
 * broker does not offer: memory slots have no execute control, so it could not
 * keep the promise.  They get EOPNOTSUPP.
 */
#ifndef BROKER_RIGHTS_H
#define BROKER_RIGHTS_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/refusal.h"

/* Values of the wire; vmsect.h has the same for programs. */
enum access_right {
	ACCESS_QUERY = 0x01,
	ACCESS_READ = 0x02,
	ACCESS_WRITE = 0x04,
	ACCESS_EXECUTE = 0x08,
	ACCESS_EXTEND = 0x10,
	ACCESS_NOTIFY = 0x20,
	ACCESS_GRANT = 0x40,
	ACCESS_ALL = 0x7f,
};

enum protection {
	PROTECTION_NOACCESS = 1,
	PROTECTION_READONLY = 2,
	PROTECTION_READWRITE = 3,
	PROTECTION_WRITECOPY = 4,
	PROTECTION_EXECUTE = 5,
	PROTECTION_EXECUTE_READ = 6,
	PROTECTION_EXECUTE_READWRITE = 7,
	PROTECTION_EXECUTE_WRITECOPY = 8,
};

/* May a section have this protection?  -EINVAL, -EOPNOTSUPP. */
int rights_check_section_protection(uint32_t protection, struct refusal *refusal);

/* May a view have this protection at all?  -EINVAL, -EOPNOTSUPP. */
int rights_check_view_protection(uint32_t protection, struct refusal *refusal);

/* Is this an access mask that can be asked for?  -EINVAL, -EOPNOTSUPP. */
int rights_check_access(uint32_t access, struct refusal *refusal);

/* Can a section of this protection ever grant the access?  -EACCES. */
int rights_check_open(uint32_t access, uint32_t section_protection, struct refusal *refusal);

/*
 * May a handle with `access` on a section map a view so?  -EPERM (the handle
 * lacks the right), -EACCES (the section's protection forbids it).
 */
int rights_check_view(uint32_t access, uint32_t section_protection, uint32_t view_protection,
		      struct refusal *refusal);

/*
 * The bytes of a view: `length` 0 reaches to the section's end; the result is
 * rounded up to the page.  -EINVAL (ALIGNMENT, VIEW_SIZE).
 */
int rights_check_range(uint64_t section_bytes, uint32_t page_shift, uint64_t offset,
		       uint64_t *length, struct refusal *refusal);

/* Does a handle with this access come with a descriptor? */
bool rights_has_fd(uint32_t access);

#endif
