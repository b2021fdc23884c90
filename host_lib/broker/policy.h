/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may do what with a section: the mode bits of its owner, its group and
 * the others, like a file's, and grants for single users, groups and VMs.
 * Read gives query, read and execute; write gives write, extend and notify.
 * The owner may also grant; root may all.
 *
 * The first that fits decides alone: a VM with an entry of its name and its
 * VMM's uid; root; the owner by mode; a uid by its entry; the owning group by
 * mode and the entries of all groups of the subject, together; the others by
 * mode.  A VM comes before root, as the entry is about its guest: that of a
 * VMM which root runs must be as easy to shut out as any other.  Pure.
 */
#ifndef BROKER_POLICY_H
#define BROKER_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <vmsect/vmsect_proto.h>
#include "broker/refusal.h"

struct party;

/* Who asks: the kernel's word at connect time. */
struct subject {
	uid_t uid;
	gid_t gid;
	pid_t pid; /* for listings alone, as pids are reused */
	size_t group_count;
	gid_t *groups; /* supplementary groups; owned */
};

/* What is asked for. */
struct ownership {
	uid_t uid;
	gid_t gid;
	uint32_t mode; /* 0..0777 */
	uint32_t grant_count;
	struct vmsect_wire_grant *grants; /* see grant.h; owned */
};

/* The rights that the party can have. */
uint32_t policy_access(const struct party *party, const struct ownership *object);

/* May the party open with this access?  -EACCES. */
int policy_check_open(const struct party *party, const struct ownership *object, uint32_t access,
		      struct refusal *refusal);

/*
 * Does the entry, or did it before it went, say what the party may do?  Not if
 * it is for someone else, or something that fits earlier decides.
 */
bool policy_concerns(const struct party *party, const struct ownership *object,
		     const struct vmsect_wire_grant *grant);

/* Are these entries for the same one? */
bool policy_same_grantee(const struct vmsect_wire_grant *a, const struct vmsect_wire_grant *b);

/* Is it the subject's group, or one of the others that it is in? */
bool policy_in_group(const struct subject *subject, gid_t gid);

/* May the subject remove the section's name? */
bool policy_may_remove(const struct subject *subject, const struct ownership *object);

/* May the party know that the section exists? */
bool policy_may_see(const struct party *party, const struct ownership *object);

/* May the subject see addresses inside the processes of `uid`? */
bool policy_may_see_address(const struct subject *subject, uid_t uid);

#endif
