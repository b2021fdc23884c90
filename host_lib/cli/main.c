/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect: the options before the verb, the verb, and the end, where it is made
 * sure that all output was written.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/help.h"
#include "cli/verbs.h"

/* Carries out the verb that argv[optind] names. */
static int run_verb(struct invocation *invocation)
{
	const char *name;

	invocation->argc -= optind;
	invocation->argv += optind;
	if (!invocation->argc)
		return cli_usage_error(invocation, "no command is given");
	name = invocation->argv[0];
	invocation->verb = verb_find(name);
	if (!invocation->verb)
		return cli_usage_error(invocation, "there is no command '%s'", name);
	optind = 0; /* glibc: start anew with another argv */
	return invocation->verb->run(invocation);
}

static int run(struct invocation *invocation)
{
	static const struct option options[] = {
		CLI_LONG_OPTIONS,
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	/* Not option_next(): the help here is the program's. */
	while ((option = getopt_long(invocation->argc, invocation->argv, "+:hV", options, NULL)) !=
	       -1) {
		switch (option) {
		case OPTION_SOCKET:
			invocation->socket_path = optarg;
			break;
		case 'h':
			help_program(stdout);
			return CLI_OK;
		case 'V':
			return verb_version(invocation);
		default:
			option_fault(invocation, option);
			return invocation->status;
		}
	}
	return run_verb(invocation);
}

/* A full disk behind stdout is a failure, a reader who has left is not. */
static int close_stdout(int status)
{
	int failed = ferror(stdout);

	errno = 0;
	if (fclose(stdout) != 0)
		failed = 1;
	if (!failed || status != CLI_OK)
		return status;
	cli_error("cannot write the output: %s", strerror(errno ? errno : EIO));
	return CLI_FAILED;
}

int main(int argc, char **argv)
{
	struct invocation invocation = { .argc = argc, .argv = argv };

	opterr = 0;
	return close_stdout(run(&invocation));
}
