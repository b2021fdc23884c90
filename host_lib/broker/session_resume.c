/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RESUME and HAND_BACK: a client of the broker before comes back.
 *
 * Who cannot name its party, generation and token hears ESTALE, whatever it is
 * that is wrong: nobody learns which parties there are.
 */
#include "broker/session.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "broker/restore_absent.h"
#include "broker/restore_memory.h"

/* Takes the same time for any two tokens. */
static bool is_token(const unsigned char *a, const unsigned char *b)
{
	volatile unsigned char difference = 0;
	size_t i;

	for (i = 0; i < VMSECT_TOKEN_BYTES; i++)
		difference = (unsigned char)(difference | (a[i] ^ b[i]));
	return difference == 0;
}

/* The party that the client was, or NULL. */
static struct party *find_former(const struct session *session)
{
	const struct vmsect_req_resume *resume = &session->request->resume;
	const struct registry *registry = session->registry;
	struct party *party;

	HASH_FIND(hh, registry->parties, &resume->peer, sizeof(resume->peer), party);
	if (!party || registry->broker_generation != resume->broker_generation ||
	    party->subject.uid != session->party->subject.uid ||
	    !is_token(party->token, resume->token))
		return NULL;
	return party;
}

/* Sections that it has a handle or a view of and whose memory is not here. */
static void list_missing(const struct session *session)
{
	const struct attachment *attachment;
	uint64_t *entry;

	for (attachment = session->party->attachments; attachment;
	     attachment = attachment->hh.next) {
		if (!attachment->section->missing)
			continue;
		/* The replies to lists and to RESUME begin alike. */
		if (session->reply->hdr.size + sizeof(*entry) > VMSECT_MSG_MAX)
			break;
		entry = (uint64_t *)(session->reply->bytes + session->reply->hdr.size);
		*entry = attachment->section_id;
		session->reply->hdr.size += (uint32_t)sizeof(*entry);
		session->reply->resume.count++;
	}
}

int session_resume(const struct session *session)
{
	struct party *former;

	if (session->party->id)
		return refuse(session->refusal, -EINVAL, VMSECT_DETAIL_STATE,
			      "HELLO or RESUME has been said before");
	former = find_former(session);
	if (!former)
		return refuse(session->refusal, -ESTALE, VMSECT_DETAIL_NONE,
			      "this broker knows nothing of that client");
	if (!former->absent)
		return refuse(session->refusal, -EBUSY, VMSECT_DETAIL_STATE,
			      "that client is connected");
	if (absent_take(absent_of(former), session->party) < 0)
		return refuse_memory(session->refusal);
	registry_changed(session->registry, REGISTRY_PARTY, session->party); /* its pid */
	reply_start(session->reply, session->request, sizeof(session->reply->resume));
	session->reply->resume.version = VMSECT_PROTO_VERSION;
	list_missing(session);
	return 0;
}

int session_hand_back(const struct session *session)
{
	uint64_t id = session->request->hand_back.section;
	struct attachment *attachment = party_find_attachment(session->party, id);
	int r;

	if (!attachment)
		return refuse(session->refusal, -ENOENT, VMSECT_DETAIL_NONE,
			      "section %" PRIu64 " is none of this client", id);
	if (session->message->nfds != 1)
		return refuse(session->refusal, -EINVAL, VMSECT_DETAIL_FILE,
			      "%u descriptors came, not one", session->message->nfds);
	r = restore_memory_adopt(attachment->section, session->message->fds[0], session->refusal);
	if (r < 0)
		return r;
	registry_changed(session->registry, REGISTRY_SECTION, attachment->section);
	reply_start(session->reply, session->request, sizeof(struct vmsect_msg_hdr));
	return 0;
}
