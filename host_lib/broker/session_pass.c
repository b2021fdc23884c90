/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DUPLICATE, PASS, ACCEPT.  What comes of a handle has no more access than it,
 * and ends no later.
 */
#include "broker/session.h"

#include <errno.h>
#include <inttypes.h>

#include "broker/doorbell.h"
#include "broker/offer.h"
#include "broker/rights.h"

/* The handle, if that access is a part of its own; else NULL and a refusal. */
static struct handle *find_with(const struct session *session, uint32_t id, uint32_t access)
{
	struct handle *handle = session_find_handle(session, id);

	if (handle && rights_check_part(access, handle->access, session->refusal) < 0)
		return NULL;
	return handle;
}

int session_duplicate(const struct session *session)
{
	const struct vmsect_req_duplicate *duplicate = &session->request->duplicate;
	struct handle *handle = find_with(session, duplicate->handle, duplicate->access);

	if (!handle)
		return session->refusal->status;
	return session_give_handle(session, handle->attachment->section, duplicate->access,
				   handle->expires_ms);
}

int session_pass(const struct session *session)
{
	const struct vmsect_req_pass *pass = &session->request->pass;
	struct offer_spec spec = { .access = pass->access, .to = pass->peer };
	struct offer *offer = NULL;
	const struct party *peer;
	struct handle *handle;
	int r;

	r = rights_check_access(pass->access, session->refusal);
	if (r < 0)
		return r;
	handle = find_with(session, pass->handle, pass->access);
	if (!handle)
		return session->refusal->status;
	peer = registry_find_party(session->registry, pass->peer);
	if (!peer)
		return refuse(session->refusal, -ENXIO, VMSECT_DETAIL_NONE, "there is no peer %u",
			      pass->peer);
	if (doorbell_is_outside(peer))
		return refuse(session->refusal, -ENXIO, VMSECT_DETAIL_NONE,
			      "peer %u is an ivshmem client, which accepts nothing", pass->peer);
	spec.from = session->party->id;
	spec.section = handle->attachment->section;
	spec.expires_ms = deadline_earlier(handle->expires_ms, deadline_in(pass->expires_ms));
	r = offer_add(session->registry, &spec, &offer, session->refusal);
	if (r < 0)
		return r;
	offer_tell(session->registry, offer);
	reply_start(session->reply, session->request, sizeof(session->reply->pass));
	session->reply->pass.offer = offer->id;
	return 0;
}

int session_accept(const struct session *session)
{
	uint64_t id = session->request->accept.offer;
	struct offer *offer = offer_find(session->registry, id);
	int r;

	if (!offer || offer->to != session->party->id ||
	    (offer->expires_ms && offer->expires_ms <= deadline_now()))
		return refuse(session->refusal, -ENOENT, VMSECT_DETAIL_NONE,
			      "offer %" PRIu64 " is none for this client, or has ended", id);
	r = session_give_handle(session, offer->section, offer->access, offer->expires_ms);
	if (!r)
		offer_end(session->registry, offer);
	return r;
}
