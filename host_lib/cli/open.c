/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See open.h. */
#include "cli/open.h"

#include <errno.h>
#include <unistd.h>

int target_options(struct invocation *invocation, int count)
{
	static const struct option options[] = { CLI_LONG_OPTIONS, { NULL, 0, NULL, 0 } };

	if (option_next(invocation, ":h", options) != OPTION_END)
		return OPTION_STOP;
	return arguments_check(invocation, count, count);
}

/* What root is refused nobody can grant. */
static const char *open_hint(const struct vmsect_client *client, int r)
{
	if (r == -ENOENT)
		return "; 'vmsect ls' lists those that there are";
	if (r != -EACCES || vmsect_client_detail(client) != VMSECT_DETAIL_ACCESS || !geteuid())
		return "";
	return "; its owner or root can, or say who may with 'vmsect grant'";
}

int target_open(struct target *target, const struct invocation *invocation, uint32_t access)
{
	int r;

	target->name = invocation->argv[optind];
	r = cli_connect(invocation, false, &target->client);
	if (r == CLI_E_NO_BROKER) {
		(void)cli_no_broker(target->name);
		return -ENOENT;
	}
	if (r < 0)
		return r;
	r = vmsect_section_open(target->client, target->name, access, &target->section);
	if (r < 0)
		cli_error("cannot open section '%s': %s%s", target->name,
			  vmsect_client_error(target->client), open_hint(target->client, r));
	return r;
}

int target_failed(const struct target *target, const char *what, const char *hint)
{
	cli_error("cannot %s section '%s': %s%s", what, target->name,
		  vmsect_client_error(target->client), hint);
	return CLI_FAILED;
}

void target_deinit(struct target *target)
{
	target->section = vmsect_section_close(target->section);
	target->client = vmsect_client_free(target->client);
}
