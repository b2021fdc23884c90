/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PROTECT: may pages of a view have another protection?  The client does it, all
 * or nothing, after this has said yes.  Checked in this order: protection value,
 * view, NO_CHANGE, the protection with which it was mapped, range, committed
 * pages, limit of private pages.
 */
#include "broker/session.h"

#include <errno.h>
#include <inttypes.h>
#include <vmsect/vmsect.h>

#include "broker/rights.h"

static int check_protection(const struct view *view, uint32_t protection, struct refusal *refusal)
{
	if (view->flags & VMSECT_VIEW_NO_CHANGE && protection != view->protection)
		return refuse(refusal, -EINVAL, VMSECT_DETAIL_PROTECTION,
			      "view %" PRIu64 " was mapped for one protection for ever", view->id);
	return rights_check_protect(view->protection, protection, refusal);
}

static int check_committed(const struct view *view, uint64_t offset, uint64_t length,
			   struct refusal *refusal)
{
	const struct section *section = view->attachment->section;
	uint64_t missing;

	if (!section->reserve)
		return 0;
	missing = commit_map_missing(&section->committed, view->offset + offset, length);
	if (missing)
		return refuse(refusal, -EINVAL, VMSECT_DETAIL_COMMIT,
			      "0x%" PRIx64 " bytes of the range are not committed", missing);
	return 0;
}

/* Of the whole view, as far as one number can say it. */
static void note_protection(const struct session *session, struct view *view, uint64_t length,
			    uint32_t protection)
{
	if (length == view->length)
		view->protection_now = protection;
	else if (view->protection_now != protection)
		view->protection_now = 0;
	registry_changed(session->registry, REGISTRY_VIEW, view);
}

int session_protect(const struct session *session)
{
	const struct vmsect_req_protect *protect = &session->request->protect;
	uint64_t offset = protect->offset, length = protect->length;
	struct refusal *refusal = session->refusal;
	struct view *view;
	int r;

	r = rights_check_view_protection(protect->protection, refusal);
	if (r < 0)
		return r;
	view = session_find_view(session, protect->view);
	if (!view)
		return -ENXIO;
	r = check_protection(view, protect->protection, refusal);
	if (!r)
		r = rights_check_part_of_view(view->length, view->attachment->section->page_shift,
					      &offset, &length, refusal);
	if (!r)
		r = check_committed(view, offset, length, refusal);
	if (!r && rights_is_writecopy(protect->protection))
		r = registry_charge_private(session->registry, view, refusal);
	if (r < 0)
		return r;
	note_protection(session, view, length, protect->protection);
	reply_start(session->reply, session->request, sizeof(struct vmsect_msg_hdr));
	return 0;
}
