/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CREATE.  Checks in this order: backing and flags, protection, access, name,
 * size, limits, descriptors.  The section is a draft, which nobody else can
 * find, until its memory is there: what waits for a disk is done by a job, and
 * then the name is looked at once more.  A section whose handle cannot be made
 * is unmade.
 */
#include "broker/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "broker/export.h"
#include "broker/job.h"
#include "broker/rights.h"

/* Values of the wire; vmsect.h has the same for programs. */
#define CREATE_PERMANENT 0x1u
#define CREATE_OPEN_IF 0x2u
#define CREATE_COMMIT 0x4u
#define CREATE_RESERVE 0x8u
#define CREATE_ALLOCATE 0x10u
#define CREATE_SEALABLE 0x20u
#define CREATE_EXPORTABLE 0x80u /* 0x40 is the library's alone */
#define CREATE_ALL 0xbfu

/* A section that is being made. */
struct creation {
	struct job job;
	struct section *section; /* a draft; owned */
	struct backing_work work;
};

static int refuse_attr(struct refusal *refusal, const char *what)
{
	return refuse(refusal, -EINVAL, VMSECT_DETAIL_ATTR, "%s", what);
}

static bool is_memory(uint32_t backing)
{
	return backing == BACKING_SHMEM || backing == BACKING_HUGETLB;
}

static int check_backing(const struct vmsect_req_create *create, struct refusal *refusal)
{
	if (create->backing == BACKING_FILE && create->max_bytes)
		return refuse_attr(refusal, "a data file grows without a bound of its own");
	switch (create->backing) {
	case BACKING_FILE:
	case BACKING_SHMEM:
	case BACKING_DIRECTORY:
		if (create->page_shift)
			return refuse_attr(refusal, "only hugetlb sections choose a page");
		return 0;
	case BACKING_HUGETLB:
		if (create->page_shift && create->page_shift != BACKING_HUGE_SHIFT)
			return refuse_attr(refusal, "hugetlb pages are of 2 MiB (page shift 21)");
		return 0;
	default:
		return refuse_attr(refusal, "the kind of backing is unknown");
	}
}

/*
 * Others see a plain file: all of it, at the size that it has, and without a seal
 * that they could respect.
 */
static int check_exportable(const struct vmsect_req_create *create, struct refusal *refusal)
{
	if (create->backing == BACKING_FILE)
		return refuse_attr(refusal, "a data file has a path already");
	if (create->backing == BACKING_DIRECTORY)
		return refuse(refusal, -EOPNOTSUPP, VMSECT_DETAIL_ATTR,
			      "sections of the page-file directory have no path for others");
	if (create->flags & CREATE_SEALABLE)
		return refuse_attr(refusal, "what can be exported cannot be sealed");
	if (create->flags & CREATE_RESERVE)
		return refuse_attr(refusal, "what can be exported has all its pages");
	if (create->max_bytes)
		return refuse_attr(refusal, "what can be exported keeps its size");
	return 0;
}

/* What the flags say of the memory, against its kind. */
static int check_memory_flags(const struct vmsect_req_create *create, struct refusal *refusal)
{
	uint32_t flags = create->flags;

	if (!(flags & CREATE_COMMIT) == !(flags & CREATE_RESERVE))
		return refuse_attr(refusal, "a section is made with one of COMMIT and RESERVE");
	if (flags & CREATE_RESERVE && create->backing == BACKING_DIRECTORY)
		return refuse(refusal, -EOPNOTSUPP, VMSECT_DETAIL_ATTR,
			      "sections of the page-file directory have all their pages");
	if (flags & CREATE_RESERVE && flags & CREATE_ALLOCATE)
		return refuse_attr(refusal, "what is only reserved is not allocated");
	if (flags & CREATE_ALLOCATE && create->backing == BACKING_FILE)
		return refuse_attr(refusal, "only page file is allocated");
	if (flags & CREATE_SEALABLE && !is_memory(create->backing))
		return refuse_attr(refusal, "only shmem and hugetlb sections can be sealed");
	return 0;
}

