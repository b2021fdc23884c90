/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See grant.h. */
#include "broker/grant.h"

#include <errno.h>
#include <stdlib.h>

static struct vmsect_wire_grant *find(const struct ownership *ownership,
				      const struct vmsect_wire_grant *grant)
{
	uint32_t i;

	for (i = 0; i < ownership->grant_count; i++) {
		if (policy_same_grantee(&ownership->grants[i], grant))
			return &ownership->grants[i];
	}
	return NULL;
}

static void changed(struct registry *registry, struct section *section)
{
	section->generation++;
	registry_changed(registry, REGISTRY_SECTION, section);
}

static int add(struct registry *registry, struct ownership *ownership,
	       const struct vmsect_wire_grant *grant, struct refusal *refusal)
{
	struct vmsect_wire_grant *grants;
	int r;

	if (ownership->grant_count == VMSECT_GRANTS_MAX)
		return refuse(refusal, -EDQUOT, VMSECT_DETAIL_LIMIT,
			      "a section has at most %u grants", VMSECT_GRANTS_MAX);
	r = account_charge(&registry->account, ownership->uid, RESOURCE_GRANTS, 1, refusal);
	if (r < 0)
		return r;
	grants = reallocarray(ownership->grants, ownership->grant_count + 1, sizeof(*grants));
	if (!grants) {
		account_refund(&registry->account, ownership->uid, RESOURCE_GRANTS, 1);
		return refuse_memory(refusal);
	}
	ownership->grants = grants;
	grants[ownership->grant_count++] = *grant;
	return 0;
}

int grant_set(struct registry *registry, struct section *section,
	      const struct vmsect_wire_grant *grant, struct refusal *refusal)
{
	struct vmsect_wire_grant *entry = find(&section->ownership, grant);
	int r;

	if (entry) {
		entry->access = grant->access;
	} else {
		r = add(registry, &section->ownership, grant, refusal);
		if (r < 0)
			return r;
	}
	changed(registry, section);
	return 0;
}

int grant_take_back(struct registry *registry, struct section *section,
		    const struct vmsect_wire_grant *grant, struct refusal *refusal)
{
	struct ownership *ownership = &section->ownership;
	struct vmsect_wire_grant *entry = find(ownership, grant);

	if (!entry)
		return refuse(refusal, -ENOENT, VMSECT_DETAIL_NONE,
			      "the section has no such grant");
	ownership->grant_count--;
	for (; entry < ownership->grants + ownership->grant_count; entry++)
		entry[0] = entry[1];
	account_refund(&registry->account, ownership->uid, RESOURCE_GRANTS, 1);
	changed(registry, section);
	return 0;
}

void grant_end_all(struct registry *registry, struct section *section)
{
	struct ownership *ownership = &section->ownership;

	account_refund(&registry->account, ownership->uid, RESOURCE_GRANTS, ownership->grant_count);
	free(ownership->grants);
	ownership->grants = NULL;
	ownership->grant_count = 0;
}
