/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See policy.h. */
#include "broker/policy.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "broker/registry.h"
#include "broker/rights.h"

/* What decides, in the order in which it is looked at. */
enum decider {
	DECIDER_VM,
	DECIDER_ROOT,
	DECIDER_OWNER,
	DECIDER_UID,
	DECIDER_GROUPS,
	DECIDER_OTHERS,
};

bool policy_in_group(const struct subject *subject, gid_t gid)
{
	size_t i;

	if (subject->gid == gid)
		return true;
	for (i = 0; i < subject->group_count; i++) {
		if (subject->groups[i] == gid)
			return true;
	}
	return false;
}

/* Is the entry for the party? */
static bool grant_fits(const struct party *party, const struct vmsect_wire_grant *grant)
{
	switch (grant->grantee) {
	case VMSECT_GRANTEE_UID:
		return party->subject.uid == grant->id;
	case VMSECT_GRANTEE_GID:
		return policy_in_group(&party->subject, grant->id);
	case VMSECT_GRANTEE_VM:
		return party->kind == VMSECT_PEER_VM && party->subject.uid == grant->id &&
		       !strncmp(party->name, grant->name, sizeof(grant->name));
	default:
		return false;
	}
}

/* What entries of that kind give the party; false if none is for it. */
static bool granted(const struct party *party, const struct ownership *object, uint32_t grantee,
		    uint32_t *access)
{
	bool fits = false;
	uint32_t i;

	for (i = 0; i < object->grant_count; i++) {
		const struct vmsect_wire_grant *grant = &object->grants[i];

		if (grant->grantee != grantee || !grant_fits(party, grant))
			continue;
		*access |= grant->access;
		fits = true;
	}
	return fits;
}

/* Three mode bits as rights. */
static uint32_t access_of_mode(uint32_t mode)
{
	uint32_t access = 0;

	if (mode & S_IROTH)
		access |= ACCESS_QUERY | ACCESS_READ | ACCESS_EXECUTE;
	if (mode & S_IWOTH)
		access |= ACCESS_WRITE | ACCESS_EXTEND | ACCESS_NOTIFY;
	return access;
}

static bool decide_groups(const struct party *party, const struct ownership *object,
			  uint32_t *access)
{
	bool fits = granted(party, object, VMSECT_GRANTEE_GID, access);

	if (!policy_in_group(&party->subject, object->gid))
		return fits;
	*access |= access_of_mode(object->mode >> 3);
	return true;
}

/* The first that fits; *ret_access is what it says. */
static enum decider decide(const struct party *party, const struct ownership *object,
			   uint32_t *ret_access)
{
	*ret_access = 0;
	if (granted(party, object, VMSECT_GRANTEE_VM, ret_access))
		return DECIDER_VM;
	if (party->subject.uid == 0) {
		*ret_access = ACCESS_ALL;
		return DECIDER_ROOT;
	}
	if (party->subject.uid == object->uid) {
		*ret_access = access_of_mode(object->mode >> 6) | ACCESS_GRANT;
		return DECIDER_OWNER;
	}
	if (granted(party, object, VMSECT_GRANTEE_UID, ret_access))
		return DECIDER_UID;
	if (decide_groups(party, object, ret_access))
		return DECIDER_GROUPS;
	*ret_access = access_of_mode(object->mode);
	return DECIDER_OTHERS;
}

uint32_t policy_access(const struct party *party, const struct ownership *object)
{
	uint32_t access;

	(void)decide(party, object, &access);
	return access;
}

static enum decider decider_of(const struct vmsect_wire_grant *grant)
{
	switch (grant->grantee) {
	case VMSECT_GRANTEE_VM:
		return DECIDER_VM;
	case VMSECT_GRANTEE_UID:
		return DECIDER_UID;
	default:
		return DECIDER_GROUPS;
	}
}

bool policy_concerns(const struct party *party, const struct ownership *object,
		     const struct vmsect_wire_grant *grant)
{
	uint32_t access;

	return grant_fits(party, grant) && decide(party, object, &access) >= decider_of(grant);
}

bool policy_same_grantee(const struct vmsect_wire_grant *a, const struct vmsect_wire_grant *b)
{
	return a->grantee == b->grantee && a->id == b->id &&
	       !strncmp(a->name, b->name, sizeof(a->name));
}

int policy_check_open(const struct party *party, const struct ownership *object, uint32_t access,
		      struct refusal *refusal)
{
	uint32_t denied = access & ~policy_access(party, object);

	if (denied)
		return refuse(refusal, -EACCES, VMSECT_DETAIL_ACCESS,
			      "mode %04o and %u grants of uid %u give uid %u no access 0x%x",
			      object->mode, object->grant_count, object->uid, party->subject.uid,
			      denied);
	return 0;
}

bool policy_may_remove(const struct subject *subject, const struct ownership *object)
{
	return subject->uid == 0 || subject->uid == object->uid;
}

bool policy_may_see(const struct party *party, const struct ownership *object)
{
	return policy_access(party, object) != 0;
}

bool policy_may_see_address(const struct subject *subject, uid_t uid)
{
	return subject->uid == 0 || subject->uid == uid;
}
