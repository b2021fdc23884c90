/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOORBELL: a stream of the section's doorbells for one of the client's handles.
 * It changes nothing that is kept: a client of a broker that has taken over asks
 * again.
 */
#include "broker/session.h"

#include <errno.h>

#include "broker/doorbell.h"

int session_doorbell(const struct session *session)
{
	const struct vmsect_req_doorbell *doorbell = &session->request->doorbell;
	const struct handle *handle = session_find_handle(session, doorbell->handle);
	int fd = -1;
	int r;

	if (!handle)
		return session->refusal->status;
	r = doorbell_join(session->doorbells, handle, doorbell->vectors, &fd, session->refusal);
	if (r < 0)
		return r;
	reply_start(session->reply, session->request, sizeof(struct vmsect_msg_hdr));
	session->reply->hdr.fds = 1;
	session->reply->fd = fd;
	return 0;
}
