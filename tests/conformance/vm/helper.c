// SPDX-License-Identifier: GPL-2.0-or-later
/* The host process beside the VM. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "conformance/actor/names.h"
#include "conformance/vm/vm.h"

struct vmsect_client *vm_helper(struct vm_actor *actor, struct reply *reply)
{
	const struct vmsect_connect_options options = {
		.size = sizeof(options),
		.socket_path = actor->bed.broker.socket_path,
		.name = "conformance-helper",
		.no_start = 1,
	};
	struct vmsect_client *client = NULL;
	int r = vmsect_connect(&options, &client);

	if (r < 0)
		reply_error(reply, -r, "NONE", "no broker");
	return client;
}

static void create_and_open(struct vm_actor *actor, struct vmsect_client *client,
			    const struct vmsect_create_options *options, struct variable *variable,
			    struct reply *reply)
{
	struct vmsect_section *section = NULL;
	int r = vmsect_section_create(client, options, &section);

	if (r < 0) {
		reply_error(reply, -r, detail_to_name(vmsect_client_detail(client)),
			    vmsect_client_error(client));
		return;
	}
	if (vm_answer(reply,
		      vm_open(actor, options->name, vmsect_section_access(section), variable)))
		reply_ok(reply, "existed=%d", r);
	vmsect_section_close(section);
}

void vm_create_helped(struct vm_actor *actor, const struct args *args,
		      const struct vmsect_create_options *options, struct reply *reply)
{
	struct variable *variable = vm_new_variable(actor, args_word(args, 0), reply);
	struct vmsect_client *client = variable ? vm_helper(actor, reply) : NULL;
	struct vmsect_create_options named = *options;
	const char *name = args_text(args, "name");
	char unnamed[64];

	if (!client)
		return;
	(void)snprintf(unnamed, sizeof(unnamed), "helped.%u", actor->helped++);
	named.name = name ? name : unnamed;
	create_and_open(actor, client, &named, variable, reply);
	if (!name)
		(void)vmsect_section_remove(client, unnamed);
	vmsect_client_free(client);
	if (!variable->is_open)
		vm_forget(actor, variable);
}
