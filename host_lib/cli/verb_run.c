/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect run ARGUMENT...: becomes vmsect-vmm.
 */
#include "cli/verbs.h"

#include "cli/cli.h"
#include "cli/program.h"

int verb_run(struct invocation *invocation)
{
	char name[] = "vmsect-vmm";

	invocation->argv[0] = name;
	return program_run(invocation, invocation->argv,
			   "it belongs beside vmsect or in a folder of $PATH");
}
