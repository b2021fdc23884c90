/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LIST_SECTIONS, LIST_VIEWS, LIST_PEERS.  The tables of sections and views keep the
 * order in which their entries were added, which is that of the ids.  A walk goes on behind
 * the entry `after`; if that has gone in between, it looks from the start.
 */
#include "broker/session.h"

#include <errno.h>

#include "broker/wire.h"

static void list_start(const struct session *session)
{
	reply_start(session->reply, session->request, sizeof(struct vmsect_rep_list));
}

/* The first section behind `after`. */
struct section *session_section_after(const struct session *session, uint64_t after)
{
	const struct registry *registry = session->registry;
	struct section *section = registry_find_section_id(registry, after);

	if (section)
		return section->hh.next;
	section = registry->sections;
	while (section && section->id <= after)
		section = section->hh.next;
	return section;
}

/* Who has something of a section knows of it, whatever the owner says of others. */
bool session_may_see(const struct session *session, const struct section *section)
{
	return party_find_attachment(session->party, section->id) ||
	       policy_may_see(session->party, &section->ownership);
}

/* False when the message is full. */
static bool list_section(const struct session *session, const struct section *section)
{
	struct vmsect_wire_section *entry;

	if (!session_may_see(session, section))
		return true;
	entry = reply_list_entry(session->reply, sizeof(*entry));
	if (!entry)
		return false;
	wire_section(section, entry);
	return true;
}

static int list_one_section(const struct session *session, const char *name)
{
	struct section *section = registry_find_section(session->registry, name);

	if (!section || !session_may_see(session, section))
		return refuse(session->refusal, -ENOENT, VMSECT_DETAIL_NAME,
			      "there is no section '%s'", name);
	list_start(session);
	if (section->id > session->request->list.after)
		(void)list_section(session, section);
	return 0;
}

int session_list_sections(const struct session *session)
{
	const struct vmsect_req_list *list = &session->request->list;
	struct section *section;

	if (list->name[0])
		return list_one_section(session, list->name);
	list_start(session);
	section = session_section_after(session, list->after);
	while (section && list_section(session, section))
		section = section->hh.next;
	session->reply->list.more = section != NULL;
	return 0;
}

/* The first view behind `after`, in all or of one section. */
static struct view *view_after(const struct registry *registry, const struct section *section,
			       uint64_t after)
{
	struct view *view = registry_find_view(registry, after);

	if (view && (!section || view->attachment->section == section))
		return section ? TAILQ_NEXT(view, of_section) : view->hh.next;
	view = section ? TAILQ_FIRST(&section->views) : registry->views;
	while (view && view->id <= after)
		view = section ? TAILQ_NEXT(view, of_section) : view->hh.next;
	return view;
}

static bool list_view(const struct session *session, const struct view *view)
{
	struct vmsect_wire_view *entry;

	if (!session_may_see(session, view->attachment->section))
		return true;
	entry = reply_list_entry(session->reply, sizeof(*entry));
	if (!entry)
		return false;
	wire_view(view, &session->party->subject, entry);
	return true;
}

int session_list_views(const struct session *session)
{
	const struct vmsect_req_list *list = &session->request->list;
	const struct section *section = NULL;
	struct view *view;

	list_start(session);
	if (list->section) {
		section = registry_find_section_id(session->registry, list->section);
		if (!section)
			return 0;
	}
	view = view_after(session->registry, section, list->after);
	while (view && list_view(session, view))
		view = section ? TAILQ_NEXT(view, of_section) : view->hh.next;
	session->reply->list.more = view != NULL;
	return 0;
}

/* Is the party one that the client asked for? */
static bool is_wanted(const struct session *session, const struct party *party)
{
	uint64_t section_id = session->request->list.section;
	const struct attachment *attachment;

	if (!section_id)
		return true;
	attachment = party_find_attachment(party, section_id);
	return attachment && session_may_see(session, attachment->section);
}

/* By number, and not in the order of the table: numbers come round again. */
int session_list_peers(const struct session *session)
{
	const struct registry *registry = session->registry;
	uint64_t after = session->request->list.after;
	struct vmsect_wire_peer *entry;
	const struct party *party;
	uint32_t id;

	list_start(session);
	id = after < VMSECT_PEER_MAX ? (uint32_t)after : VMSECT_PEER_MAX;
	while ((id = party_ids_next(&registry->party_ids, id))) {
		party = registry_find_party(registry, id);
		if (!is_wanted(session, party))
			continue;
		entry = reply_list_entry(session->reply, sizeof(*entry));
		if (!entry)
			break;
		wire_peer(party, entry);
	}
	session->reply->list.more = id != 0;
	return 0;
}
