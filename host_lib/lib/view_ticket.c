/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests about a view that are not waited for. */
#include "lib/view.h"

int vmsect_view_flush_start(struct vmsect_view *view, uint64_t offset, uint64_t length,
			    uint32_t flags, uint64_t *ret_ticket)
{
	struct vmsect_req_flush flush = {
		.view = view->object.id,
		.flags = flags,
		.offset = offset,
		.length = length,
	};
	struct client_request request = { VMSECT_OP_FLUSH, &flush.hdr, sizeof(flush), NULL, 0 };

	return client_call_async(&view->object, &request, ret_ticket);
}
