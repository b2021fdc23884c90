/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The grants of a section: entries that say what a user, a group or a VM may do
 * with it; see policy.h.  At most VMSECT_GRANTS_MAX, charged to the section's
 * owner.  Handles that are open already are revoke.h's business.
 */
#ifndef BROKER_GRANT_H
#define BROKER_GRANT_H

#include "broker/registry.h"

/* Sets or changes the grantee's entry.  -EDQUOT, -ENOMEM. */
int grant_set(struct registry *registry, struct section *section,
	      const struct vmsect_wire_grant *grant, struct refusal *refusal);

/* Takes the grantee's entry away.  -ENOENT. */
int grant_take_back(struct registry *registry, struct section *section,
		    const struct vmsect_wire_grant *grant, struct refusal *refusal);

/* Frees all entries: the section ends. */
void grant_end_all(struct registry *registry, struct section *section);

#endif