static int check_flags(const struct vmsect_req_create *create, struct refusal *refusal)
{
	if (create->flags & ~CREATE_ALL)
		return refuse_attr(refusal, "a flag is unknown");
	if (create->flags & (CREATE_PERMANENT | CREATE_OPEN_IF) && !create->name[0])
		return refuse_attr(refusal, "a section without a name is neither permanent nor "
					    "opened");
	if (create->mode & ~0777u)
		return refuse_attr(refusal, "the mode is more than 0777");
	if (create->flags & CREATE_EXPORTABLE && check_exportable(create, refusal) < 0)
		return refusal->status;
	return check_memory_flags(create, refusal);
}

static int check_create(const struct session *session)
{
	const struct vmsect_req_create *create = &session->request->create;
	struct refusal *refusal = session->refusal;
	int r;

	r = check_backing(create, refusal);
	if (!r)
		r = check_flags(create, refusal);
	if (!r && create->backing == BACKING_DIRECTORY && !session->page_file_dir)
		r = refuse(refusal, -EOPNOTSUPP, VMSECT_DETAIL_ATTR,
			   "this broker has no page-file directory");
	if (!r)
		r = rights_check_section_protection(create->protection, refusal);
	if (!r)
		r = rights_check_access(create->access, refusal);
	return r;
}

static void spec_of(const struct session *session, struct section_spec *spec)
{
	const struct vmsect_req_create *create = &session->request->create;
	const struct export_host *host = session->registry->export_host;
	const struct subject *subject = &session->party->subject;
	bool reserve = create->flags & CREATE_RESERVE && is_memory(create->backing);

	*spec = (struct section_spec){
		.name = create->name,
		.protection = create->protection,
		.permanent = create->flags & CREATE_PERMANENT,
		.reserve = reserve,
		.sealable = create->flags & CREATE_SEALABLE,
		.exportable = create->flags & CREATE_EXPORTABLE,
		.ownership = { .uid = subject->uid, .gid = subject->gid, .mode = create->mode },
		.backing = {
			.kind = create->backing,
			.page_shift = create->backing == BACKING_HUGETLB ? BACKING_HUGE_SHIFT :
									   BACKING_PAGE_SHIFT,
			.writable = rights_is_writable(create->protection),
			.executable = create->protection >= PROTECTION_EXECUTE,
			.reserve = reserve,
			.sealable = create->flags & CREATE_SEALABLE,
			.exportable = create->flags & CREATE_EXPORTABLE,
			.export_dir = host ? host->dir : NULL,
			.allocate = create->flags & CREATE_ALLOCATE,
			.size_bytes = create->size_bytes,
			.subject = subject,
		},
	};
}

/* How far EXTEND may go: at least as far as the section is. */
static int settle_max(const struct session *session, struct section_spec *spec)
{
	uint64_t max_bytes = session->request->create.max_bytes;
	int r;

	if (!max_bytes)
		max_bytes = spec->backing.size_bytes;
	r = backing_round(spec->backing.page_shift, max_bytes, &max_bytes, session->refusal);
	if (r < 0)
		return r;
	if (max_bytes < spec->backing.size_bytes)
		return refuse(session->refusal, -EINVAL, VMSECT_DETAIL_SIZE,
			      "max_bytes are less than the section's size");
	spec->max_bytes = max_bytes;
	spec->backing.max_bytes = max_bytes;
	return 0;
}

/* What the page file must have: a size, and no descriptors. */
static int settle_page_file(const struct session *session, struct section_spec *spec)
{
	int r;

	if (session->message->nfds)
		return refuse(session->refusal, -EINVAL, VMSECT_DETAIL_FILE,
			      "descriptors came with a section that has no data file");
	r = backing_round(spec->backing.page_shift, spec->backing.size_bytes,
			  &spec->backing.size_bytes, session->refusal);
	return r ? r : settle_max(session, spec);
}

