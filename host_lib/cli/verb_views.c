/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect views [NAME]: of all sections, or of one, which then must exist.
 */
#include "cli/verbs.h"

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/listings.h"

/* The id of a section, or 0 for no name. */
static int find_section(struct vmsect_client *client, const char *name, uint64_t *ret_id)
{
	AUTO_FREE struct vmsect_section_info *list = NULL;
	size_t count;
	int r;

	*ret_id = 0;
	if (!name)
		return 0;
	r = vmsect_list_sections(client, name, &list, &count);
	if (!r)
		*ret_id = list[0].id;
	return r;
}

static int fetch(struct vmsect_client *client, const char *name, struct vmsect_view_info **ret_list,
		 struct rows *rows)
{
	uint64_t id;
	int r = find_section(client, name, &id);

	if (!r)
		r = vmsect_list_views(client, id, ret_list, &rows->count);
	if (r < 0)
		cli_error("cannot list views: %s", vmsect_client_error(client));
	else
		rows->first = *ret_list;
	return r;
}

int verb_views(struct invocation *invocation)
{
	AUTO(client_cleanup) struct vmsect_client *client = NULL;
	AUTO_FREE struct vmsect_view_info *list = NULL;
	struct rows rows = { .size = sizeof(*list) };
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
		r = fetch(client, name, &list, &rows);
	if (r < 0 || table_print(&table, &rows) < 0)
		return CLI_FAILED;
	return CLI_OK;
}
