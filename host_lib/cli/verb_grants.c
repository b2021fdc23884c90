/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect grants NAME: the entries that 'vmsect grant' and 'vmsect revoke' have made.
 */
#include "cli/verbs.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "cli/listings.h"
#include "cli/open.h"

int verb_grants(struct invocation *invocation)
{
	AUTO(target_deinit) struct target target = { 0 };
	struct vmsect_grant *list = NULL;
	struct table table;
	struct rows rows = { .size = sizeof(*list) };
	int r;

	table_init(&table, &grants_listing);
	if (table_options(&table, invocation) || arguments_check(invocation, 1, 1))
		return invocation->status;
	if (target_open(&target, invocation, VMSECT_ACCESS_QUERY) < 0)
		return CLI_FAILED;
	r = vmsect_section_grants(target.section, &list, &rows.count);
	if (r < 0)
		return target_failed(&target, "list the grants of", "");
	rows.first = list;
	r = table_print(&table, &rows);
	free(list);
	return r < 0 ? CLI_FAILED : CLI_OK;
}
