/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect ls: where there is no broker there is no section, and the list is
 * empty.
 */
#include "cli/verbs.h"

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/listings.h"

static int fetch(struct vmsect_client *client, struct vmsect_section_info **ret_list,
		 struct rows *rows)
{
	int r = vmsect_list_sections(client, NULL, ret_list, &rows->count);

	if (r < 0)
		cli_error("cannot list sections: %s", vmsect_client_error(client));
	else
		rows->first = *ret_list;
	return r;
}

int verb_ls(struct invocation *invocation)
{
	AUTO(client_cleanup) struct vmsect_client *client = NULL;
	AUTO_FREE struct vmsect_section_info *list = NULL;
	struct rows rows = { .size = sizeof(*list) };
	struct table table;
	int r;

	table_init(&table, &sections_listing);
	if (table_options(&table, invocation) || arguments_check(invocation, 0, 0))
		return invocation->status;
	r = cli_connect(invocation, false, &client);
	if (!r)
		r = fetch(client, &list, &rows);
	if (r < 0 || table_print(&table, &rows) < 0)
		return CLI_FAILED;
	return CLI_OK;
}
