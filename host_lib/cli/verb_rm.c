/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect rm NAME...: each name is tried, also after one has failed.
 */
#include "cli/verbs.h"

#include <errno.h>
#include <limits.h>

#include "base/cleanup.h"
#include "cli/cli.h"

static const char *hint(int r)
{
	switch (r) {
	case -ENOENT:
		return "; 'vmsect ls' lists those that there are";
	case -EACCES:
		return "; its owner or root can";
	default:
		return "";
	}
}

static int remove_one(struct vmsect_client *client, const char *name)
{
	int r = vmsect_section_remove(client, name);

	if (!r)
		return CLI_OK;
	cli_error("cannot remove section '%s': %s%s", name, vmsect_client_error(client), hint(r));
	return CLI_FAILED;
}

int verb_rm(struct invocation *invocation)
{
	static const struct option options[] = { CLI_LONG_OPTIONS, { NULL, 0, NULL, 0 } };
	AUTO(client_cleanup) struct vmsect_client *client = NULL;
	int i, r, status = CLI_OK;

	if (option_next(invocation, ":h", options) != OPTION_END)
		return invocation->status;
	if (arguments_check(invocation, 1, INT_MAX))
		return invocation->status;
	r = cli_connect(invocation, false, &client);
	if (r == CLI_E_NO_BROKER)
		return cli_no_broker(invocation->argv[optind]);
	if (r < 0)
		return CLI_FAILED;
	for (i = optind; i < invocation->argc; i++) {
		if (remove_one(client, invocation->argv[i]) != CLI_OK)
			status = CLI_FAILED;
	}
	return status;
}
