/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect version
 */
#include "cli/verbs.h"

#include <stdio.h>

#include "cli/cli.h"

int verb_version(struct invocation *invocation)
{
	(void)invocation;
	(void)printf("vmsect %s\n", vmsect_version());
	return CLI_OK;
}
