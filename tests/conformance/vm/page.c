// SPDX-License-Identifier: GPL-2.0-or-later
/* Pages of views: protection, commitment, private copies, the way to disk. */
#include <stdio.h>
#include <string.h>

#include "conformance/actor/names.h"
#include "conformance/vm/vm.h"

/* As many as the agent's answer shows. */
#define RANGES_AT_ONCE 15u

struct vm_result vm_pages(struct vm_actor *actor, uint32_t view, uint64_t offset,
			  struct vmsect_rsp_query_pages *ret_pages)
{
	const struct vmsect_req_range req = {
		.hdr.op = VMSECT_REQ_QUERY_PAGES,
		.view = view,
		.offset = offset,
	};

	return vm_call(actor, &req, sizeof(req), ret_pages, sizeof(*ret_pages));
}

static void do_pages(struct vm_actor *actor, struct args *args, struct reply *reply)
{
	const struct variable *variable = vm_find_view(actor, args_word(args, 0), reply);
	struct vmsect_rsp_query_pages pages;

	if (!variable ||
	    !vm_answer(reply, vm_pages(actor, variable->view, args_word_number(args, 1), &pages)))
		return;
	reply_ok(reply,
		 "offset=%llu length=%llu map_prot=%s prot=%s committed=%d private=%d lost=%d",
		 (unsigned long long)pages.offset, (unsigned long long)pages.length,
		 number_to_name(name_protections, variable->protection),
		 number_to_name(name_protections, pages.protection),
		 !!(pages.pages & VMSECT_PAGES_F_COMMITTED),
		 !!(pages.pages & VMSECT_PAGES_F_PRIVATE), !!(pages.pages & VMSECT_PAGES_F_LOST));
}

/* A request about a range of a view.  False: it was refused, or a word is none. */
static bool range_call(struct vm_actor *actor, const struct args *args, uint32_t op,
		       struct reply *reply, uint64_t *ret_value)
{
	const struct variable *variable = vm_find_view(actor, args_word(args, 0), reply);
	const char *prot = args_text(args, "prot");
	struct vmsect_req_range req = {
		.hdr.op = op,
		.offset = args_number(args, "offset", 0),
		.length = args_number(args, "length", 0),
	};
	struct vmsect_rsp_value rsp = { 0 };
	uint32_t protection = 0;
	bool is_good;

	if (!variable)
		return false;
	if (prot && !name_to_number(name_protections, prot, &protection)) {
		reply_bad(reply, "no such protection");
		return false;
	}
	req.view = variable->view;
	req.protection = protection;
	is_good = vm_answer(reply, vm_call(actor, &req, sizeof(req), &rsp, sizeof(rsp)));
	*ret_value = rsp.value;
	return is_good;
}

static void do_protect(struct vm_actor *actor, struct args *args, struct reply *reply)
{
	uint64_t old;

	if (range_call(actor, args, VMSECT_REQ_PROTECT, reply, &old))
		reply_ok(reply, "old=%s", number_to_name(name_protections, (uint32_t)old));
}

static void do_commit(struct vm_actor *actor, struct args *args, struct reply *reply)
{
	uint64_t value;

	(void)range_call(actor, args, VMSECT_REQ_COMMIT, reply, &value);
}

static void do_reset(struct vm_actor *actor, struct args *args, struct reply *reply)
{
	uint64_t value;

	(void)range_call(actor, args, VMSECT_REQ_RESET, reply, &value);
}

static void do_flush(struct vm_actor *actor, struct args *args, struct reply *reply)
{
	const struct variable *variable = vm_find_view(actor, args_word(args, 0), reply);
	struct vmsect_req_flush req = {
		.hdr.op = VMSECT_REQ_FLUSH,
		.flush_flags = args_flag(args, "durable") ? VMSECT_FLUSH_F_DURABLE : 0,
		.offset = args_number(args, "offset", 0),
		.length = args_number(args, "length", 0),
	};
	struct vmsect_rsp_hdr rsp;

	if (!variable)
		return;
	req.view = variable->view;
	(void)vm_answer(reply, vm_call(actor, &req, sizeof(req), &rsp, sizeof(rsp)));
}

static void do_publish(struct vm_actor *actor, struct args *args, struct reply *reply)
{
	const struct variable *view = vm_find_view(actor, args_word(args, 0), reply);
	const struct variable *handle;
	struct vmsect_req_publish req = { .hdr.op = VMSECT_REQ_PUBLISH };
	struct vmsect_rsp_hdr rsp;

	if (!view)
		return;
	req.view = view->view;
	handle = vm_find_handle(actor, args_word(args, 1), reply);
	if (!handle)
		return;
	req.handle = handle->handle;
	(void)vm_answer(reply, vm_call(actor, &req, sizeof(req), &rsp, sizeof(rsp)));
}

struct ranges {
	char text[4096];
	size_t used;
	size_t count;
};

union diff_reply {
	struct vmsect_rsp_diff rsp;
	unsigned char bytes[sizeof(struct vmsect_rsp_diff) +
			    RANGES_AT_ONCE * sizeof(struct vmsect_dev_range)];
};

static void add_ranges(struct ranges *ranges, const struct vmsect_rsp_diff *rsp)
{
	for (uint32_t i = 0; i < rsp->count && i < RANGES_AT_ONCE; i++) {
		if (ranges->used > sizeof(ranges->text) - 64)
			return;
		ranges->used += (size_t)sprintf(ranges->text + ranges->used, "%s%llu:%llu",
						ranges->count++ ? "," : "",
						(unsigned long long)rsp->ranges[i].offset,
						(unsigned long long)rsp->ranges[i].length);
	}
}

static void do_diff(struct vm_actor *actor, struct args *args, struct reply *reply)
{
	const struct variable *variable = vm_find_view(actor, args_word(args, 0), reply);
	struct vmsect_req_diff req = { .hdr.op = VMSECT_REQ_DIFF };
	struct ranges ranges = { 0 };
	union diff_reply got = { 0 };
	const struct vmsect_dev_range *last;
	size_t bytes;

	if (!variable)
		return;
	req.view = variable->view;
	do {
		bytes = sizeof(got);
		if (!vm_answer(reply, vm_request(actor, &req, sizeof(req), &got, &bytes)))
			return;
		add_ranges(&ranges, &got.rsp);
		last = got.rsp.count ? &got.rsp.ranges[got.rsp.count - 1] : NULL;
		req.after = last ? last->offset + last->length : 0;
	} while (got.rsp.more && last);
	reply_ok(reply, "count=%zu ranges=%s", ranges.count, ranges.count ? ranges.text : "none");
}

const struct vm_op page_ops[] = {
	{ "pages", do_pages },	   { "protect", do_protect },
	{ "commit", do_commit },   { "flush", do_flush },
	{ "reset", do_reset },	   { "diff", do_diff },
	{ "publish", do_publish }, { 0 },
};
