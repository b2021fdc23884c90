// SPDX-License-Identifier: GPL-2.0-or-later
/* Operations on sections and handles. */
#include <stdio.h>
#include <string.h>

#include "conformance/actor/names.h"
#include "conformance/host/host.h"

/* The value of a key as a number of the table; `otherwise` without the key. */
static bool take_number(const struct args *args, const char *key, const struct name_row *rows,
			uint32_t otherwise, uint32_t *ret_number)
{
	const char *text = args_text(args, key);

	*ret_number = otherwise;
	return !text || name_to_number(rows, text, ret_number);
}

static bool take_mask(const struct args *args, const char *key, const struct name_row *rows,
		      uint32_t otherwise, uint32_t *ret_mask)
{
	const char *text = args_text(args, key);

	*ret_mask = otherwise;
	return !text || name_to_mask(rows, text, ret_mask);
}

/* A name as it was meant, NUL and blanks included. */
static const char *take_name(struct args *args, const char *key)
{
	for (size_t i = 0; i < args->pairs; i++) {
		if (strcmp(args->pair[i].key, key) != 0)
			continue;
		(void)args_bytes(args->pair[i].value);
		return args->pair[i].value;
	}
	return NULL;
}

static bool take_create(struct args *args, struct vmsect_create_options *options)
{
	uint32_t backing;
	uint32_t protection;

	*options = (struct vmsect_create_options){
		.size = sizeof(*options),
		.size_bytes = args_number(args, "size", 0),
		.max_bytes = args_number(args, "max", 0),
		.path = args_text(args, "file"),
		.mode = (uint32_t)args_number(args, "mode", 0),
		.page_shift = (uint32_t)args_number(args, "page_shift", 0),
		.name = take_name(args, "name"),
	};
	if (!take_number(args, "backing", name_backings,
			 options->path ? VMSECT_BACKING_FILE : VMSECT_BACKING_SHMEM, &backing) ||
	    !take_number(args, "prot", name_protections, VMSECT_PROT_READWRITE, &protection) ||
	    !take_mask(args, "flags", name_create_flags, 0, &options->flags) ||
	    !take_mask(args, "access", name_accesses, 0, &options->access))
		return false;
	options->backing = (enum vmsect_backing)backing;
	options->protection = (enum vmsect_protection)protection;
	return true;
}

/* A handle, or not: the variable goes with the refusal. */
static bool keep(struct host *host, struct variable *variable, int result, struct reply *reply)
{
	host_answer(host, reply, result);
	if (result < 0)
		host_forget(host, variable);
	return result >= 0;
}

static void do_create(struct host *host, struct args *args, struct reply *reply)
{
	struct variable *variable = host_new_variable(host, args_word(args, 0), reply);
	struct vmsect_create_options options;
	int r;

	if (!variable)
		return;
	if (!take_create(args, &options)) {
		reply_bad(reply, "a word is none");
		return;
	}
	r = vmsect_section_create(host->client, &options, &variable->section);
	if (keep(host, variable, r, reply))
		reply_ok(reply, "existed=%d", r);
}

void host_answer_access(struct reply *reply, const struct variable *variable)
{
	char access[96];

	reply_ok(reply, "access=%s",
		 mask_to_names(name_accesses, vmsect_section_access(variable->section), access,
			       sizeof(access)));
}

static void do_open(struct host *host, struct args *args, struct reply *reply)
{
	struct variable *variable = host_new_variable(host, args_word(args, 0), reply);
	const char *name = take_name(args, "name");
	uint32_t access;
	int r;

	if (!variable)
		return;
	if (!name ||
	    !take_mask(args, "access", name_accesses,
		       VMSECT_ACCESS_QUERY | VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE, &access)) {
		reply_bad(reply, "a word is none");
		return;
	}
	r = vmsect_section_open(host->client, name, access, &variable->section);
	if (keep(host, variable, r, reply))
		host_answer_access(reply, variable);
}

static void do_dup(struct host *host, struct args *args, struct reply *reply)
{
	struct variable *from = host_find_handle(host, args_word(args, 1), reply);
	struct variable *variable = from ? host_new_variable(host, args_word(args, 0), reply)
					 : NULL;
	uint32_t access;
	int r;

	if (!variable)
		return;
	if (!args_has(args, "access") || !take_mask(args, "access", name_accesses, 0, &access)) {
		reply_bad(reply, "access is missing");
		return;
	}
	r = vmsect_section_duplicate(from->section, access, &variable->section);
	if (keep(host, variable, r, reply))
		host_answer_access(reply, variable);
}

static void do_close(struct host *host, struct args *args, struct reply *reply)
{
	struct variable *variable = host_find_handle(host, args_word(args, 0), reply);

	if (!variable)
		return;
	variable->section = vmsect_section_close(variable->section);
	reply_ok(reply, "%s", "");
}

void host_answer_section(struct reply *reply, const struct vmsect_section_info *info,
			 uint32_t access)
{
	char flags[96];
	char rights[96];

	reply_ok(reply,
		 "size=%llu prot=%s backing=%s page_shift=%u access=%s flags=%s max=%llu "
		 "committed=%llu io_error=%s name=%s generation=%llu allocated=%llu uid=%u gid=%u "
		 "mode=0%o handles=%u views=%u grants=%u",
		 (unsigned long long)info->size_bytes,
		 number_to_name(name_protections, info->protection),
		 number_to_name(name_backings, info->backing), info->page_shift,
		 mask_to_names(name_accesses, access, rights, sizeof(rights)),
		 mask_to_names(name_section_flags, info->flags, flags, sizeof(flags)),
		 (unsigned long long)info->max_bytes, (unsigned long long)info->committed_bytes,
		 info->io_error ? errno_to_name((int)info->io_error) : "none",
		 info->name[0] ? info->name : "none", (unsigned long long)info->generation,
		 (unsigned long long)info->allocated_bytes, info->uid, info->gid, info->mode,
		 info->handles, info->views, info->grants);
}

static void do_query(struct host *host, struct args *args, struct reply *reply)
{
	struct variable *variable = host_find_handle(host, args_word(args, 0), reply);
	struct vmsect_section_info info;
	int r;

	if (!variable)
		return;
	r = vmsect_section_query(variable->section, &info);
	host_answer(host, reply, r);
	if (r >= 0)
		host_answer_section(reply, &info, vmsect_section_access(variable->section));
}

static void do_extend(struct host *host, struct args *args, struct reply *reply)
{
	struct variable *variable = host_find_handle(host, args_word(args, 0), reply);
	uint64_t bytes = 0;
	int r;

	if (!variable)
		return;
	r = vmsect_section_extend(variable->section, args_word_number(args, 1), &bytes);
	host_answer(host, reply, r);
	if (r >= 0)
		reply_ok(reply, "size=%llu", (unsigned long long)bytes);
}

const struct host_op section_ops[] = {
	{ "create", do_create },
	{ "open", do_open },
	{ "dup", do_dup },
	{ "close", do_close },
	{ "query", do_query },
	{ "extend", do_extend },
	{ 0 },
};
