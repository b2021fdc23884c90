/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules of access masks, section protections and view protections.  Pure
 * functions over numbers; no state.
 *
 * A view passes these checks in this order, and the first that fails is the
 * answer: flags, protection value (EINVAL), handle (EBADF, elsewhere), rights of
 * the handle (EPERM), protection of the section (EACCES), alignment, range
 * (EINVAL).
 *
 * What EXECUTE promises is kept here and by the mappings of host processes;
 * memory slots of VMs have no execute control.
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

/* May a section have this protection?  -EINVAL. */
int rights_check_section_protection(uint32_t protection, struct refusal *refusal);

/* May a view have this protection at all?  -EINVAL. */
int rights_check_view_protection(uint32_t protection, struct refusal *refusal);

/* Is this an access mask that can be asked for?  -EINVAL. */
int rights_check_access(uint32_t access, struct refusal *refusal);

/* Is it one that a handle may be reduced to?  0 is.  -EINVAL; -EPERM: not part of `held`. */
int rights_check_part(uint32_t access, uint32_t held, struct refusal *refusal);

/* Protections, of a section or a view, that write to the section itself. */
bool rights_is_writable(uint32_t protection);

/* Protections that need memory for private pages. */
bool rights_is_writecopy(uint32_t protection);

/* The section's protection once nobody can write it any more. */
uint32_t rights_sealed(uint32_t section_protection);

/*
 * Can a handle with that access write a section of this protection?  The right
 * alone is not enough: a read-only section may be opened with WRITE, as any
 * section may be opened with any right that its owner gives, and its handle
 * then maps no writable view (EACCES) and has a read-only descriptor.
 */
bool rights_can_write(uint32_t access, uint32_t section_protection);

/*
 * May a handle with `access` on a section map a view so?  -EPERM (the handle
 * lacks the right), -EACCES (the section's protection forbids it).
 */
int rights_check_view(uint32_t access, uint32_t section_protection, uint32_t view_protection,
		      struct refusal *refusal);

/*
 * May pages of a view that was mapped with `map_protection` change to this one?
 * That alone is the bound, not what they have now.  -EINVAL (no protection),
 * -EACCES (beyond the bound).
 */
int rights_check_protect(uint32_t map_protection, uint32_t protection, struct refusal *refusal);

/*
 * The bytes of a view: `length` 0 reaches to the section's end; the result is
 * rounded up to the page.  -EINVAL (ALIGNMENT, VIEW_SIZE).
 */
int rights_check_range(uint64_t section_bytes, uint32_t page_shift, uint64_t offset,
		       uint64_t *length, struct refusal *refusal);

/* Where in its section a growable view begins, and the bytes of addresses kept for it. */
struct rights_room {
	uint64_t offset;
	uint64_t bytes;
};

/*
 * The same for a view with room to grow: it may ask for more than there is, and
 * *length becomes what there is.  -EINVAL (ALIGNMENT, VIEW_SIZE).
 */
int rights_check_growable(uint64_t section_bytes, uint32_t page_shift,
			  const struct rights_room *room, uint64_t *length,
			  struct refusal *refusal);

/*
 * A part of a view of `view_bytes`, rounded out to pages: `length` 0 reaches to
 * its end.  -EINVAL (RANGE).
 */
int rights_check_part_of_view(uint64_t view_bytes, uint32_t page_shift, uint64_t *offset,
			      uint64_t *length, struct refusal *refusal);

/* Does a handle with this access come with a descriptor? */
bool rights_has_fd(uint32_t access);

#endif
