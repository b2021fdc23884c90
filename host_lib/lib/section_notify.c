/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Notifications, as they are sent; those that come are events (event.c).
 *
 * A broker that takes over is asked again like any other for what was not
 * answered: a notification may then be heard of twice, which a wake-up bears,
 * where one that is missing would not be borne.
 */
#include "lib/section.h"

int vmsect_section_notify(struct vmsect_section *section, uint32_t peer_id, uint64_t value,
			  uint64_t *ret_ticket)
{
	struct vmsect_req_notify notify = {
		.handle = (uint32_t)section->object.id,
		.peer = peer_id,
		.value = value,
	};
	struct client_request request = { VMSECT_OP_NOTIFY, &notify.hdr, sizeof(notify), NULL, 0 };

	if (ret_ticket)
		return client_call_async(&section->object, &request, ret_ticket);
	return client_call_simple_on(&section->object, &request);
}
