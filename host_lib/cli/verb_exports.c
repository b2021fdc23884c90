/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect exports [NAME]: of all sections, or of one, which then must exist.
 */
#include "cli/verbs.h"

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/listings.h"

static int fetch(struct vmsect_client *client, const char *name,
		 struct vmsect_export_info **ret_list, size_t *ret_count)
{
	AUTO_FREE struct vmsect_section_info *section = NULL;
	size_t count;
	int r = name ? vmsect_list_sections(client, name, &section, &count) : 0;

	if (!r)
		r = vmsect_list_exports(client, section ? section[0].id : 0, ret_list, ret_count);
	if (r < 0)
		cli_error("cannot list exports: %s", vmsect_client_error(client));
	return r;
}

int verb_exports(struct invocation *invocation)
{
	AUTO(client_cleanup) struct vmsect_client *client = NULL;
	AUTO_FREE struct vmsect_export_info *list = NULL;
	struct rows rows = { .size = sizeof(*list) };
	struct table table;
	const char *name;
	int r;

	table_init(&table, &exports_listing);
	if (table_options(&table, invocation) || arguments_check(invocation, 0, 1))
		return invocation->status;
	name = optind < invocation->argc ? invocation->argv[optind] : NULL;
	r = cli_connect(invocation, false, &client);
	if (r == CLI_E_NO_BROKER && name)
		return cli_no_broker(name);
	if (!r)
		r = fetch(client, name, &list, &rows.count);
	rows.first = list;
	if (r < 0 || table_print(&table, &rows) < 0)
		return CLI_FAILED;
	return CLI_OK;
}
