/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect attach ARGUMENT..., vmsect detach ARGUMENT...: become vmsect-libvirt,
 * which is installed where libvirt is.
 */
#include "cli/verbs.h"

#include "cli/cli.h"
#include "cli/program.h"

static int run_with_verb(struct invocation *invocation)
{
	char name[] = "vmsect-libvirt";
	/* The verb is never the first word of the command line: before it is the program's. */
	char **argv = invocation->argv - 1;

	argv[0] = name;
	return program_run(invocation, argv,
			   "it is built and installed where libvirt is, beside vmsect or in a "
			   "folder of $PATH");
}

int verb_attach(struct invocation *invocation)
{
	return run_with_verb(invocation);
}

int verb_detach(struct invocation *invocation)
{
	return run_with_verb(invocation);
}
