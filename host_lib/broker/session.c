/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See session.h: HELLO, PEER_STATS and the table of operations. */
#include "broker/session.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/sys.h"
#include "broker/session_once.h"

/* A secret that the client shows to the broker after this one. */
static int draw_token(struct party *party, struct refusal *refusal)
{
	ssize_t r = sys_retry(getrandom(party->token, sizeof(party->token), 0));

	if (r == (ssize_t)sizeof(party->token))
		return 0;
	return refuse(refusal, r < 0 ? (int)r : -EIO, VMSECT_DETAIL_NONE,
		      "the host has no random numbers");
}

static int session_hello(const struct session *session)
{
	const struct vmsect_req_hello *hello = &session->request->hello;
	struct party *party = session->party;
	int r;

	if (party->id)
		return refuse(session->refusal, -EINVAL, VMSECT_DETAIL_STATE,
			      "HELLO has been said before");
	party->kind = hello->kind;
	party->cpus = hello->cpus;
	party->memory_bytes = hello->memory_bytes;
	memcpy(party->name, hello->name, sizeof(party->name));
	r = draw_token(party, session->refusal);
	if (!r)
		r = registry_add_party(session->registry, party, session->refusal);
	if (r < 0)
		return r;
	reply_start(session->reply, session->request, sizeof(session->reply->hello));
	session->reply->hello.version = VMSECT_PROTO_VERSION;
	session->reply->hello.peer = party->id;
	session->reply->hello.broker_generation = session->registry->broker_generation;
	memcpy(session->reply->hello.token, party->token, sizeof(party->token));
	return 0;
}

static int session_peer_stats(const struct session *session)
{
	const struct vmsect_req_peer_stats *stats = &session->request->peer_stats;
	struct party *party = session->party;

	if (party->kind != VMSECT_PEER_VM)
		return refuse(session->refusal, -EINVAL, VMSECT_DETAIL_STATE,
			      "only a VM has counters to report");
	party->counters = (struct party_counters){
		.denied_writes = stats->denied_writes,
		.hole_accesses = stats->hole_accesses,
		.undecodable_stores = stats->undecodable_stores,
		.lost_pages = stats->lost_pages,
	};
	registry_changed(session->registry, REGISTRY_PARTY, party);
	reply_start(session->reply, session->request, sizeof(struct vmsect_msg_hdr));
	return 0;
}

static int (*const operations[])(const struct session *session) = {
	[VMSECT_OP_HELLO] = session_hello,
	[VMSECT_OP_CREATE] = session_create,
	[VMSECT_OP_OPEN] = session_open,
	[VMSECT_OP_CLOSE] = session_close,
	[VMSECT_OP_REMOVE] = session_remove,
	[VMSECT_OP_QUERY] = session_query,
	[VMSECT_OP_MAP] = session_map,
	[VMSECT_OP_UNMAP] = session_unmap,
	[VMSECT_OP_VIEW_STATS] = session_view_stats,
	[VMSECT_OP_LIST_SECTIONS] = session_list_sections,
	[VMSECT_OP_LIST_VIEWS] = session_list_views,
	[VMSECT_OP_LIST_PEERS] = session_list_peers,
	[VMSECT_OP_PEER_STATS] = session_peer_stats,
	[VMSECT_OP_RESUME] = session_resume,
	[VMSECT_OP_HAND_BACK] = session_hand_back,
	[VMSECT_OP_DUPLICATE] = session_duplicate,
	[VMSECT_OP_PASS] = session_pass,
	[VMSECT_OP_ACCEPT] = session_accept,
	[VMSECT_OP_GRANT] = session_grant,
	[VMSECT_OP_LIST_GRANTS] = session_list_grants,
	[VMSECT_OP_EXTEND] = session_extend,
	[VMSECT_OP_COMMIT] = session_commit,
	[VMSECT_OP_PROTECT] = session_protect,
	[VMSECT_OP_FLUSH] = session_flush,
	[VMSECT_OP_PUBLISH] = session_publish,
	[VMSECT_OP_SEAL] = session_seal,
	[VMSECT_OP_REVOKED] = session_revoked,
	[VMSECT_OP_FILE] = session_file,
	[VMSECT_OP_NOTIFY] = session_notify,
	[VMSECT_OP_DOORBELL] = session_doorbell,
	[VMSECT_OP_EXPORT] = session_export,
	[VMSECT_OP_UNEXPORT] = session_unexport,
	[VMSECT_OP_LIST_EXPORTS] = session_list_exports,
};

int session_run(const struct session *session)
{
	uint16_t op = session->request->op;
	int r;

	if (op != VMSECT_OP_HELLO && op != VMSECT_OP_RESUME && !session->party->id)
		return refuse(session->refusal, -EINVAL, VMSECT_DETAIL_STATE,
			      "the first request is HELLO or RESUME");
	r = session_once_check(session);
	if (r)
		return r < 0 ? r : 0;
	/* The decoder lets through only what the table has. */
	r = operations[op](session);
	if (!r)
		session_done(session);
	return r;
}

struct handle *session_find_handle(const struct session *session, uint32_t id)
{
	struct handle *handle = party_find_handle(session->party, id);

	if (handle)
		return handle;
	if (party_is_revoked(session->party, id))
		(void)refuse(session->refusal, -EBADF, VMSECT_DETAIL_REVOKED,
			     "handle %u was revoked, or has expired", id);
	else
		(void)refuse(session->refusal, -EBADF, VMSECT_DETAIL_HANDLE,
			     "handle %u is not open", id);
	return NULL;
}
