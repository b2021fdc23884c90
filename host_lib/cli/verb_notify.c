/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect notify NAME VALUE: wakes the VMs and processes that have a section open.
 */
#include "cli/verbs.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/open.h"

enum {
	OPTION_PEER = OPTION_FIRST,
};

const char verb_notify_options[] =
	"     --peer ID        only this one, as 'vmsect show' numbers it (default all)\n"
	"\nVALUE is a number of 64 bits: 17, 0x11 or 64K.\n";

static int parse(struct invocation *invocation, uint32_t *ret_peer)
{
	static const struct option options[] = { { "peer", required_argument, NULL, OPTION_PEER },
						 CLI_LONG_OPTIONS,
						 { NULL, 0, NULL, 0 } };
	uint32_t peer = 0;
	int option;

	while ((option = option_next(invocation, ":h", options)) != OPTION_END) {
		if (option != OPTION_PEER)
			return OPTION_STOP;
		if (parse_u32(optarg, UINT32_MAX, &peer) < 0 || !peer)
			return option_stop(invocation,
					   cli_usage_error(invocation, "'%s' is no peer", optarg));
	}
	*ret_peer = peer;
	return arguments_check(invocation, 2, 2);
}

static const char *hint(int r)
{
	return r == -ENXIO ? "; 'vmsect show' lists those that have" : "";
}

int verb_notify(struct invocation *invocation)
{
	AUTO(target_deinit) struct target target = { 0 };
	uint64_t value = 0;
	const char *text;
	uint32_t peer = 0;
	int r;

	if (parse(invocation, &peer))
		return invocation->status;
	text = invocation->argv[optind + 1];
	if (parse_size(text, &value) < 0)
		return cli_usage_error(invocation, "'%s' is no number of 64 bits", text);
	if (target_open(&target, invocation, VMSECT_ACCESS_NOTIFY) < 0)
		return CLI_FAILED;
	r = vmsect_section_notify(target.section, peer, value, NULL);
	return r < 0 ? target_failed(&target, "notify peers of", hint(r)) : CLI_OK;
}
