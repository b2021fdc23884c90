/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect vms [--all]: virtual machines; with --all every peer.
 */
#include "cli/verbs.h"

#include <string.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/listings.h"

#define OPTION_ALL 'a'

const char verb_vms_options[] = " -a, --all            processes and ivshmem clients, too\n";

/* Leaves only the VMs in the list; returns how many there are. */
static size_t keep_vms(struct vmsect_peer_info *list, size_t count)
{
	size_t i, kept = 0;

	for (i = 0; i < count; i++) {
		if (list[i].is_vm)
			list[kept++] = list[i];
	}
	return kept;
}

static int fetch(struct vmsect_client *client, bool all, struct vmsect_peer_info **ret_list,
		 struct rows *rows)
{
	int r = vmsect_list_peers(client, ret_list, &rows->count);

	if (r < 0) {
		cli_error("cannot list virtual machines: %s", vmsect_client_error(client));
		return r;
	}
	rows->first = *ret_list;
	if (!all)
		rows->count = keep_vms(*ret_list, rows->count);
	return 0;
}

/* Options; *ret_all is set by --all. */
static int parse(struct table *table, struct invocation *invocation, bool *ret_all)
{
	static const struct option options[] = { { "all", no_argument, NULL, OPTION_ALL },
						 TABLE_LONG_OPTIONS,
						 CLI_LONG_OPTIONS,
						 { NULL, 0, NULL, 0 } };
	int option;

	while ((option = option_next(invocation, ":ah" TABLE_SHORT_OPTIONS, options)) !=
	       OPTION_END) {
		if (option == OPTION_ALL)
			*ret_all = true;
		else if (table_option(table, invocation, option))
			return OPTION_STOP;
	}
	if (*ret_all && !table->is_chosen_by_user)
		(void)table_choose(table, "KIND", strlen("KIND"));
	return arguments_check(invocation, 0, 0);
}

int verb_vms(struct invocation *invocation)
{
	AUTO(client_cleanup) struct vmsect_client *client = NULL;
	AUTO_FREE struct vmsect_peer_info *list = NULL;
	struct rows rows = { .size = sizeof(*list) };
	struct table table;
	bool all = false;
	int r;

	table_init(&table, &vms_listing);
	if (parse(&table, invocation, &all))
		return invocation->status;
	r = cli_connect(invocation, false, &client);
	if (!r)
		r = fetch(client, all, &list, &rows);
	if (r < 0 || table_print(&table, &rows) < 0)
		return CLI_FAILED;
	return CLI_OK;
}
