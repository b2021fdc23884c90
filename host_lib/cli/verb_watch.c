/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect watch NAME: is a peer of a section and says, line by line, what it
 * hears: who comes and goes, who notifies, what becomes of the section.
 */
#include "cli/verbs.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/open.h"

#define FIELDS_MAX 3

enum {
	OPTION_COUNT = OPTION_FIRST,
};

const char verb_watch_options[] = " -J, --json           a JSON object a line\n"
				  "     --count N        end after so many lines\n";

struct watch {
	struct target target;
	bool json;
	uint32_t left; /* lines; 0: no end */
};

enum field {
	FIELD_END,
	FIELD_PEER,
	FIELD_VALUE,
	FIELD_COUNT, /* of notifications that the event stands for */
	FIELD_LOST,
	FIELD_SIZE,
	FIELD_OFFSET,
	FIELD_LENGTH,
	FIELD_ERRNO,
};

static const struct {
	enum vmsect_event_type type;
	const char *name;
	enum field fields[FIELDS_MAX + 1];
} kinds[] = {
	{ VMSECT_EVENT_PEER_JOINED, "joined", { FIELD_PEER } },
	{ VMSECT_EVENT_PEER_LEFT, "left", { FIELD_PEER } },
	{ VMSECT_EVENT_NOTIFIED, "notified", { FIELD_PEER, FIELD_VALUE, FIELD_COUNT } },
	{ VMSECT_EVENT_RESIZED, "resized", { FIELD_SIZE } },
	{ VMSECT_EVENT_COMMITTED, "committed", { FIELD_OFFSET, FIELD_LENGTH } },
	{ VMSECT_EVENT_IO_ERROR, "io-error", { FIELD_ERRNO } },
	{ VMSECT_EVENT_LOST, "lost", { FIELD_LOST } },
	{ VMSECT_EVENT_DISCONNECTED, "disconnected", { FIELD_END } },
	{ VMSECT_EVENT_RECONNECTED, "reconnected", { FIELD_END } },
};

static void print_field(const struct watch *watch, enum field field,
			const struct vmsect_event *event)
{
	static const char *const names[] = {
		[FIELD_PEER] = "peer",	   [FIELD_VALUE] = "value", [FIELD_COUNT] = "count",
		[FIELD_LOST] = "count",	   [FIELD_SIZE] = "size",   [FIELD_OFFSET] = "offset",
		[FIELD_LENGTH] = "length", [FIELD_ERRNO] = "errno",
	};
	uint64_t number = event->value; /* most are there */

	if (field == FIELD_PEER)
		number = event->peer_id;
	else if (field == FIELD_COUNT || field == FIELD_LENGTH)
		number = event->length;
	else if (field == FIELD_OFFSET)
		number = event->offset;
	(void)printf(watch->json ? ",\"%s\":%" PRIu64 : " %s=%" PRIu64, names[field], number);
}

/* 1: a line was printed; 0: it is nothing to tell; -errno: nobody reads them. */
static int print_event(const struct watch *watch, const struct vmsect_event *event)
{
	size_t i, k = 0;

	while (k < sizeof(kinds) / sizeof(kinds[0]) && kinds[k].type != event->type)
		k++;
	if (k == sizeof(kinds) / sizeof(kinds[0]))
		return 0;
	(void)printf(watch->json ? "{\"event\":\"%s\"" : "%s", kinds[k].name);
	for (i = 0; kinds[k].fields[i] != FIELD_END; i++)
		print_field(watch, kinds[k].fields[i], event);
	(void)fputs(watch->json ? "}\n" : "\n", stdout);
	return fflush(stdout) ? -EPIPE : 1;
}

/* What ends the watch: a sentence, or NULL. */
static const char *end_of(const struct vmsect_event *event)
{
	if (event->type == VMSECT_EVENT_HANDLE_REVOKED)
		return "the right to it was taken back";
	if (event->type == VMSECT_EVENT_RECONNECTED && event->status < 0)
		return "the broker was replaced, and the new one does not know it";
	if (event->type == VMSECT_EVENT_DISCONNECTED && event->status < 0)
		return "the broker and vmsect are of different versions";
	return NULL;
}

static void wait_event(struct vmsect_client *client, struct vmsect_event *ret_event)
{
	struct pollfd readable = { .fd = vmsect_client_fd(client), .events = POLLIN };

	while (!vmsect_client_next_event(client, ret_event))
		(void)poll(&readable, 1, -1);
}

static int watch_run(struct watch *watch)
{
	struct vmsect_event event;
	const char *why;
	int r;

	for (;;) {
		wait_event(watch->target.client, &event);
		why = end_of(&event);
		if (why) {
			cli_error("section '%s' is not watched any more: %s", watch->target.name,
				  why);
			return CLI_FAILED;
		}
		r = print_event(watch, &event);
		if (r < 0)
			return CLI_OK; /* main() says whether that is a failure */
		if (r && watch->left && !--watch->left)
			return CLI_OK;
	}
}

static int parse(struct invocation *invocation, struct watch *watch)
{
	static const struct option options[] = { { "count", required_argument, NULL, OPTION_COUNT },
						 { "json", no_argument, NULL, 'J' },
						 CLI_LONG_OPTIONS,
						 { NULL, 0, NULL, 0 } };
	int option;

	while ((option = option_next(invocation, ":hJ", options)) != OPTION_END) {
		if (option == OPTION_STOP)
			return OPTION_STOP;
		if (option == 'J')
			watch->json = true;
		else if (parse_u32(optarg, UINT32_MAX, &watch->left) < 0 || !watch->left)
			return option_stop(
				invocation,
				cli_usage_error(invocation, "'%s' is no number of lines", optarg));
	}
	return arguments_check(invocation, 1, 1);
}

int verb_watch(struct invocation *invocation)
{
	struct watch watch = { .json = false };
	int status = CLI_FAILED;

	if (parse(invocation, &watch))
		return invocation->status;
	if (target_open(&watch.target, invocation, VMSECT_ACCESS_QUERY) >= 0)
		status = watch_run(&watch);
	target_deinit(&watch.target);
	return status;
}
