// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * conformance-vm NAME SOCKET FOLDER [OPTION...]: an actor that is a VM.  It is
 * told by messages on its standard input, a socket, and ends with it; the VMM
 * dies with this process.  The options are vmsect-vmm's.
 */
#include "conformance/vm/vm.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_OPTION 4

static const struct vm_op *const tables[] = {
	section_ops, view_ops, page_ops, memory_ops, event_ops, counted_ops,
};

static struct variable *find(struct vm_actor *actor, const char *name)
{
	struct variable *variable = actor->variables;

	while (variable && strcmp(variable->name, name) != 0)
		variable = variable->next;
	return variable;
}

/* `#N`: a number that the scenario made up; both a handle and a view. */
static struct variable *made_up(const char *name)
{
	static struct variable variable;

	if (name[0] != '#')
		return NULL;
	variable = (struct variable){ 0 };
	variable.handle = (uint32_t)strtoul(name + 1, NULL, 0);
	variable.view = variable.handle;
	return &variable;
}

struct variable *vm_find_handle(struct vm_actor *actor, const char *name, struct reply *reply)
{
	struct variable *variable = made_up(name);

	if (variable)
		return variable;
	variable = find(actor, name);
	if (variable && variable->handle)
		return variable;
	reply_bad(reply, "%s is no handle", name);
	return NULL;
}

struct variable *vm_find_view(struct vm_actor *actor, const char *name, struct reply *reply)
{
	struct variable *variable = made_up(name);

	if (variable)
		return variable;
	variable = find(actor, name);
	if (variable && variable->view)
		return variable;
	reply_bad(reply, "%s is no view", name);
	return NULL;
}

struct variable *vm_find_place(struct vm_actor *actor, const char *name, struct reply *reply)
{
	struct variable *variable = find(actor, name);

	if (variable && variable->view)
		return variable;
	reply_bad(reply, "%s is not where a view is or was", name);
	return NULL;
}

struct variable *vm_new_variable(struct vm_actor *actor, const char *name, struct reply *reply)
{
	struct variable *variable = find(actor, name);

	if (variable && (variable->is_open || variable->is_mapped)) {
		reply_bad(reply, "%s is in use", name);
		return NULL;
	}
	if (variable)
		vm_forget(actor, variable);
	variable = calloc(1, sizeof(*variable));
	if (!variable)
		exit(1);
	(void)snprintf(variable->name, sizeof(variable->name), "%s", name);
	variable->next = actor->variables;
	actor->variables = variable;
	return variable;
}

void vm_forget(struct vm_actor *actor, struct variable *variable)
{
	struct variable **at = &actor->variables;

	while (*at && *at != variable)
		at = &(*at)->next;
	if (*at)
		*at = variable->next;
	free(variable);
}

static const struct vm_op *find_op(const char *name)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct vm_op *op = tables[i]; op->name; op++)
			if (!strcmp(op->name, name))
				return op;
	return NULL;
}

/* False at the end. */
static bool serve(struct vm_actor *actor)
{
	static char line[LINE_BYTES];
	static struct reply reply;
	const struct vm_op *op;
	struct args args;
	ssize_t got = recv(STDIN_FILENO, line, sizeof(line) - 1, 0);

	if (got <= 0)
		return false;
	line[got] = '\0';
	reply_bad(&reply, "no such operation of a VM");
	op = args_parse(&args, line) ? find_op(args.op) : NULL;
	if (op)
		op->run(actor, &args, &reply);
	return send(STDIN_FILENO, reply.text, strlen(reply.text), MSG_NOSIGNAL) > 0;
}

static void start(struct vm_actor *actor, char **argv)
{
	struct vm_config config = { .name = argv[1], .options = { "--allow-create" } };
	struct bed *bed = &actor->bed;

	(void)snprintf(bed->broker.socket_path, sizeof(bed->broker.socket_path), "%s", argv[2]);
	(void)snprintf(bed->broker.folder, sizeof(bed->broker.folder), "%s", argv[3]);
	fixture_program("vmsect-vmm", bed->vmm_path, sizeof(bed->vmm_path));
	fixture_program("../kvm/agent.elf", bed->agent_path, sizeof(bed->agent_path));
	for (size_t i = 0; i < VM_OPTIONS_MAX && argv[FIRST_OPTION + i]; i++)
		config.options[i] = argv[FIRST_OPTION + i];
	actor->vm = vm_start(bed, &config);
}

int main(int argc, char **argv)
{
	static struct vm_actor actor;

	if (argc < FIRST_OPTION)
		return 2;
	(void)signal(SIGPIPE, SIG_IGN);
	start(&actor, argv);
	while (serve(&actor))
		;
	while (actor.variables)
		vm_forget(&actor, actor.variables);
	vm_free(actor.vm);
	return 0;
}
