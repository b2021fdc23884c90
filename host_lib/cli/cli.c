/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options, messages and the connection.  A message says what failed, on what,
 * why in words, and what to do about it.
 */
#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/help.h"

#define ERROR_ROOM 512 /* of a sentence of the library */

__attribute__((format(printf, 1, 0))) static void message(const char *format, va_list args,
							  const char *hint_verb)
{
	(void)fputs("vmsect: ", stderr);
	(void)vfprintf(stderr, format, args);
	if (hint_verb)
		(void)fprintf(stderr, "; 'vmsect %s%s--help' says more", hint_verb,
			      *hint_verb ? " " : "");
	(void)fputc('\n', stderr);
}

void cli_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	message(format, args, NULL);
	va_end(args);
}

int cli_usage_error(const struct invocation *invocation, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	message(format, args, invocation->verb ? invocation->verb->name : "");
	va_end(args);
	return CLI_USAGE;
}

int option_stop(struct invocation *invocation, int status)
{
	invocation->status = status;
	return OPTION_STOP;
}

int option_fault(struct invocation *invocation, int fault)
{
	const char *word = invocation->argv[optind - 1];
	int status;

	if (fault == ':')
		status = cli_usage_error(invocation, "option '%s' needs a value", word);
	else if (optopt && optopt < OPTION_STOP && strncmp(word, "--", 2) != 0)
		status = cli_usage_error(invocation, "there is no option '-%c'", optopt);
	else if (optopt)
		status = cli_usage_error(invocation, "option '%s' takes no value", word);
	else
		status = cli_usage_error(invocation, "there is no option '%s'", word);
	return option_stop(invocation, status);
}

int option_next(struct invocation *invocation, const char *short_options,
		const struct option *long_options)
{
	for (;;) {
		int option = getopt_long(invocation->argc, invocation->argv, short_options,
					 long_options, NULL);

		switch (option) {
		case OPTION_SOCKET:
			invocation->socket_path = optarg;
			break;
		case 'h':
			help_verb(stdout, invocation->verb);
			return option_stop(invocation, CLI_OK);
		case '?':
		case ':':
			return option_fault(invocation, option);
		default:
			return option;
		}
	}
}

int arguments_check(struct invocation *invocation, int least, int most)
{
	int count = invocation->argc - optind;
	int status;

	if (count < least)
		status = cli_usage_error(invocation, "'%s' needs %s", invocation->verb->name,
					 invocation->verb->arguments);
	else if (count > most)
		status = cli_usage_error(invocation, "'%s' is one argument too many",
					 invocation->argv[optind + most]);
	else
		return 0;
	return option_stop(invocation, status);
}

static const char *connect_hint(const char *named, int r)
{
	switch (r) {
	case -ENOENT:
		return named ? "start a broker there with 'vmsectd --socket PATH'"
			     : "install it, or name it in $VMSECT_BROKER";
	case -ECONNREFUSED:
		return "'vmsectd --foreground' says what is wrong";
	case -EACCES:
	case -EPERM:
		return "the socket or its folder belongs to someone else";
	case -EPROTONOSUPPORT:
	case -EPROTO:
		return "vmsect and vmsectd are of different versions";
	case -EDQUOT:
		return "too many connections of this user are open";
	case -ENAMETOOLONG:
		return "a socket's path has at most 107 bytes";
	default:
		return "'vmsectd --foreground' shows more";
	}
}

/* The socket that was named, for messages: by option or by the environment. */
static const char *named_socket(const struct invocation *invocation)
{
	const char *from_environment = getenv("VMSECT_SOCKET");

	if (invocation->socket_path)
		return invocation->socket_path;
	return from_environment && *from_environment ? from_environment : NULL;
}

int cli_connect(const struct invocation *invocation, bool start, struct vmsect_client **ret_client)
{
	char error[ERROR_ROOM] = "";
	struct vmsect_connect_options options = {
		.size = sizeof(options),
		.socket_path = invocation->socket_path,
		.no_start = !start || invocation->socket_path,
		.error = error,
		.error_room = sizeof(error),
	};
	int r;

	r = vmsect_connect(&options, ret_client);
	if (r >= 0)
		return 0;
	if (!start && (r == -ENOENT || r == -ECONNREFUSED))
		return CLI_E_NO_BROKER;
	cli_error("cannot reach a broker: %s; %s", *error ? error : strerror(-r),
		  connect_hint(named_socket(invocation), r));
	return r;
}

int cli_no_broker(const char *name)
{
	cli_error("there is no section '%s': no broker is running; "
		  "'vmsect create' starts one and makes a section",
		  name);
	return CLI_FAILED;
}

void client_cleanup(struct vmsect_client **client)
{
	*client = vmsect_client_free(*client);
}
