/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect unexport NAME: takes the section's paths and doorbells away; programs
 * that have opened them keep what they have.
 */
#include "cli/verbs.h"

#include "base/cleanup.h"
#include "cli/open.h"

int verb_unexport(struct invocation *invocation)
{
	AUTO(target_deinit) struct target target = { 0 };
	AUTO_FREE struct vmsect_export_info *list = NULL;
	size_t count = 0, i;
	int r;

	if (target_options(invocation, 1))
		return invocation->status;
	if (target_open(&target, invocation, VMSECT_ACCESS_GRANT | VMSECT_ACCESS_QUERY) < 0)
		return CLI_FAILED;
	r = vmsect_list_exports(target.client, vmsect_section_info(target.section)->id, &list,
				&count);
	if (!r && !count) {
		cli_error("section '%s' is not exported", target.name);
		return CLI_FAILED;
	}
	for (i = 0; !r && i < count; i++)
		r = vmsect_section_unexport(target.section, list[i].as);
	return r < 0 ? target_failed(&target, "unexport", "") : CLI_OK;
}
