// SPDX-License-Identifier: GPL-2.0-or-later
/* Views: there, gone, and what they are. */
#include <ctype.h>
#include <string.h>

#include "conformance/actor/names.h"
#include "conformance/vm/vm.h"

static bool take_place(struct vm_actor *actor, const struct args *args, struct reply *reply,
		       struct vmsect_req_map *req)
{
	const char *at = args_text(args, "at");
	const struct variable *other;

	req->window_offset = VMSECT_WINDOW_ANY;
	if (!at)
		return true;
	req->window_offset = args_number(args, "at", 0);
	if (!isdigit((unsigned char)*at)) {
		other = vm_find_place(actor, at, reply);
		if (!other)
			return false;
		req->window_offset = other->place;
	}
	req->window_offset += args_number(args, "by", 0);
	return true;
}

static bool take_map(struct vm_actor *actor, const struct args *args, struct reply *reply,
		     struct vmsect_req_map *req)
{
	const char *prot = args_text(args, "prot");
	const char *flags = args_text(args, "flags");
	uint32_t protection = VMSECT_PROT_READWRITE;
	uint32_t mask = 0;

	*req = (struct vmsect_req_map){
		.hdr.op = VMSECT_REQ_MAP,
		.offset = args_number(args, "offset", 0),
		.length = args_number(args, "length", 0),
		.room = args_number(args, "room", 0),
		.commit = args_number(args, "commit", 0),
	};
	if ((prot && !name_to_number(name_protections, prot, &protection)) ||
	    (flags && !name_to_mask(name_view_flags, flags, &mask))) {
		reply_bad(reply, "a word is none");
		return false;
	}
	req->protection = protection;
	req->map_flags = mask;
	return take_place(actor, args, reply, req);
}

static void do_map(struct vm_actor *actor, struct args *args, struct reply *reply)
{
	const struct variable *handle = vm_find_handle(actor, args_word(args, 1), reply);
	struct variable *variable;
	struct vmsect_req_map req;
	struct vmsect_rsp_map rsp;

	if (!handle || !take_map(actor, args, reply, &req))
		return;
	req.handle = handle->handle;
	variable = vm_new_variable(actor, args_word(args, 0), reply);
	if (!variable)
		return;
	if (!vm_answer(reply, vm_call(actor, &req, sizeof(req), &rsp, sizeof(rsp)))) {
		vm_forget(actor, variable);
		return;
	}
	variable->view = rsp.view.view;
	variable->is_mapped = true;
	variable->place = rsp.view.window_offset;
	variable->offset = rsp.view.offset;
	variable->protection = rsp.view.protection;
	reply_ok(reply, "length=%llu", (unsigned long long)rsp.view.length);
}

static void do_unmap(struct vm_actor *actor, struct args *args, struct reply *reply)
{
	struct variable *variable = vm_find_view(actor, args_word(args, 0), reply);
	struct vmsect_req_unmap req = { .hdr.op = VMSECT_REQ_UNMAP };
	struct vmsect_rsp_unmap rsp;

	if (!variable)
		return;
	req.view = variable->view;
	if (vm_answer(reply, vm_call(actor, &req, sizeof(req), &rsp, sizeof(rsp))))
		variable->is_mapped = false;
}

static void do_view(struct vm_actor *actor, struct args *args, struct reply *reply)
{
	const struct variable *variable = vm_find_view(actor, args_word(args, 0), reply);
	struct vmsect_req_query_view req = { .hdr.op = VMSECT_REQ_QUERY_VIEW };
	struct vmsect_rsp_query_view rsp;
	char flags[64];

	if (!variable)
		return;
	req.view = variable->view;
	if (!vm_answer(reply, vm_call(actor, &req, sizeof(req), &rsp, sizeof(rsp))))
		return;
	reply_ok(reply, "prot=%s prot_now=%s offset=%llu length=%llu room=%llu flags=%s",
		 number_to_name(name_protections, rsp.view.protection),
		 number_to_name(name_protections, rsp.view.protection_now),
		 (unsigned long long)rsp.view.offset, (unsigned long long)rsp.view.length,
		 (unsigned long long)rsp.view.room,
		 mask_to_names(name_view_flags, rsp.view.view_flags, flags, sizeof(flags)));
}

const struct vm_op view_ops[] = {
	{ "map", do_map },
	{ "unmap", do_unmap },
	{ "view", do_view },
	{ 0 },
};
