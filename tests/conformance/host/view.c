// SPDX-License-Identifier: GPL-2.0-or-later
/* Views: there, gone, and what they are. */
#include <ctype.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "conformance/actor/names.h"
#include "conformance/host/host.h"

static bool take_place(struct host *host, const struct args *args, struct reply *reply,
		       struct vmsect_map_options *options)
{
	const char *at = args_text(args, "at");
	uintptr_t address = (uintptr_t)args_number(args, "at", 0);
	const struct variable *other;

	if (!at)
		return true;
	if (!isdigit((unsigned char)*at)) {
		other = host_find_place(host, at, reply);
		if (!other)
			return false;
		address = (uintptr_t)other->address;
	}
	address += args_number(args, "by", 0);
	/* A number that the scenario gave becomes a wanted address. */
	options->address = (void *)address;
	return true;
}

static bool take_map(struct host *host, const struct args *args, struct reply *reply,
		     struct vmsect_map_options *options)
{
	const char *prot = args_text(args, "prot");
	const char *flags = args_text(args, "flags");
	uint32_t protection = VMSECT_PROT_READWRITE;

	*options = (struct vmsect_map_options){
		.size = sizeof(*options),
		.offset = args_number(args, "offset", 0),
		.length = args_number(args, "length", 0),
		.room = args_number(args, "room", 0),
		.commit = args_number(args, "commit", 0),
	};
	if ((prot && !name_to_number(name_protections, prot, &protection)) ||
	    (flags && !name_to_mask(name_view_flags, flags, &options->flags))) {
		reply_bad(reply, "a word is none");
		return false;
	}
	options->protection = (enum vmsect_protection)protection;
	return take_place(host, args, reply, options);
}

static void do_map(struct host *host, struct args *args, struct reply *reply)
{
	const struct variable *handle = host_find_handle(host, args_word(args, 1), reply);
	struct vmsect_map_options options;
	struct variable *variable;
	int r;

	if (!handle || !take_map(host, args, reply, &options))
		return;
	variable = host_new_variable(host, args_word(args, 0), reply);
	if (!variable)
		return;
	r = vmsect_view_map(handle->section, &options, &variable->view);
	host_answer(host, reply, r);
	if (r < 0) {
		host_forget(host, variable);
		return;
	}
	variable->address = vmsect_view_address(variable->view);
	variable->offset = options.offset;
	reply_ok(reply, "length=%llu", (unsigned long long)vmsect_view_length(variable->view));
}

static void do_unmap(struct host *host, struct args *args, struct reply *reply)
{
	struct variable *variable = host_find_view(host, args_word(args, 0), reply);

	if (!variable)
		return;
	variable->view = vmsect_view_unmap(variable->view);
	reply_ok(reply, "%s", "");
}

static void answer_view(struct reply *reply, const struct vmsect_view_info *info)
{
	char flags[64];

	reply_ok(reply,
		 "prot=%s prot_now=%s offset=%llu length=%llu room=%llu flags=%s access=0x%x "
		 "private_pages=%llu",
		 number_to_name(name_protections, info->protection),
		 number_to_name(name_protections, info->protection_now),
		 (unsigned long long)info->offset, (unsigned long long)info->length,
		 (unsigned long long)info->room,
		 mask_to_names(name_view_flags, info->flags, flags, sizeof(flags)), info->access,
		 (unsigned long long)info->private_pages);
}

static void do_view(struct host *host, struct args *args, struct reply *reply)
{
	const struct variable *variable = host_find_view(host, args_word(args, 0), reply);
	AUTO_FREE struct vmsect_view_info *list = NULL;
	size_t count = 0;
	int r;

	if (!variable)
		return;
	r = vmsect_list_views(host->client, 0, &list, &count);
	host_answer(host, reply, r);
	if (r < 0)
		return;
	reply_error(reply, 6, "NONE", "the broker does not list it");
	for (size_t i = 0; i < count; i++)
		if (list[i].id == vmsect_view_id(variable->view))
			answer_view(reply, &list[i]);
}

const struct host_op view_ops[] = {
	{ "map", do_map },
	{ "unmap", do_unmap },
	{ "view", do_view },
	{ 0 },
};
