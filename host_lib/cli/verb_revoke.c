/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect revoke NAME WHO: takes rights back now, live views included.
 *
 * Views go when their process or VMM hears of it.  The command waits for that,
 * a second and no longer, and then names those that are still there.
 */
#include "cli/verbs.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "cli/grantee.h"
#include "cli/open.h"

#define WAIT_MS 1000
#define LOOK_MS 20 /* between two looks: nobody tells of views that go */

enum {
	OPTION_FORGET = OPTION_FIRST,
	OPTION_ACCESS,
};

const char verb_revoke_options[] =
	"     --access ACCESS  leave that much: 'ro' takes only writing back (default none)\n"
	"     --forget         remove the entry: what the mode gives counts again\n"
	"\nWHO is as in 'vmsect grant'.\n";

struct order {
	struct vmsect_grant grant;
	bool forget;
};

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Those of the section that were told to go and are there; `say` names them. */
static int count_left(const struct target *target, bool say)
{
	uint64_t id = vmsect_section_info(target->section)->id;
	struct vmsect_view_info *views = NULL;
	size_t count = 0, i;
	int left = 0;

	if (vmsect_list_views(target->client, id, &views, &count) < 0)
		return -EIO;
	for (i = 0; i < count; i++) {
		if (!(views[i].flags & VMSECT_VIEW_REVOKED))
			continue;
		left++;
		if (say)
			cli_error("a view of '%s' in %s (pid %d) is still there", target->name,
				  views[i].peer_name, views[i].pid);
	}
	free(views);
	return left;
}

static int wait_for_views(const struct target *target)
{
	int64_t end = now_ms() + WAIT_MS;
	int left;

	while ((left = count_left(target, false)) > 0 && now_ms() < end)
		(void)poll(NULL, 0, LOOK_MS);
	if (left < 0)
		return target_failed(target, "list the views of", "");
	return left ? (count_left(target, true), CLI_FAILED) : CLI_OK;
}

static int parse(struct invocation *invocation, struct order *order)
{
	static const struct option options[] = {
		{ "access", required_argument, NULL, OPTION_ACCESS },
		{ "forget", no_argument, NULL, OPTION_FORGET },
		CLI_LONG_OPTIONS,
		{ NULL, 0, NULL, 0 },
	};
	uint32_t access = 0;
	bool has_access = false;
	int option;

	while ((option = option_next(invocation, ":h", options)) != OPTION_END) {
		if (option == OPTION_STOP)
			return OPTION_STOP;
		has_access = has_access || option == OPTION_ACCESS;
		if (option == OPTION_FORGET)
			order->forget = true;
		else if (access_parse(invocation, optarg, &access))
			return option_stop(invocation, CLI_USAGE);
	}
	if (arguments_check(invocation, 2, 2))
		return OPTION_STOP;
	if (order->forget && has_access)
		return option_stop(
			invocation,
			cli_usage_error(invocation, "--forget and --access exclude each other"));
	if (grantee_parse(invocation, invocation->argv[optind + 1], &order->grant))
		return option_stop(invocation, CLI_USAGE);
	order->grant.access = access;
	return 0;
}

int verb_revoke(struct invocation *invocation)
{
	AUTO(target_deinit) struct target target = { 0 };
	struct order order = { 0 };
	int r;

	if (parse(invocation, &order))
		return invocation->status;
	if (target_open(&target, invocation, VMSECT_ACCESS_GRANT) < 0)
		return CLI_FAILED;
	r = order.forget ? vmsect_section_take_back(target.section, &order.grant,
						    VMSECT_GRANT_REVOKE_LIVE, NULL)
			 : vmsect_section_grant(target.section, &order.grant,
						VMSECT_GRANT_REVOKE_LIVE, NULL);
	if (r < 0)
		return target_failed(&target, "revoke access to",
				     r == -ENOENT ? "; 'vmsect grants' lists the entries" : "");
	return wait_for_views(&target);
}
