/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See policy.h. */
#include "broker/policy.h"

#include <errno.h>
#include <sys/stat.h>

#include "broker/rights.h"

static bool in_group(const struct subject *subject, gid_t gid)
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

/* The three mode bits that count for the subject: the first class that fits. */
static uint32_t mode_of(const struct subject *subject, const struct ownership *object)
{
	if (subject->uid == object->uid)
		return object->mode >> 6;
	if (in_group(subject, object->gid))
		return object->mode >> 3;
	return object->mode;
}

uint32_t policy_access(const struct subject *subject, const struct ownership *object)
{
	uint32_t mode = mode_of(subject, object);
	uint32_t access = 0;

	if (subject->uid == 0)
		return ACCESS_ALL;
	if (mode & S_IROTH)
		access |= ACCESS_QUERY | ACCESS_READ | ACCESS_EXECUTE;
	if (mode & S_IWOTH)
		access |= ACCESS_WRITE | ACCESS_EXTEND | ACCESS_NOTIFY;
	if (subject->uid == object->uid)
		access |= ACCESS_GRANT;
	return access;
}

int policy_check_open(const struct subject *subject, const struct ownership *object,
		      uint32_t access, struct refusal *refusal)
{
	uint32_t denied = access & ~policy_access(subject, object);

	if (denied)
		return refuse(refusal, -EACCES, VMSECT_DETAIL_ACCESS,
			      "mode %04o of uid %u gives uid %u no access 0x%x", object->mode,
			      object->uid, subject->uid, denied);
	return 0;
}

bool policy_may_remove(const struct subject *subject, const struct ownership *object)
{
	return subject->uid == 0 || subject->uid == object->uid;
}

bool policy_may_see(const struct subject *subject, const struct ownership *object)
{
	return policy_access(subject, object) != 0;
}

bool policy_may_see_address(const struct subject *subject, uid_t uid)
{
	return subject->uid == 0 || subject->uid == uid;
}
