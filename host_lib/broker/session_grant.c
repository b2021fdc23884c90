/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GRANT, LIST_GRANTS. */
#include "broker/session.h"

#include <errno.h>

#include "broker/grant.h"
#include "broker/revoke.h"
#include "broker/rights.h"

/* What the decoder cannot know. */
static int check_grant(const struct vmsect_req_grant *grant, struct refusal *refusal)
{
	if (grant->grant.access & ~(uint32_t)ACCESS_ALL)
		return refuse(refusal, -EINVAL, VMSECT_DETAIL_ACCESS,
			      "access mask 0x%x has unknown bits", grant->grant.access);
	if (grant->flags & VMSECT_GRANT_TAKE_BACK && grant->grant.access)
		return refuse(refusal, -EINVAL, VMSECT_DETAIL_ACCESS,
			      "a grant that is taken back has no access");
	return 0;
}

int session_grant(const struct session *session)
{
	const struct vmsect_req_grant *grant = &session->request->grant;
	struct revoke_count count = { 0 };
	struct section *section;
	struct handle *handle;
	int r;

	r = check_grant(grant, session->refusal);
	if (r < 0)
		return r;
	handle = session_find_handle(session, grant->handle);
	if (!handle)
		return -EBADF;
	if (!(handle->access & ACCESS_GRANT))
		return refuse(session->refusal, -EPERM, VMSECT_DETAIL_ACCESS,
			      "the handle has no grant access");
	section = handle->attachment->section;
	if (grant->flags & VMSECT_GRANT_TAKE_BACK)
		r = grant_take_back(session->registry, section, &grant->grant, session->refusal);
	else
		r = grant_set(session->registry, section, &grant->grant, session->refusal);
	if (r < 0)
		return r;
	if (grant->flags & VMSECT_GRANT_REVOKE)
		revoke_by_grant(session->registry, section, &grant->grant, session->party, &count);
	reply_start(session->reply, session->request, sizeof(session->reply->grant));
	session->reply->grant.handles = count.handles;
	session->reply->grant.views = count.views;
	return 0;
}

int session_list_grants(const struct session *session)
{
	const struct ownership *ownership;
	struct vmsect_wire_grant *entry;
	struct handle *handle;
	uint32_t i;

	handle = session_find_handle(session, session->request->handle.handle);
	if (!handle)
		return -EBADF;
	if (!(handle->access & ACCESS_QUERY))
		return refuse(session->refusal, -EPERM, VMSECT_DETAIL_ACCESS,
			      "the handle has no query access");
	ownership = &handle->attachment->section->ownership;
	reply_start(session->reply, session->request, sizeof(struct vmsect_rep_list));
	for (i = 0; i < ownership->grant_count; i++) {
		/* All fit one message, see below. */
		entry = reply_list_entry(session->reply, sizeof(*entry));
		if (entry)
			*entry = ownership->grants[i];
	}
	return 0;
}

_Static_assert(sizeof(struct vmsect_rep_list) +
			       VMSECT_GRANTS_MAX * sizeof(struct vmsect_wire_grant) <=
		       VMSECT_MSG_MAX,
	       "all grants fit one message");
