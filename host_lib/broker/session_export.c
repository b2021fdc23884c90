/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EXPORT, UNEXPORT, LIST_EXPORTS. */
#include "broker/session.h"

#include <errno.h>
#include <string.h>

#include "broker/export.h"
#include "broker/rights.h"
#include "broker/wire.h"

/* The section of a handle that may say who else reaches it; or NULL, and a refusal. */
static struct section *find_section(const struct session *session, uint32_t id)
{
	struct handle *handle = session_find_handle(session, id);
	struct section *section;

	if (!handle)
		return NULL;
	section = handle->attachment->section;
	if (handle->access & ACCESS_GRANT)
		return session_check_memory(session, section) < 0 ? NULL : section;
	(void)refuse(session->refusal, -EPERM, VMSECT_DETAIL_ACCESS,
		     "the handle has no grant access");
	return NULL;
}

/* As chown(2) has it: who is not root gives nothing away but to his own groups. */
static int check_owner(const struct session *session, const struct section *section)
{
	const struct vmsect_req_export *request = &session->request->export;
	const struct subject *subject = &session->party->subject;
	bool is_own_uid = request->uid == VMSECT_EXPORT_SAME || request->uid == subject->uid ||
			  request->uid == section->ownership.uid;

	if (!subject->uid)
		return 0;
	if (!is_own_uid)
		return refuse(session->refusal, -EPERM, VMSECT_DETAIL_ACCESS,
			      "uid %u cannot give a path to uid %u", subject->uid, request->uid);
	if (request->gid == VMSECT_EXPORT_SAME || request->gid == section->ownership.gid ||
	    policy_in_group(subject, request->gid))
		return 0;
	return refuse(session->refusal, -EPERM, VMSECT_DETAIL_ACCESS, "uid %u is not in group %u",
		      subject->uid, request->gid);
}

int session_export(const struct session *session)
{
	const struct vmsect_req_export *request = &session->request->export;
	const struct export_spec spec = {
		.kind = request->kind,
		.mode = request->mode,
		.uid = request->uid,
		.gid = request->gid,
		.vectors = request->vectors,
	};
	struct vmsect_rep_export *reply = &session->reply->export;
	const struct export *export;
	struct section *section = find_section(session, request->handle);
	int r;

	if (!section)
		return session->refusal->status;
	r = check_owner(session, section);
	if (!r)
		r = export_set(session->registry, section, &spec, session->refusal);
	if (r < 0)
		return r;
	export = export_find(section, spec.kind);
	reply_start(session->reply, session->request, sizeof(*reply));
	reply->kind = export->kind;
	reply->vectors = export->vectors;
	memcpy(reply->path, export->path, sizeof(reply->path));
	return 0;
}

int session_unexport(const struct session *session)
{
	const struct vmsect_req_unexport *request = &session->request->unexport;
	struct section *section = find_section(session, request->handle);
	int r;

	if (!section)
		return session->refusal->status;
	r = export_take_back(session->registry, section, request->kind, session->refusal);
	if (r < 0)
		return r;
	reply_start(session->reply, session->request, sizeof(struct vmsect_msg_hdr));
	return 0;
}

/* False when the message is full. */
static bool list_of(const struct session *session, const struct section *section)
{
	struct vmsect_wire_export *entry;
	uint32_t kind;

	if (!session_may_see(session, section))
		return true;
	for (kind = 1; kind <= EXPORT_KINDS; kind++) {
		const struct export *export = export_find(section, kind);

		if (!export || WIRE_EXPORT_ID(section->id, kind) <= session->request->list.after)
			continue;
		entry = reply_list_entry(session->reply, sizeof(*entry));
		if (!entry)
			return false;
		wire_export(section, export, entry);
	}
	return true;
}

static int list_one(const struct session *session, uint64_t id)
{
	const struct section *section = registry_find_section_id(session->registry, id);

	if (section)
		(void)list_of(session, section); /* there is room for its few */
	return 0;
}

int session_list_exports(const struct session *session)
{
	const struct vmsect_req_list *list = &session->request->list;
	uint64_t last = list->after >> 2; /* WIRE_EXPORT_ID: it may have more */
	struct section *section;

	reply_start(session->reply, session->request, sizeof(struct vmsect_rep_list));
	if (list->section)
		return list_one(session, list->section);
	section = session_section_after(session, last ? last - 1 : 0);
	while (section && list_of(session, section))
		section = section->hh.next;
	session->reply->list.more = section != NULL;
	return 0;
}
