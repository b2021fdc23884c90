// SPDX-License-Identifier: GPL-2.0-or-later
/* Operations on sections and handles. */
#include <stdio.h>
#include <string.h>

#include "conformance/actor/names.h"
#include "conformance/vm/vm.h"

/* What the device's CREATE has not. */
#define HELPED_FLAGS (VMSECT_CREATE_PERMANENT | VMSECT_CREATE_SEALABLE)

/* The name as it was meant, in the field of a request: one that is too long has no end there. */
static void put_name(struct args *args, uint8_t *field)
{
	size_t length;

	for (size_t i = 0; i < args->pairs; i++) {
		if (strcmp(args->pair[i].key, "name") != 0)
			continue;
		length = args_bytes(args->pair[i].value);
		memcpy(field, args->pair[i].value,
		       length < VMSECT_DEV_NAME_MAX + 1 ? length : VMSECT_DEV_NAME_MAX + 1);
	}
}

static bool take_create(struct args *args, struct vmsect_create_options *options)
{
	const char *backing = args_text(args, "backing");
	const char *prot = args_text(args, "prot");
	const char *flags = args_text(args, "flags");
	const char *access = args_text(args, "access");
	uint32_t number = VMSECT_BACKING_SHMEM;
	uint32_t protection = VMSECT_PROT_READWRITE;

	*options = (struct vmsect_create_options){
		.size = sizeof(*options),
		.size_bytes = args_number(args, "size", 0),
		.max_bytes = args_number(args, "max", 0),
		.path = args_text(args, "file"),
		.mode = (uint32_t)args_number(args, "mode", 0),
		.page_shift = (uint32_t)args_number(args, "page_shift", 0),
	};
	if (options->path)
		number = VMSECT_BACKING_FILE;
	if ((backing && !name_to_number(name_backings, backing, &number)) ||
	    (prot && !name_to_number(name_protections, prot, &protection)) ||
	    (flags && !name_to_mask(name_create_flags, flags, &options->flags)) ||
	    (access && !name_to_mask(name_accesses, access, &options->access)))
		return false;
	options->backing = (enum vmsect_backing)number;
	options->protection = (enum vmsect_protection)protection;
	return true;
}

void vm_answer_access(struct reply *reply, uint32_t access)
{
	char text[96];

	reply_ok(reply, "access=%s", mask_to_names(name_accesses, access, text, sizeof(text)));
}

static void create(struct vm_actor *actor, struct args *args,
		   const struct vmsect_create_options *options, struct reply *reply)
{
	struct variable *variable = vm_new_variable(actor, args_word(args, 0), reply);
	struct vmsect_req_create req = {
		.hdr.op = VMSECT_REQ_CREATE,
		.size_bytes = options->size_bytes,
		.max_bytes = options->max_bytes,
		.backing = options->backing,
		.protection = options->protection,
		.create_flags = options->flags,
		.access = options->access,
		.mode = options->mode,
		.page_shift = options->page_shift,
	};
	struct vmsect_rsp_open rsp;
	struct vm_result result;

	if (!variable)
		return;
	put_name(args, req.name);
	result = vm_call(actor, &req, sizeof(req), &rsp, sizeof(rsp));
	if (!vm_answer(reply, result)) {
		vm_forget(actor, variable);
		return;
	}
	variable->handle = rsp.handle;
	variable->is_open = true;
	reply_ok(reply, "existed=%d", result.detail == VMSECT_D_EXISTED);
}

static void do_create(struct vm_actor *actor, struct args *args, struct reply *reply)
{
	struct vmsect_create_options options;

	if (!take_create(args, &options))
		reply_bad(reply, "a word is none");
	else if (options.path || options.flags & HELPED_FLAGS)
		vm_create_helped(actor, args, &options, reply);
	else
		create(actor, args, &options, reply);
}

struct vm_result vm_open(struct vm_actor *actor, const char *name, uint32_t access,
			 struct variable *variable)
{
	struct vmsect_req_open req = { .hdr.op = VMSECT_REQ_OPEN, .access = access };
	struct vmsect_rsp_open rsp;
	struct vm_result result;

	memcpy(req.name, name, strnlen(name, sizeof(req.name)));
	result = vm_call(actor, &req, sizeof(req), &rsp, sizeof(rsp));
	if (result.status != VMSECT_S_OK)
		return result;
	variable->handle = rsp.handle;
	variable->is_open = true;
	return result;
}

static void do_open(struct vm_actor *actor, struct args *args, struct reply *reply)
{
	struct variable *variable = vm_new_variable(actor, args_word(args, 0), reply);
	const char *text = args_text(args, "access");
	uint32_t access = VMSECT_ACCESS_QUERY | VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE;
	struct vmsect_req_open req = { .hdr.op = VMSECT_REQ_OPEN };
	struct vmsect_rsp_open rsp;

	if (!variable)
		return;
	if (text && !name_to_mask(name_accesses, text, &access)) {
		reply_bad(reply, "a word is none");
		return;
	}
	req.access = access;
	put_name(args, req.name);
	if (!vm_answer(reply, vm_call(actor, &req, sizeof(req), &rsp, sizeof(rsp)))) {
		vm_forget(actor, variable);
		return;
	}
	variable->handle = rsp.handle;
	variable->is_open = true;
	vm_answer_access(reply, rsp.section.access);
}

