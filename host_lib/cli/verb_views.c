/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect views [NAME]: of all sections, or of one, which then must exist.
 */
#include "cli/verbs.h"

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/listings.h"
#include "cli/views.h"

static int fetch(struct view_rows *rows, struct vmsect_client *client, const char *name)
{
	AUTO_FREE struct vmsect_section_info *sections = NULL;
	size_t count = 0;
	int r = vmsect_list_sections(client, name, &sections, &count);

	if (r < 0) {
		cli_error("cannot list views: %s", vmsect_client_error(client));
		return r;
	}
	return view_rows_fetch(rows, client, name ? sections[0].id : 0, sections, count);
}

int verb_views(struct invocation *invocation)
{
	AUTO(client_cleanup) struct vmsect_client *client = NULL;
	AUTO(view_rows_deinit) struct view_rows found = { 0 };
	struct rows rows = { .size = sizeof(*found.list) };
	struct table table;
	const char *name;
	int r;

	table_init(&table, &views_listing);
	if (table_options(&table, invocation) || arguments_check(invocation, 0, 1))
		return invocation->status;
	name = optind < invocation->argc ? invocation->argv[optind] : NULL;
	r = cli_connect(invocation, false, &client);
	if (r == CLI_E_NO_BROKER && name)
		return cli_no_broker(name);
	if (!r)
		r = fetch(&found, client, name);
	if (r < 0)
		return CLI_FAILED;
	view_rows_note(&found);
	rows.first = found.list;
	rows.count = found.count;
	return table_print(&table, &rows) < 0 ? CLI_FAILED : CLI_OK;
}
