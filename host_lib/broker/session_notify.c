/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NOTIFY: a value for those who have the section open, the way by which one VM
 * wakes another.  It changes nothing that is kept: no job, no journal.  The way
 * to one peer is three look-ups by key, and to all of them one walk over those
 * of the section.
 *
 * Nobody waits: what a receiver does not read becomes one event for each sender
 * and section (peer_queue.c).  A client sends so many a second; each receiver
 * of one counts.
 */
#include "broker/session.h"

#include <errno.h>
#include <inttypes.h>

#include "broker/rights.h"

static bool can_receive(const struct attachment *attachment)
{
	return attachment && attachment->handle_count;
}

/* The receiver, if it has a handle of the section; else NULL. */
static struct attachment *find_receiver(const struct registry *registry, uint64_t section_id,
					uint32_t peer)
{
	const struct party *party = registry_find_party(registry, peer);
	struct attachment *attachment = party ? party_find_attachment(party, section_id) : NULL;

	return can_receive(attachment) ? attachment : NULL;
}

static void tell(const struct session *session, const struct attachment *to)
{
	const struct registry *registry = session->registry;

	if (registry->tell)
		registry->tell(registry->tell_arg, to->party,
			       &(struct registry_event){
				       .type = VMSECT_WIRE_EVENT_NOTIFIED,
				       .peer = session->party->id,
				       .section = to->section_id,
				       .value = session->request->notify.value,
				       .length = 1,
			       });
}

static void tell_others(const struct session *session, const struct attachment *from)
{
	struct attachment *to;
	uint64_t told = 0;

	TAILQ_FOREACH (to, &from->section->attachments, of_section) {
		if (to == from || !can_receive(to))
			continue;
		tell(session, to);
		told++;
	}
	/* One was paid for before it was known how many there are. */
	if (told > 1)
		token_bucket_charge(&session->party->notify_bucket, token_bucket_now(), told - 1);
}

int session_notify(const struct session *session)
{
	const struct vmsect_req_notify *notify = &session->request->notify;
	const struct handle *handle = session_find_handle(session, notify->handle);
	const struct attachment *to = NULL;

	if (!handle)
		return session->refusal->status;
	if (!(handle->access & ACCESS_NOTIFY))
		return refuse(session->refusal, -EPERM, VMSECT_DETAIL_ACCESS,
			      "handle %u has no right to notify", handle->id);
	if (notify->peer)
		to = find_receiver(session->registry, handle->attachment->section_id, notify->peer);
	if (notify->peer && !to)
		return refuse(session->refusal, -ENXIO, VMSECT_DETAIL_NONE,
			      "there is no peer %u that has the section open", notify->peer);
	if (!token_bucket_take(&session->party->notify_bucket, token_bucket_now()))
		return refuse(session->refusal, -EAGAIN, VMSECT_DETAIL_RATE,
			      "limit client.notify: a client may send %" PRIu64
			      " notifications a second",
			      session->registry->account.limits.notify_rate);
	if (to)
		tell(session, to);
	else
		tell_others(session, handle->attachment);
	reply_start(session->reply, session->request, sizeof(struct vmsect_msg_hdr));
	return 0;
}
