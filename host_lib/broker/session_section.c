/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * OPEN, CLOSE, REMOVE, QUERY, and what they share with CREATE.
 */
#include "broker/session.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "broker/rights.h"
#include "broker/wire.h"

int session_give_handle(const struct session *session, struct section *section, uint32_t access,
			uint64_t expires_ms)
{
	struct vmsect_rep_handle *rep = &session->reply->handle;
	AUTO_FD int fd = -1;
	struct handle *handle = NULL;
	int r = 0;

	if (rights_has_fd(access))
		r = session_check_memory(session, section);
	if (r < 0)
		return r;
	if (rights_has_fd(access))
		r = backing_open(&section->backing, rights_can_write(access, section->protection),
				 &fd);
	if (r < 0)
		return refuse(session->refusal, r, VMSECT_DETAIL_NONE,
			      "no descriptor of the section: %s", strerror(-r));
	r = party_open(session->party, section, access, &handle, session->refusal);
	if (r < 0)
		return r;
	r = registry_expire_handle(session->registry, handle, expires_ms, session->refusal);
	if (r < 0) {
		/* It was given by another handle or by an offer: the section stays. */
		registry_close(session->registry, handle);
		return r;
	}
	reply_start(session->reply, session->request, sizeof(*rep));
	rep->handle = handle->id;
	rep->access = access;
	wire_section(section, &rep->section);
	rep->hdr.fds = fd >= 0;
	session->reply->fd = steal_fd(&fd);
	return 0;
}

int session_check_memory(const struct session *session, const struct section *section)
{
	if (!section->missing)
		return 0;
	return refuse(session->refusal, -EAGAIN, VMSECT_DETAIL_RECOVERY,
		      "the section's memory has not been handed back yet");
}

int session_open_section(const struct session *session, struct section *section, uint32_t access)
{
	int r;

	r = policy_check_open(session->party, &section->ownership, access, session->refusal);
	if (!r && section->sealed && access & (ACCESS_WRITE | ACCESS_EXTEND))
		return refuse(session->refusal, -EACCES, VMSECT_DETAIL_SEAL,
			      "the section is sealed; it is neither written nor extended");
	return r ? r : session_give_handle(session, section, access, 0);
}

/* The section of that name, or NULL and a refusal (ENOENT). */
static struct section *find_section(const struct session *session, const char *name)
{
	struct section *section = registry_find_section(session->registry, name);

	if (!section)
		(void)refuse(session->refusal, -ENOENT, VMSECT_DETAIL_NAME,
			     "there is no section '%s'", name);
	return section;
}

int session_open(const struct session *session)
{
	const struct vmsect_req_open *open = &session->request->open;
	struct section *section;
	int r;

	r = rights_check_access(open->access, session->refusal);
	if (r < 0)
		return r;
	section = find_section(session, open->name);
	if (!section)
		return -ENOENT;
	return session_open_section(session, section, open->access);
}

int session_close(const struct session *session)
{
	uint32_t id = session->request->handle.handle;
	struct handle *handle;

	if (!party_forget_revoked(session->party, id)) {
		handle = session_find_handle(session, id);
		if (!handle)
			return -EBADF;
		registry_close(session->registry, handle);
	}
	reply_start(session->reply, session->request, sizeof(struct vmsect_msg_hdr));
	return 0;
}

int session_remove(const struct session *session)
{
	const char *name = session->request->remove.name;
	struct section *section = find_section(session, name);

	if (!section)
		return -ENOENT;
	if (!policy_may_remove(&session->party->subject, &section->ownership))
		return refuse(session->refusal, -EACCES, VMSECT_DETAIL_ACCESS,
			      "only uid %u, its owner, and root may remove '%s'",
			      section->ownership.uid, name);
	registry_remove_section(session->registry, section);
	reply_start(session->reply, session->request, sizeof(struct vmsect_msg_hdr));
	return 0;
}

int session_query(const struct session *session)
{
	struct handle *handle = session_find_handle(session, session->request->handle.handle);

	if (!handle)
		return -EBADF;
	if (!(handle->access & ACCESS_QUERY))
		return refuse(session->refusal, -EPERM, VMSECT_DETAIL_ACCESS,
			      "the handle has no query access");
	reply_start(session->reply, session->request, sizeof(session->reply->section));
	wire_section(handle->attachment->section, &session->reply->section.section);
	return 0;
}