static void do_dup(struct vm_actor *actor, struct args *args, struct reply *reply)
{
	const struct variable *from = vm_find_handle(actor, args_word(args, 1), reply);
	struct vmsect_req_duplicate req = { .hdr.op = VMSECT_REQ_DUPLICATE };
	const char *access = args_text(args, "access");
	struct variable *variable;
	struct vmsect_rsp_open rsp;
	uint32_t mask;

	if (!from)
		return;
	if (!access || !name_to_mask(name_accesses, access, &mask)) {
		reply_bad(reply, "access is missing");
		return;
	}
	req.handle = from->handle;
	req.access = mask;
	variable = vm_new_variable(actor, args_word(args, 0), reply);
	if (!variable)
		return;
	if (!vm_answer(reply, vm_call(actor, &req, sizeof(req), &rsp, sizeof(rsp)))) {
		vm_forget(actor, variable);
		return;
	}
	variable->handle = rsp.handle;
	variable->is_open = true;
	vm_answer_access(reply, rsp.section.access);
}

static struct vm_result close_handle(struct vm_actor *actor, uint32_t handle)
{
	struct vmsect_req_close req = { .hdr.op = VMSECT_REQ_CLOSE, .handle = handle };
	struct vmsect_rsp_close rsp;

	return vm_call(actor, &req, sizeof(req), &rsp, sizeof(rsp));
}

static void do_close(struct vm_actor *actor, struct args *args, struct reply *reply)
{
	struct variable *variable = vm_find_handle(actor, args_word(args, 0), reply);

	if (variable && vm_answer(reply, close_handle(actor, variable->handle)))
		variable->is_open = false;
}

static void answer_section(struct reply *reply, const struct vmsect_dev_section *section)
{
	char flags[96];
	char access[96];

	reply_ok(reply,
		 "size=%llu prot=%s backing=%s page_shift=%u access=%s flags=%s max=%llu "
		 "committed=%llu io_error=%s name=%.127s generation=%llu",
		 (unsigned long long)section->size_bytes,
		 number_to_name(name_protections, section->protection),
		 number_to_name(name_backings, section->backing), section->page_shift,
		 mask_to_names(name_accesses, section->access, access, sizeof(access)),
		 mask_to_names(name_section_flags, section->section_flags, flags, sizeof(flags)),
		 (unsigned long long)section->max_bytes,
		 (unsigned long long)section->committed_bytes,
		 section->io_error ? errno_to_name((int)section->io_error) : "none",
		 section->name[0] ? (const char *)section->name : "none",
		 (unsigned long long)section->generation);
}

static void do_query(struct vm_actor *actor, struct args *args, struct reply *reply)
{
	const struct variable *variable = vm_find_handle(actor, args_word(args, 0), reply);
	struct vmsect_req_query_section req = { .hdr.op = VMSECT_REQ_QUERY_SECTION };
	struct vmsect_rsp_query_section rsp;

	if (!variable)
		return;
	req.handle = variable->handle;
	if (vm_answer(reply, vm_call(actor, &req, sizeof(req), &rsp, sizeof(rsp))))
		answer_section(reply, &rsp.section);
}

static void do_extend(struct vm_actor *actor, struct args *args, struct reply *reply)
{
	const struct variable *variable = vm_find_handle(actor, args_word(args, 0), reply);
	struct vmsect_req_extend req = { .hdr.op = VMSECT_REQ_EXTEND };
	struct vmsect_rsp_value rsp;

	if (!variable)
		return;
	req.handle = variable->handle;
	req.size_bytes = args_word_number(args, 1);
	if (vm_answer(reply, vm_call(actor, &req, sizeof(req), &rsp, sizeof(rsp))))
		reply_ok(reply, "size=%llu", (unsigned long long)rsp.value);
}

/* A view may keep its number after it was revoked: all are unmapped, then all closed. */
void vm_renew(struct vm_actor *actor, struct reply *reply)
{
	struct vmsect_req_unmap req = { .hdr.op = VMSECT_REQ_UNMAP };
	struct vmsect_rsp_unmap rsp;

	reply_ok(reply, "%s", "");
	while (actor->variables) {
		struct variable *variable = actor->variables;
		struct vm_result result = { 0 };

		req.view = variable->view;
		if (variable->is_mapped)
			result = vm_call(actor, &req, sizeof(req), &rsp, sizeof(rsp));
		if (result.status == VMSECT_S_OK && variable->is_open)
			result = close_handle(actor, variable->handle);
		if (result.status != VMSECT_S_OK)
			(void)vm_answer(reply, result);
		vm_forget(actor, variable);
	}
}

static void do_renew(struct vm_actor *actor, struct args *args, struct reply *reply)
{
	(void)args;
	vm_renew(actor, reply);
	while (!strncmp(vm_ask(actor->vm, "event 0"), "ok", 2))
		;
}

const struct vm_op section_ops[] = {
	{ "create", do_create }, { "open", do_open },
	{ "dup", do_dup },	 { "close", do_close },
	{ "query", do_query },	 { "extend", do_extend },
	{ "renew", do_renew },	 { 0 },
};
