/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every verb needs: its invocation, its options, messages, a connection.
 *
 * A verb is data (a struct verb in main.c's table) and one function.  Verbs
 * return an exit code and never exit.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <getopt.h>
#include <stdbool.h>

#include <vmsect/vmsect.h>

enum {
	CLI_OK = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2,
};

struct invocation;
struct listing;

struct verb {
	const char *name;
	const char *arguments; /* for the usage line */
	const char *summary;
	const char *options; /* help text, one line an option; NULL: none */
	const struct listing *listing; /* its columns are shown in the help; NULL: none */
	int (*run)(struct invocation *invocation);
};

/* One run of the program; lives in main(). */
struct invocation {
	const struct verb *verb;
	const char *socket_path; /* borrowed from argv; NULL: the usual places */
	int argc; /* argv[0] is the verb */
	char **argv;
	int status; /* exit code, once OPTION_STOP was returned */
};

/* The verbs, ended by one without a name. */
extern const struct verb verbs[];

/* The verb of that name, or NULL. */
const struct verb *verb_find(const char *name);

/* Long options of every verb. */
#define CLI_LONG_OPTIONS                                                                           \
	{ "socket", required_argument, NULL, OPTION_SOCKET },                                      \
	{                                                                                          \
		"help", no_argument, NULL, 'h'                                                     \
	}

enum {
	OPTION_END = -1,
	OPTION_STOP = 0x100, /* the verb returns invocation->status */
	OPTION_SOCKET,
	OPTION_OUTPUT_ALL,
	OPTION_FIRST, /* a verb's own long options count from here */
};

/*
 * The next option of a verb.  Options that every verb has are carried out
 * here; a wrong option is reported.  `short_options` begins with ':'.
 */
int option_next(struct invocation *invocation, const char *short_options,
		const struct option *long_options);

/* Reports an option that getopt_long() found wrong ('?' or ':').  Returns OPTION_STOP. */
int option_fault(struct invocation *invocation, int fault);

/* Notes the exit code.  Returns OPTION_STOP. */
int option_stop(struct invocation *invocation, int status);

/* Checks the number of arguments that are left; OPTION_STOP after a message if it is wrong. */
int arguments_check(struct invocation *invocation, int least, int most);

/* One line on stderr. */
void cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One line on stderr that ends with where to find help.  Returns CLI_USAGE. */
int cli_usage_error(const struct invocation *invocation, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Outcome of cli_connect(). */
#define CLI_E_NO_BROKER 1

/*
 * Connects.  Returns 0; CLI_E_NO_BROKER, without a message, if there is none
 * and `start` is false; or -errno after a message.  A socket that was named is
 * never a reason to start a broker.
 */
int cli_connect(const struct invocation *invocation, bool start, struct vmsect_client **ret_client);

/* Says that there is no broker, and so no section of that name.  Returns CLI_FAILED. */
int cli_no_broker(const char *name);

/* Cleanup attribute of a client. */
void client_cleanup(struct vmsect_client **client);

#endif
