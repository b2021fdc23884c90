/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SEAL.  The broker looks at handles and views, the kernel at mappings that it
 * was not told of: a shared mapping that could be written keeps the seal away.
 */
#include "broker/session.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/sys.h"
#include "broker/offer.h"
#include "broker/rights.h"

static int refuse_writers(struct refusal *refusal, const char *who)
{
	return refuse(refusal, -EBUSY, VMSECT_DETAIL_WRITERS, "%s", who);
}

static bool has_other_writer(const struct section *section, const struct handle *except)
{
	const struct attachment *attachment;
	const struct handle *handle;

	TAILQ_FOREACH (attachment, &section->attachments, of_section) {
		TAILQ_FOREACH (handle, &attachment->handles, of_attachment) {
			if (handle != except &&
			    rights_can_write(handle->access, section->protection))
				return true;
		}
	}
	return false;
}

/* What counts is what the view may become again. */
static bool has_writable_view(const struct section *section)
{
	const struct view *view;

	TAILQ_FOREACH (view, &section->views, of_section) {
		if (rights_is_writable(view->protection))
			return true;
	}
	return false;
}

static int check_writers(const struct section *section, const struct handle *handle,
			 struct refusal *refusal)
{
	if (has_other_writer(section, handle))
		return refuse_writers(refusal, "another handle has write access");
	if (has_writable_view(section))
		return refuse_writers(refusal, "a view of the section can write");
	if (section->pins)
		return refuse_writers(refusal, "a request still works on the section");
	return 0;
}

static int check_seal(const struct session *session, const struct handle *handle)
{
	const struct section *section = handle->attachment->section;
	uint32_t needed = ACCESS_WRITE | ACCESS_GRANT;
	int r;

	if ((handle->access & needed) != needed)
		return refuse(session->refusal, -EPERM, VMSECT_DETAIL_ACCESS,
			      "the handle has not both write and grant access");
	if (section->exportable)
		return refuse(session->refusal, -EOPNOTSUPP, VMSECT_DETAIL_SEAL,
			      "the section can be exported, and its file takes no seals");
	if (!section->sealable)
		return refuse(session->refusal, -EOPNOTSUPP, VMSECT_DETAIL_SEAL,
			      "the section was not made to be sealed");
	r = session_check_memory(session, section);
	return r ? r : check_writers(section, handle, session->refusal);
}

static int seal_memory(const struct section *section, struct refusal *refusal)
{
	int r;

	if (section->sealed) /* by another handle whose right to write had no effect */
		return 0;
	r = sys_result(fcntl(section->backing.rw_fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL));

	if (r == -EBUSY)
		return refuse_writers(refusal, "somebody has the section mapped for writing");
	if (r < 0)
		return refuse(refusal, r, VMSECT_DETAIL_SEAL, "the memory cannot be sealed: %s",
			      strerror(-r));
	return 0;
}

/* Offers of what nobody can have any more. */
static void end_offers(struct registry *registry, struct section *section)
{
	struct offer *offer, *next;

	for (offer = TAILQ_FIRST(&section->offers); offer; offer = next) {
		next = TAILQ_NEXT(offer, of_section);
		if (offer->access & (ACCESS_WRITE | ACCESS_EXTEND))
			offer_end(registry, offer);
	}
}

static void note_seal(struct registry *registry, struct section *section, struct handle *handle)
{
	section->sealed = true;
	section->protection = rights_sealed(section->protection);
	section->generation++;
	handle->access &= ~(uint32_t)(ACCESS_WRITE | ACCESS_EXTEND);
	end_offers(registry, section);
	registry_changed(registry, REGISTRY_SECTION, section);
	registry_changed(registry, REGISTRY_HANDLE, handle);
}

int session_seal(const struct session *session)
{
	struct handle *handle = session_find_handle(session, session->request->handle.handle);
	struct section *section;
	int r;

	if (!handle)
		return -EBADF;
	section = handle->attachment->section;
	r = check_seal(session, handle);
	if (!r)
		r = seal_memory(section, session->refusal);
	if (r < 0)
		return r;
	note_seal(session->registry, section, handle);
	reply_start(session->reply, session->request, sizeof(struct vmsect_msg_hdr));
	return 0;
}
