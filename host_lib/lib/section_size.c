/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What changes or keeps a section as a whole: extend, seal, flush.
 */
#include <errno.h>

#include "lib/section.h"

int vmsect_section_extend(struct vmsect_section *section, uint64_t size_bytes, uint64_t *ret_bytes)
{
	struct vmsect_req_extend extend = {
		.handle = (uint32_t)section->object.id,
		.size_bytes = size_bytes,
	};
	struct client_request request = { VMSECT_OP_EXTEND, &extend.hdr, sizeof(extend), NULL, 0 };
	struct vmsect_rep_extend data;
	struct client_reply reply = { .data = &data, .size = sizeof(data) };
	int r = client_call_on(&section->object, &request, &reply);

	if (r < 0)
		return r;
	if (data.size_bytes > INT64_MAX || data.size_bytes < size_bytes)
		return client_break_protocol(section->object.client, "a size that is none");
	section->size_bytes = data.size_bytes;
	if (ret_bytes)
		*ret_bytes = data.size_bytes;
	return 0;
}

int vmsect_section_seal(struct vmsect_section *section)
{
	struct vmsect_req_handle seal = { .handle = (uint32_t)section->object.id };
	struct client_request request = { VMSECT_OP_SEAL, &seal.hdr, sizeof(seal), NULL, 0 };
	int r = client_call_simple_on(&section->object, &request);

	if (!r)
		section->access &= ~(VMSECT_ACCESS_WRITE | VMSECT_ACCESS_EXTEND);
	return r;
}

_Static_assert(VMSECT_FLUSH_TO_DISK == VMSECT_FLUSH_DURABLE, "flags of the wire and of the API");

int vmsect_section_flush(struct vmsect_section *section, uint64_t offset, uint64_t length,
			 uint32_t flags, uint64_t *ret_ticket)
{
	struct vmsect_req_flush flush = {
		.handle = (uint32_t)section->object.id,
		.flags = flags,
		.offset = offset,
		.length = length,
	};
	struct client_request request = { VMSECT_OP_FLUSH, &flush.hdr, sizeof(flush), NULL, 0 };

	if (ret_ticket)
		return client_call_async(&section->object, &request, ret_ticket);
	return client_call_simple_on(&section->object, &request);
}