static int fill_section(const struct session *session, struct creation *creation,
			const struct backing_spec *spec)
{
	struct backing *backing = &creation->section->backing;

	switch (spec->kind) {
	case BACKING_FILE:
		return backing_init_file(backing, spec, session->message, &creation->work,
					 session->refusal);
	case BACKING_DIRECTORY:
		return backing_init_directory(backing, spec, session->page_file_dir,
					      &creation->work, session->refusal);
	default:
		return backing_init_memory(backing, spec, &creation->work, session->refusal);
	}
}

/* There is a section of that name: that is a refusal, or what OPEN_IF asks for. */
static int open_existing(const struct session *session, struct section *section)
{
	const struct vmsect_req_create *create = &session->request->create;
	int r;

	if (!(create->flags & CREATE_OPEN_IF))
		return refuse(session->refusal, -EEXIST, VMSECT_DETAIL_NAME,
			      "there is a section '%s' already", create->name);
	r = session_open_section(session, section, create->access);
	if (!r)
		session->reply->handle.existed = 1;
	return r;
}

/* NULL: there is none of the name that is asked for. */
static struct section *find_existing(const struct session *session)
{
	const char *name = session->request->create.name;

	return name[0] ? registry_find_section(session->registry, name) : NULL;
}

/* The memory is there: now it becomes a section that others see. */
static int give_section(const struct session *session, struct creation *creation)
{
	struct section *section = creation->section, *existing = find_existing(session);
	int r;

	if (existing) /* since this one was begun */
		return open_existing(session, existing);
	r = registry_list_section(session->registry, section, session->refusal);
	if (r < 0)
		return r;
	creation->section = NULL;
	r = session_give_handle(session, section, session->request->create.access, 0);
	if (r < 0)
		registry_free_section(session->registry, section);
	return r;
}

static void create_run(struct job *job)
{
	struct creation *creation = (struct creation *)job;

	job->status = backing_work_run(&creation->work);
}

static int create_finish(struct job *job, const struct session *session)
{
	struct creation *creation = (struct creation *)job;
	int r;

	if (job->status < 0)
		r = backing_refuse_work(&creation->work, job->status, session->refusal);
	else if (!session->party)
		r = -EPIPE;
	else
		r = give_section(session, creation);
	if (creation->section)
		registry_free_section(session->registry, creation->section);
	creation->section = NULL;
	return r;
}

static void create_free(struct job *job)
{
	free(job);
}

/* At once if there is nothing to wait for. */
static int make_section(const struct session *session, struct creation *creation,
			const struct section_spec *spec)
{
	int r = fill_section(session, creation, &spec->backing);

	if (r < 0)
		return r;
	if (creation->work.from >= creation->work.to)
		return give_section(session, creation);
	creation->job.run = create_run;
	creation->job.finish = create_finish;
	creation->job.free = create_free;
	return jobs_start(session, &creation->job, NULL);
}

static int create_section(const struct session *session)
{
	struct creation *creation;
	struct section_spec spec;
	int r = 0;

	spec_of(session, &spec);
	if (spec.backing.kind != BACKING_FILE)
		r = settle_page_file(session, &spec);
	if (r < 0)
		return r;
	creation = calloc(1, sizeof(*creation));
	if (!creation)
		return refuse_memory(session->refusal);
	r = registry_draft_section(session->registry, &spec, &creation->section, session->refusal);
	if (!r)
		r = make_section(session, creation, &spec);
	if (r == SESSION_E_LATER)
		return r; /* the job has it */
	if (creation->section)
		registry_free_section(session->registry, creation->section);
	free(creation);
	return r;
}

int session_create(const struct session *session)
{
	struct section *existing;
	int r;

	r = check_create(session);
	if (r < 0)
		return r;
	existing = find_existing(session);
	return existing ? open_existing(session, existing) : create_section(session);
}
