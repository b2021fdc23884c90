// SPDX-License-Identifier: GPL-2.0-or-later
/* What a place of a view is, as the device says. */
#include <string.h>

#include "conformance/vm/vm.h"

/* The run of like pages that is there; *ret_end is its end. */
static enum vm_place run_place(struct vm_actor *actor, const struct variable *variable,
			       uint64_t offset, uint64_t *ret_end)
{
	struct vmsect_rsp_query_pages pages;
	struct vm_result result;

	if (!variable->is_mapped)
		return PLACE_HOLE;
	result = vm_pages(actor, variable->view, offset, &pages);
	if (result.status == VMSECT_S_ENXIO)
		return PLACE_HOLE;
	/* Past the view's end. */
	if (result.status == VMSECT_S_EINVAL && result.detail == VMSECT_D_RANGE)
		return PLACE_HOLE;
	if (result.status != VMSECT_S_OK || pages.offset + pages.length <= offset)
		return PLACE_BAD;
	*ret_end = pages.offset + pages.length;
	if (pages.pages & VMSECT_PAGES_F_LOST)
		return PLACE_LOST;
	return pages.protection == VMSECT_DEV_PROT_NOACCESS ? PLACE_HOLE : PLACE_THERE;
}

enum vm_place vm_span_place(struct vm_actor *actor, const struct vm_span *span)
{
	uint64_t end = span->offset + (span->count ? span->count : 1);
	enum vm_place place = PLACE_THERE;

	for (uint64_t at = span->offset; place == PLACE_THERE && at < end;)
		place = run_place(actor, span->variable, at, &at);
	return place;
}

bool vm_take_span(struct vm_actor *actor, const struct args *args, struct reply *reply,
		  struct vm_span *ret_span)
{
	ret_span->variable = vm_find_place(actor, args_word(args, 0), reply);
	ret_span->offset = args_word_number(args, 1);
	ret_span->count = args_word_number(args, 2);
	return ret_span->variable != NULL;
}

uint64_t vm_span_address(const struct vm_span *span)
{
	return span->variable->place + span->offset;
}

uint64_t vm_span_offset(const struct vm_span *span)
{
	return span->variable->offset + span->offset;
}

uint64_t vm_denied(struct vm_actor *actor, const struct variable *variable)
{
	const struct vmsect_req_query_view req = {
		.hdr.op = VMSECT_REQ_QUERY_VIEW,
		.view = variable->view,
	};
	struct vmsect_rsp_query_view rsp;
	struct vm_result result = vm_call(actor, &req, sizeof(req), &rsp, sizeof(rsp));

	return result.status == VMSECT_S_OK ? rsp.view.denied_writes : 0;
}

void vm_judge_store(struct reply *reply, uint64_t denied, bool is_done, bool is_same)
{
	reply_ok(reply, "%s", "");
	if (denied && is_same)
		reply_word(reply, "fault");
	else if (denied)
		reply_bad(reply, "the store was denied, and bytes have changed");
	else if (!is_done)
		reply_bad(reply, "the store was neither done nor denied");
}
