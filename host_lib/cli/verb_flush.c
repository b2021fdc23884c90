/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect flush NAME: writes a section back to its file.
 */
#include "cli/verbs.h"

#include "base/cleanup.h"
#include "cli/open.h"

enum {
	OPTION_START = OPTION_FIRST,
};

const char verb_flush_options[] =
	"     --start          start to write back, and do not wait for the disk\n";

/* 0 and the flags, or OPTION_STOP. */
static int parse(struct invocation *invocation, uint32_t *ret_flags)
{
	static const struct option options[] = { { "start", no_argument, NULL, OPTION_START },
						 CLI_LONG_OPTIONS,
						 { NULL, 0, NULL, 0 } };
	uint32_t flags = VMSECT_FLUSH_TO_DISK;
	int option;

	while ((option = option_next(invocation, ":h", options)) != OPTION_END) {
		if (option != OPTION_START)
			return OPTION_STOP;
		flags = 0;
	}
	*ret_flags = flags;
	return arguments_check(invocation, 1, 1);
}

int verb_flush(struct invocation *invocation)
{
	AUTO(target_deinit) struct target target = { 0 };
	uint32_t flags;

	if (parse(invocation, &flags))
		return invocation->status;
	if (target_open(&target, invocation, VMSECT_ACCESS_READ) < 0)
		return CLI_FAILED;
	if (vmsect_section_flush(target.section, 0, 0, flags, NULL) < 0)
		return target_failed(&target, "flush", "");
	return CLI_OK;
}
