/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handles from handles: duplicate, pass, accept.
 */
#include <errno.h>

#include "lib/section.h"

/* Access 0 of a duplicate is legal; handle_call() would take it for "the broker says". */
static int duplicate_nothing(struct vmsect_section *section, const struct client_request *request,
			     struct vmsect_section **ret_section)
{
	struct vmsect_section *made;
	int r = handle_call(section->object.client, &section->object, request, 0, &made);

	if (r < 0)
		return r;
	if (made->access) {
		vmsect_section_close(made);
		return client_break_protocol(section->object.client,
					     "a handle with more access than was asked for");
	}
	*ret_section = made;
	return 0;
}

int vmsect_section_duplicate(struct vmsect_section *section, uint32_t access,
			     struct vmsect_section **ret_section)
{
	struct vmsect_req_duplicate duplicate = {
		.handle = (uint32_t)section->object.id,
		.access = access,
	};
	struct client_request request = { VMSECT_OP_DUPLICATE, &duplicate.hdr, sizeof(duplicate),
					  NULL, 0 };
	int r;

	if (!access)
		return duplicate_nothing(section, &request, ret_section);
	r = handle_call(section->object.client, &section->object, &request, access, ret_section);
	return r < 0 ? r : 0;
}

int vmsect_section_pass(struct vmsect_section *section, uint32_t peer_id, uint32_t access,
			uint64_t expires_ms, uint64_t *ret_offer)
{
	struct vmsect_req_pass pass = {
		.handle = (uint32_t)section->object.id,
		.access = access,
		.peer = peer_id,
		.expires_ms = expires_ms,
	};
	struct client_request request = { VMSECT_OP_PASS, &pass.hdr, sizeof(pass), NULL, 0 };
	struct vmsect_rep_pass data;
	struct client_reply reply = { .data = &data, .size = sizeof(data) };
	int r = client_call_on(&section->object, &request, &reply);

	if (r < 0)
		return r;
	if (!data.offer)
		return client_break_protocol(section->object.client, "an offer that is none");
	*ret_offer = data.offer;
	return 0;
}

int vmsect_section_accept(struct vmsect_client *client, uint64_t offer,
			  struct vmsect_section **ret_section)
{
	struct vmsect_req_accept accept = { .offer = offer };
	struct client_request request = { VMSECT_OP_ACCEPT, &accept.hdr, sizeof(accept), NULL, 0 };
	int r = handle_call(client, NULL, &request, 0, ret_section);

	return r < 0 ? r : 0;
}
