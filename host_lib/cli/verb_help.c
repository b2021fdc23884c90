/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect help [COMMAND]
 */
#include "cli/verbs.h"

#include <stdio.h>

#include "cli/cli.h"
#include "cli/help.h"

int verb_help(struct invocation *invocation)
{
	const struct verb *verb;

	if (invocation->argc < 2) {
		help_program(stdout);
		return CLI_OK;
	}
	verb = verb_find(invocation->argv[1]);
	if (!verb) {
		invocation->verb = NULL;
		return cli_usage_error(invocation, "there is no command '%s'", invocation->argv[1]);
	}
	help_verb(stdout, verb);
	return CLI_OK;
}
