/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See session_once.h. */
#include "broker/session_once.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "broker/rights.h"
#include "broker/wire.h"

#define EXISTED (UINT64_C(1) << 32) /* of CREATE's result, beside the handle */

static bool is_once(uint16_t op)
{
	switch (op) {
	case VMSECT_OP_CREATE:
	case VMSECT_OP_OPEN:
	case VMSECT_OP_CLOSE:
	case VMSECT_OP_REMOVE:
	case VMSECT_OP_MAP:
	case VMSECT_OP_UNMAP:
	case VMSECT_OP_DUPLICATE:
	case VMSECT_OP_PASS:
	case VMSECT_OP_ACCEPT:
	case VMSECT_OP_GRANT:
	case VMSECT_OP_SEAL:
	case VMSECT_OP_REVOKED:
	case VMSECT_OP_UNEXPORT:
		return true;
	default:
		return false;
	}
}

/* What the request made, from its reply. */
static uint64_t result_of(uint16_t op, const struct reply *reply)
{
	switch (op) {
	case VMSECT_OP_CREATE:
	case VMSECT_OP_OPEN:
	case VMSECT_OP_DUPLICATE:
	case VMSECT_OP_ACCEPT:
		return reply->handle.handle | (reply->handle.existed ? EXISTED : 0);
	case VMSECT_OP_MAP:
		return reply->map.view;
	case VMSECT_OP_PASS:
		return reply->pass.offer;
	case VMSECT_OP_GRANT:
		return reply->grant.handles | (uint64_t)reply->grant.views << 32;
	default:
		return 0;
	}
}

void session_done(const struct session *session)
{
	struct party *party = session->party;
	const struct request *request = session->request;

	if (!party || !party->id || !is_once(request->op) || request->cookie <= party->last_cookie)
		return;
	party->last_cookie = request->cookie;
	party->last_op = request->op;
	party->last_result = result_of(request->op, session->reply);
	registry_changed(session->registry, REGISTRY_PARTY, party);
}

static int answer_handle(const struct session *session)
{
	struct vmsect_rep_handle *rep = &session->reply->handle;
	uint64_t result = session->party->last_result;
	struct handle *handle = session_find_handle(session, (uint32_t)result);
	const struct section *section;
	AUTO_FD int fd = -1;
	int r = 0;

	if (!handle)
		return -EBADF;
	section = handle->attachment->section;
	r = session_check_memory(session, section);
	if (!r && rights_has_fd(handle->access))
		r = backing_open(&section->backing,
				 rights_can_write(handle->access, section->protection), &fd);
	if (r == -EAGAIN)
		return r;
	if (r < 0)
		return refuse(session->refusal, r, VMSECT_DETAIL_NONE,
			      "no descriptor of the section: %s", strerror(-r));
	reply_start(session->reply, session->request, sizeof(*rep));
	rep->handle = handle->id;
	rep->access = handle->access;
	rep->existed = (result & EXISTED) != 0;
	wire_section(section, &rep->section);
	rep->hdr.fds = fd >= 0;
	session->reply->fd = steal_fd(&fd);
	return 0;
}

static int answer_map(const struct session *session)
{
	struct view *view = session_find_view(session, session->party->last_result);

	if (!view)
		return -ENXIO;
	reply_start(session->reply, session->request, sizeof(session->reply->map));
	session->reply->map.view = view->id;
	session->reply->map.length = view->length;
	return 0;
}

static void answer_pass(const struct session *session)
{
	reply_start(session->reply, session->request, sizeof(session->reply->pass));
	session->reply->pass.offer = session->party->last_result;
}

static void answer_grant(const struct session *session)
{
	reply_start(session->reply, session->request, sizeof(session->reply->grant));
	session->reply->grant.handles = (uint32_t)session->party->last_result;
	session->reply->grant.views = (uint32_t)(session->party->last_result >> 32);
}

/* The answer that was given, or would have been, to the last request. */
static int answer_again(const struct session *session)
{
	switch (session->request->op) {
	case VMSECT_OP_CREATE:
	case VMSECT_OP_OPEN:
	case VMSECT_OP_DUPLICATE:
	case VMSECT_OP_ACCEPT:
		return answer_handle(session);
	case VMSECT_OP_MAP:
		return answer_map(session);
	case VMSECT_OP_PASS:
		answer_pass(session);
		return 0;
	case VMSECT_OP_GRANT:
		answer_grant(session);
		return 0;
	default:
		reply_start(session->reply, session->request, sizeof(struct vmsect_msg_hdr));
		return 0;
	}
}

/*
 * A section that nobody has heard of: its memory went with the broker that made
 * it and did not come to say so.  It is made anew.  False: it is none of these.
 */
static bool forget_creation(const struct session *session)
{
	struct party *party = session->party;
	struct handle *handle = party_find_handle(party, (uint32_t)party->last_result);
	struct section *section = handle ? handle->attachment->section : NULL;

	if (party->last_op != VMSECT_OP_CREATE || party->last_result & EXISTED || !section ||
	    !section->missing)
		return false;
	if (section->handle_count > 1 || section->view_count || !TAILQ_EMPTY(&section->offers))
		return false;
	registry_remove_section(session->registry, section);
	registry_close(session->registry, handle);
	party->last_cookie--;
	party->last_op = 0;
	party->last_result = 0;
	return true;
}

int session_once_check(const struct session *session)
{
	const struct request *request = session->request;
	const struct party *party = session->party;
	int r;

	if (!is_once(request->op) || request->cookie > party->last_cookie)
		return 0;
	if (request->cookie != party->last_cookie || request->op != party->last_op)
		return refuse(session->refusal, -EINVAL, VMSECT_DETAIL_STATE,
			      "cookies ascend, and are not 0");
	if (forget_creation(session))
		return 0;
	r = answer_again(session);
	return r < 0 ? r : SESSION_E_DONE;
}
