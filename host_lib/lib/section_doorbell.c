/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The stream of a section's doorbells.  It is the program's: the library does not
 * read it.
 */
#include "lib/section.h"

int vmsect_section_doorbell(struct vmsect_section *section, uint32_t vectors, int *ret_fd)
{
	struct vmsect_req_doorbell doorbell = {
		.handle = (uint32_t)section->object.id,
		.vectors = vectors,
	};
	struct client_request request = { VMSECT_OP_DOORBELL, &doorbell.hdr, sizeof(doorbell), NULL,
					  0 };
	struct client_reply reply = { .size = sizeof(struct vmsect_msg_hdr), .wants_fd = true };
	int r = client_call_on(&section->object, &request, &reply);

	if (r < 0)
		return r;
	if (reply.fd < 0)
		return client_break_protocol(section->object.client, "doorbells without a stream");
	*ret_fd = reply.fd;
	return 0;
}
