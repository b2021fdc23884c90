/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking back what was given: handles and views end although their clients live
 * on, because a grant changed or because they have expired.
 *
 * A handle ends at once; the client is told, and its number is remembered until
 * the client closes it.  A view is in the hands of the client: it is marked and
 * the client is told to take it away; it is there until the client says so.
 */
#ifndef BROKER_REVOKE_H
#define BROKER_REVOKE_H

#include "broker/registry.h"

struct revoke_count {
	uint32_t handles;
	uint32_t views; /* told to go */
};

/*
 * Revokes handles of the section that a changed entry no longer allows, with
 * their views and with offers that such a party made or got; not those of
 * `except`.  The section does not go with it: `except` has a handle.
 */
void revoke_by_grant(struct registry *registry, struct section *section,
		     const struct vmsect_wire_grant *grant, const struct party *except,
		     struct revoke_count *ret_count);

/*
 * Ends what has expired by now, at most `count` objects; sections may go with
 * it.  What is left stays the registry's first deadline.
 */
void revoke_expired(struct registry *registry, uint64_t now_ms, unsigned int count);

#endif
