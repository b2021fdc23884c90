// SPDX-License-Identifier: GPL-2.0-or-later
/* Operations on who may do what. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "conformance/actor/names.h"
#include "conformance/host/host.h"

static void do_pass(struct host *host, struct args *args, struct reply *reply)
{
	struct variable *variable = host_find_handle(host, args_word(args, 0), reply);
	const char *text = args_text(args, "access");
	uint64_t offer = 0;
	uint32_t access;
	int r;

	if (!variable)
		return;
	if (!text || !name_to_mask(name_accesses, text, &access)) {
		reply_bad(reply, "access is missing");
		return;
	}
	r = vmsect_section_pass(variable->section, (uint32_t)args_number(args, "to", 0), access,
				args_number(args, "expires", 0), &offer);
	host_answer(host, reply, r);
	if (r >= 0)
		reply_ok(reply, "offer=%llu", (unsigned long long)offer);
}

static void do_accept(struct host *host, struct args *args, struct reply *reply)
{
	struct variable *variable = host_new_variable(host, args_word(args, 0), reply);
	int r;

	if (!variable)
		return;
	r = vmsect_section_accept(host->client, args_number(args, "offer", 0), &variable->section);
	host_answer(host, reply, r);
	if (r >= 0)
		host_answer_access(reply, variable);
	else
		host_forget(host, variable);
}

static bool take_grant(const struct args *args, struct vmsect_grant *grant)
{
	const char *access = args_text(args, "access");
	const char *vm = args_text(args, "vm");

	*grant = (struct vmsect_grant){ .to = VMSECT_GRANT_UID };
	grant->id = (uint32_t)args_number(args, "uid", 0);
	if (args_has(args, "gid")) {
		grant->to = VMSECT_GRANT_GID;
		grant->id = (uint32_t)args_number(args, "gid", 0);
	} else if (vm) {
		grant->to = VMSECT_GRANT_VM;
		(void)snprintf(grant->name, sizeof(grant->name), "%s", vm);
	}
	return !access || name_to_mask(name_accesses, access, &grant->access);
}

static void change_grant(struct host *host, struct args *args, struct reply *reply, bool is_back)
{
	struct variable *variable = host_find_handle(host, args_word(args, 0), reply);
	uint32_t flags = args_flag(args, "revoke") ? VMSECT_GRANT_REVOKE_LIVE : 0;
	struct vmsect_grant grant;
	uint32_t views = 0;
	int r;

	if (!variable)
		return;
	if (!take_grant(args, &grant)) {
		reply_bad(reply, "a word is none");
		return;
	}
	r = is_back ? vmsect_section_take_back(variable->section, &grant, flags, &views)
		    : vmsect_section_grant(variable->section, &grant, flags, &views);
	host_answer(host, reply, r);
	if (r >= 0)
		reply_ok(reply, "views=%u", views);
}

static void do_grant(struct host *host, struct args *args, struct reply *reply)
{
	change_grant(host, args, reply, false);
}

static void do_ungrant(struct host *host, struct args *args, struct reply *reply)
{
	change_grant(host, args, reply, true);
}

static void do_grants(struct host *host, struct args *args, struct reply *reply)
{
	struct variable *variable = host_find_handle(host, args_word(args, 0), reply);
	AUTO_FREE struct vmsect_grant *list = NULL;
	size_t count = 0;
	int r;

	if (!variable)
		return;
	r = vmsect_section_grants(variable->section, &list, &count);
	host_answer(host, reply, r);
	if (r >= 0)
		reply_ok(reply, "count=%zu", count);
}

static void do_seal(struct host *host, struct args *args, struct reply *reply)
{
	struct variable *variable = host_find_handle(host, args_word(args, 0), reply);

	if (variable)
		host_answer(host, reply, vmsect_section_seal(variable->section));
}

const struct host_op rights_ops[] = {
	{ "pass", do_pass },
	{ "accept", do_accept },
	{ "grant", do_grant },
	{ "ungrant", do_ungrant },
	{ "grants", do_grants },
	{ "seal", do_seal },
	{ 0 },
};
