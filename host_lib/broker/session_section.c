/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CREATE, OPEN, CLOSE, REMOVE, QUERY.
 *
 * CREATE checks in this order: backing and flags, protection, access, name,
 * descriptors and size, limits.  A file is extended only after all else has
 * passed, and a section whose handle cannot be made is unmade.
 */
#include "broker/session.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "broker/rights.h"
#include "broker/wire.h"

/* Values of the wire; vmsect.h has the same for programs. */
#define CREATE_PERMANENT 0x1u
#define CREATE_OPEN_IF 0x2u

static int refuse_attr(struct refusal *refusal, const char *what)
{
	return refuse(refusal, -EINVAL, VMSECT_DETAIL_ATTR, "%s", what);
}

static int check_backing(const struct vmsect_req_create *create, struct refusal *refusal)
{
	switch (create->backing) {
	case BACKING_FILE:
	case BACKING_SHMEM:
		if (create->page_shift)
			return refuse_attr(refusal, "only hugetlb sections choose a page");
		return 0;
	case BACKING_HUGETLB:
		if (create->page_shift && create->page_shift != BACKING_HUGE_SHIFT)
			return refuse_attr(refusal, "hugetlb pages are of 2 MiB (page shift 21)");
		return 0;
	case BACKING_DIRECTORY:
		return refuse(refusal, -EOPNOTSUPP, VMSECT_DETAIL_ATTR,
			      "page-file directories are not offered");
	default:
		return refuse_attr(refusal, "the kind of backing is unknown");
	}
}

static int check_flags(const struct vmsect_req_create *create, struct refusal *refusal)
{
	if (create->flags & ~(CREATE_PERMANENT | CREATE_OPEN_IF))
		return refuse_attr(refusal, "a flag is unknown");
	if (create->flags && !create->name[0])
		return refuse_attr(refusal, "a section without a name is neither permanent nor "
					    "opened");
	if (create->mode & ~0777u)
		return refuse_attr(refusal, "the mode is more than 0777");
	return 0;
}

static int check_create(const struct session *session)
{
	const struct vmsect_req_create *create = &session->request->create;
	struct refusal *refusal = session->refusal;
	int r;

	r = check_backing(create, refusal);
	if (!r)
		r = check_flags(create, refusal);
	if (!r)
		r = rights_check_section_protection(create->protection, refusal);
	if (!r)
		r = rights_check_access(create->access, refusal);
	return r;
}

/* Makes a handle with its descriptor, and the reply that tells of both. */
static int give_handle(const struct session *session, struct section *section, uint32_t access)
{
	struct vmsect_rep_handle *rep = &session->reply->handle;
	AUTO_FD int fd = -1;
	struct handle *handle = NULL;
	int r = 0;

	if (rights_has_fd(access))
		r = backing_open(&section->backing, access & ACCESS_WRITE, &fd);
	if (r < 0)
		return refuse(session->refusal, r, VMSECT_DETAIL_NONE,
			      "no descriptor of the section: %s", strerror(-r));
	r = party_open(session->party, section, access, &handle, session->refusal);
	if (r < 0)
		return r;
	reply_start(session->reply, session->request, sizeof(*rep));
	rep->handle = handle->id;
	wire_section(section, &rep->section);
	rep->hdr.fds = fd >= 0;
	session->reply->fd = steal_fd(&fd);
	return 0;
}

/* What policy and protection say to an open. */
static int open_section(const struct session *session, struct section *section, uint32_t access)
{
	int r;

	r = policy_check_open(&session->party->subject, &section->ownership, access,
			      session->refusal);
	if (!r)
		r = rights_check_open(access, section->protection, session->refusal);
	return r ? r : give_handle(session, section, access);
}

static void spec_of(const struct session *session, struct section_spec *spec)
{
	const struct vmsect_req_create *create = &session->request->create;
	const struct subject *subject = &session->party->subject;

	*spec = (struct section_spec){
		.name = create->name,
		.protection = create->protection,
		.permanent = create->flags & CREATE_PERMANENT,
		.ownership = { .uid = subject->uid, .gid = subject->gid, .mode = create->mode },
		.backing = {
			.kind = create->backing,
			.page_shift = create->backing == BACKING_HUGETLB ? BACKING_HUGE_SHIFT :
									   BACKING_PAGE_SHIFT,
			.writable = create->protection == PROTECTION_READWRITE,
			.size_bytes = create->size_bytes,
		},
	};
}

/* What the page file must have: a size, and no descriptors. */
static int settle_page_file(const struct session *session, struct backing_spec *spec)
{
	if (session->message->nfds)
		return refuse(session->refusal, -EINVAL, VMSECT_DETAIL_FILE,
			      "descriptors came with a section that has no data file");
	return backing_round(spec->page_shift, spec->size_bytes, &spec->size_bytes,
			     session->refusal);
}

static int fill_section(const struct session *session, struct section *section,
			const struct backing_spec *spec)
{
	if (spec->kind == BACKING_FILE)
		return backing_init_file(&section->backing, spec, session->message,
					 session->refusal);
	return backing_init_memory(&section->backing, spec, session->refusal);
}

static int create_section(const struct session *session, uint32_t access)
{
	struct section_spec spec;
	struct section *section = NULL;
	int r;

	spec_of(session, &spec);
	r = rights_check_open(access, spec.protection, session->refusal);
	if (!r && spec.backing.kind != BACKING_FILE)
		r = settle_page_file(session, &spec.backing);
	if (!r)
		r = registry_new_section(session->registry, &spec, &section, session->refusal);
	if (r < 0)
		return r;
	r = fill_section(session, section, &spec.backing);
	if (!r)
		r = give_handle(session, section, access);
	if (r < 0)
		registry_free_section(session->registry, section);
	return r;
}

int session_create(const struct session *session)
{
	const struct vmsect_req_create *create = &session->request->create;
	struct section *section = NULL;
	int r;

	r = check_create(session);
	if (r < 0)
		return r;
	if (create->name[0])
		section = registry_find_section(session->registry, create->name);
	if (!section)
		return create_section(session, create->access);
	if (!(create->flags & CREATE_OPEN_IF))
		return refuse(session->refusal, -EEXIST, VMSECT_DETAIL_NAME,
			      "there is a section '%s' already", create->name);
	r = open_section(session, section, create->access);
	if (!r)
		session->reply->handle.existed = 1;
	return r;
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
	return open_section(session, section, open->access);
}

int session_close(const struct session *session)
{
	struct handle *handle = session_find_handle(session, session->request->handle.handle);

	if (!handle)
		return -EBADF;
	registry_close(session->registry, handle);
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
