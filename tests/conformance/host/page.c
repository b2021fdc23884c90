// SPDX-License-Identifier: GPL-2.0-or-later
/* Pages of views: protection, commitment, private copies, the way to disk. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "conformance/actor/names.h"
#include "conformance/host/host.h"
#include "kvm/guests/pattern.h"

static void do_pages(struct host *host, struct args *args, struct reply *reply)
{
	const struct variable *variable = host_find_view(host, args_word(args, 0), reply);
	struct vmsect_view_pages pages;
	int r;

	if (!variable)
		return;
	r = vmsect_view_query(variable->view, args_word_number(args, 1), &pages);
	host_answer(host, reply, r);
	if (r >= 0)
		reply_ok(reply,
			 "offset=%llu length=%llu map_prot=%s prot=%s committed=%d private=%d "
			 "lost=%d",
			 (unsigned long long)pages.offset, (unsigned long long)pages.length,
			 number_to_name(name_protections, pages.map_protection),
			 number_to_name(name_protections, pages.protection), pages.is_committed,
			 pages.is_private, pages.is_lost);
}

static bool take_protection(const struct args *args, struct reply *reply, uint32_t *ret_protection)
{
	const char *prot = args_text(args, "prot");

	*ret_protection = 0;
	if (!prot || name_to_number(name_protections, prot, ret_protection))
		return true;
	reply_bad(reply, "no such protection");
	return false;
}

static void do_protect(struct host *host, struct args *args, struct reply *reply)
{
	struct variable *variable = host_find_view(host, args_word(args, 0), reply);
	enum vmsect_protection old = VMSECT_PROT_NOACCESS;
	uint32_t protection;
	int r;

	if (!variable || !take_protection(args, reply, &protection))
		return;
	r = vmsect_view_protect(variable->view, args_number(args, "offset", 0),
				args_number(args, "length", 0), (enum vmsect_protection)protection,
				&old);
	host_answer(host, reply, r);
	if (r >= 0)
		reply_ok(reply, "old=%s", number_to_name(name_protections, old));
}

static void do_commit(struct host *host, struct args *args, struct reply *reply)
{
	struct variable *variable = host_find_view(host, args_word(args, 0), reply);
	uint32_t protection;

	if (variable && take_protection(args, reply, &protection))
		host_answer(host, reply,
			    vmsect_view_commit(variable->view, args_number(args, "offset", 0),
					       args_number(args, "length", 0),
					       (enum vmsect_protection)protection));
}

static uint32_t flush_flags(const struct args *args)
{
	return args_flag(args, "durable") ? VMSECT_FLUSH_TO_DISK : 0;
}

static int flush(struct host *host, const struct args *args, struct reply *reply,
		 struct vmsect_range *ret_flushed)
{
	struct variable *variable = host_find_view(host, args_word(args, 0), reply);
	int r;

	if (!variable)
		return -1;
	r = vmsect_view_flush(variable->view, args_number(args, "offset", 0),
			      args_number(args, "length", 0), flush_flags(args), ret_flushed);
	host_answer(host, reply, r);
	return r;
}

static void do_flush(struct host *host, struct args *args, struct reply *reply)
{
	(void)flush(host, args, reply, NULL);
}

static void do_flushed(struct host *host, struct args *args, struct reply *reply)
{
	struct vmsect_range range = { 0 };

	if (flush(host, args, reply, &range) >= 0)
		reply_ok(reply, "offset=%llu length=%llu", (unsigned long long)range.offset,
			 (unsigned long long)range.length);
}

static void do_flush_section(struct host *host, struct args *args, struct reply *reply)
{
	struct variable *variable = host_find_handle(host, args_word(args, 0), reply);

	if (variable)
		host_answer(host, reply,
			    vmsect_section_flush(variable->section, args_number(args, "offset", 0),
						 args_number(args, "length", 0), flush_flags(args),
						 NULL));
}

static void do_reset(struct host *host, struct args *args, struct reply *reply)
{
	struct variable *variable = host_find_view(host, args_word(args, 0), reply);

	if (variable)
		host_answer(host, reply,
			    vmsect_view_reset(variable->view, args_number(args, "offset", 0),
					      args_number(args, "length", 0)));
}

static void answer_ranges(struct reply *reply, const struct vmsect_range *list, size_t count)
{
	size_t used;

	reply_ok(reply, "count=%zu ranges=%s", count, count ? "" : "none");
	used = strlen(reply->text);
	for (size_t i = 0; i < count && used < sizeof(reply->text) - 64; i++)
		used += (size_t)sprintf(reply->text + used, "%s%llu:%llu", i ? "," : "",
					(unsigned long long)list[i].offset,
					(unsigned long long)list[i].length);
}

static void do_diff(struct host *host, struct args *args, struct reply *reply)
{
	struct variable *variable = host_find_view(host, args_word(args, 0), reply);
	AUTO_FREE struct vmsect_range *list = NULL;
	size_t count = 0;
	int r;

	if (!variable)
		return;
	r = vmsect_view_diff(variable->view, &list, &count);
	host_answer(host, reply, r);
	if (r >= 0)
		answer_ranges(reply, list, count);
}

static void do_publish(struct host *host, struct args *args, struct reply *reply)
{
	struct variable *view = host_find_view(host, args_word(args, 0), reply);
	struct variable *handle = view ? host_find_handle(host, args_word(args, 1), reply) : NULL;

	if (handle)
		host_answer(host, reply, vmsect_view_publish(view->view, handle->section));
}

static void do_publish_patch(struct host *host, struct args *args, struct reply *reply)
{
	struct variable *variable = host_find_handle(host, args_word(args, 0), reply);
	struct vmsect_patch patch = {
		.offset = args_word_number(args, 1),
		.length = args_word_number(args, 2),
	};
	AUTO_FREE unsigned char *bytes = NULL;

	if (!variable)
		return;
	bytes = malloc(patch.length + 1);
	if (!bytes || patch.length > UINT32_MAX) {
		reply_bad(reply, "too long");
		return;
	}
	for (uint64_t i = 0; i < patch.length; i++)
		bytes[i] = pattern_byte(args_number(args, "pattern", 0), patch.offset + i);
	patch.bytes = bytes;
	host_answer(host, reply, vmsect_section_publish(variable->section, &patch, 1, NULL));
}

static void do_prefetch(struct host *host, struct args *args, struct reply *reply)
{
	struct variable *variable = host_find_view(host, args_word(args, 0), reply);

	if (variable)
		host_answer(host, reply,
			    vmsect_view_prefetch(variable->view, args_number(args, "offset", 0),
						 args_number(args, "length", 0)));
}

const struct host_op page_ops[] = {
	{ "pages", do_pages },	     { "protect", do_protect },
	{ "commit", do_commit },     { "flush", do_flush },
	{ "flushed", do_flushed },   { "flush_section", do_flush_section },
	{ "reset", do_reset },	     { "diff", do_diff },
	{ "publish", do_publish },   { "publish_patch", do_publish_patch },
	{ "prefetch", do_prefetch }, { 0 },
};
