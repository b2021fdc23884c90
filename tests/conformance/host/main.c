// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * conformance-host NAME SOCKET: an actor.  It is told by messages on its
 * standard input, a socket, and ends with it.
 */
#include "conformance/host/host.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conformance/actor/names.h"

static const struct host_op *const tables[] = {
	section_ops, rights_ops, view_ops, page_ops, memory_ops, event_ops, list_ops,
};

void host_answer(struct host *host, struct reply *reply, int result)
{
	if (result >= 0)
		reply_ok(reply, "%s", "");
	else
		reply_error(reply, -result, detail_to_name(vmsect_client_detail(host->client)),
			    vmsect_client_error(host->client));
}

static struct variable *find(struct host *host, const char *name)
{
	struct variable *variable = host->variables;

	while (variable && strcmp(variable->name, name) != 0)
		variable = variable->next;
	return variable;
}

struct variable *host_find_handle(struct host *host, const char *name, struct reply *reply)
{
	struct variable *variable = find(host, name);

	if (variable && variable->section)
		return variable;
	reply_bad(reply, "%s is no handle", name);
	return NULL;
}

struct variable *host_find_view(struct host *host, const char *name, struct reply *reply)
{
	struct variable *variable = find(host, name);

	if (variable && variable->view)
		return variable;
	reply_bad(reply, "%s is no view", name);
	return NULL;
}

struct variable *host_find_place(struct host *host, const char *name, struct reply *reply)
{
	struct variable *variable = find(host, name);

	if (variable && variable->address)
		return variable;
	reply_bad(reply, "%s is not where a view is or was", name);
	return NULL;
}

struct variable *host_new_variable(struct host *host, const char *name, struct reply *reply)
{
	struct variable *variable = find(host, name);

	if (variable && (variable->section || variable->view)) {
		reply_bad(reply, "%s is in use", name);
		return NULL;
	}
	if (variable)
		host_forget(host, variable);
	variable = calloc(1, sizeof(*variable));
	if (!variable)
		exit(1);
	(void)snprintf(variable->name, sizeof(variable->name), "%s", name);
	variable->next = host->variables;
	host->variables = variable;
	return variable;
}

void host_forget(struct host *host, struct variable *variable)
{
	struct variable **at = &host->variables;

	while (*at && *at != variable)
		at = &(*at)->next;
	if (*at)
		*at = variable->next;
	free(variable);
}

static const struct host_op *find_op(const char *name)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct host_op *op = tables[i]; op->name; op++)
			if (!strcmp(op->name, name))
				return op;
	return NULL;
}

static void run_line(struct host *host, char *line, struct reply *reply)
{
	const struct host_op *op;
	struct args args;

	if (!args_parse(&args, line) || !(op = find_op(args.op))) {
		reply_bad(reply, "no such operation");
		return;
	}
	if (!host->client) {
		reply_error(reply, -host->connected, "NONE", "no broker");
		return;
	}
	host_pump(host);
	op->run(host, &args, reply);
}

/* False at the end. */
static bool serve(struct host *host)
{
	static char line[LINE_BYTES];
	static struct reply reply;
	ssize_t got = recv(STDIN_FILENO, line, sizeof(line) - 1, 0);

	if (got <= 0)
		return false;
	line[got] = '\0';
	run_line(host, line, &reply);
	return send(STDIN_FILENO, reply.text, strlen(reply.text), MSG_NOSIGNAL) > 0;
}

/* Between two lines the library is served as well. */
static void loop(struct host *host)
{
	for (;;) {
		struct pollfd fds[2] = {
			{ .fd = STDIN_FILENO, .events = POLLIN },
			{ .fd = host->client ? vmsect_client_fd(host->client) : -1,
			  .events = POLLIN },
		};

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return;
		if (fds[1].revents)
			host_pump(host);
		if (fds[0].revents && !serve(host))
			return;
	}
}

static void free_variables(struct host *host)
{
	while (host->variables) {
		struct variable *variable = host->variables;

		vmsect_view_unmap(variable->view);
		vmsect_section_close(variable->section);
		host_forget(host, variable);
	}
}

int main(int argc, char **argv)
{
	static struct host host;
	struct vmsect_connect_options options = { .size = sizeof(options), .no_start = 1 };

	if (argc < 3)
		return 2;
	options.name = argv[1];
	options.socket_path = argv[2];
	host.connected = vmsect_connect(&options, &host.client);
	loop(&host);
	free_variables(&host);
	vmsect_client_free(host.client);
	return 0;
}
