/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EXTEND.  Memory has its full size from the start, so that only its charge and
 * the section's size change; files get their blocks by a job first.  Jobs of one
 * section run one after the other, but a job may find that the section has
 * grown since it was asked for: it then changes what is left to change.
 */
#include "broker/session.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "broker/job.h"
#include "broker/rights.h"

/* Values of the wire; vmsect.h has the same for programs. */
#define VIEW_GROWABLE 0x1u

struct extension {
	struct job job;
	struct backing_work work; /* its descriptor is owned */
	uint64_t held; /* bytes of page file, for this */
};

static int reply_size(const struct session *session, const struct section *section)
{
	reply_start(session->reply, session->request, sizeof(session->reply->extend));
	session->reply->extend.size_bytes = section->backing.size_bytes;
	return 0;
}

/* What a growable view has of the section now. */
static uint64_t grown_length(const struct view *view, const struct section *section)
{
	uint64_t page = UINT64_C(1) << section->page_shift;
	uint64_t left = section->backing.size_bytes - view->offset;

	left = (left + page - 1) & ~(page - 1);
	return left < view->room ? left : view->room;
}

static void grow_views(const struct registry *registry, struct section *section)
{
	struct view *view;
	uint64_t length;

	TAILQ_FOREACH (view, &section->views, of_section) {
		length = grown_length(view, section);
		if (!(view->flags & VIEW_GROWABLE) || length <= view->length)
			continue;
		view->length = length;
		registry_changed(registry, REGISTRY_VIEW, view);
	}
}

static void set_size(const struct registry *registry, struct section *section, uint64_t size_bytes)
{
	const struct registry_event event = {
		.type = VMSECT_WIRE_EVENT_RESIZED,
		.section = section->id,
		.value = size_bytes,
	};

	section->backing.size_bytes = size_bytes;
	section->generation++;
	grow_views(registry, section);
	registry_changed(registry, REGISTRY_SECTION, section);
	registry_tell_section(registry, section, true, &event);
}

static int refuse_extend(const struct session *session, int status, const char *what)
{
	return refuse(session->refusal, status, VMSECT_DETAIL_EXTEND, "%s", what);
}

/* A larger size of a data file. */
static int check_file(const struct session *session, const struct section *section,
		      uint64_t size_bytes)
{
	if (!rights_is_writable(section->protection))
		return refuse(session->refusal, -EACCES, VMSECT_DETAIL_PROTECTION,
			      "the file is not to be written");
	if (size_bytes > BACKING_BYTES_MAX)
		return refuse(session->refusal, -EFBIG, VMSECT_DETAIL_SIZE,
			      "%" PRIu64 " bytes are more than a section can have", size_bytes);
	return 0;
}

/* A larger size of page file, which becomes whole pages. */
static int check_page_file(const struct session *session, const struct section *section,
			   uint64_t *size_bytes)
{
	int r;

	if (section->max_bytes <= section->backing.size_bytes)
		return refuse_extend(session, -EOPNOTSUPP,
				     "the section was not made to grow (max_bytes)");
	r = backing_round(section->page_shift, *size_bytes, size_bytes, session->refusal);
	if (r < 0)
		return r;
	if (*size_bytes > section->max_bytes)
		return refuse(session->refusal, -EFBIG, VMSECT_DETAIL_SIZE,
			      "the section was made to grow to %" PRIu64 " bytes",
			      section->max_bytes);
	return 0;
}

/* Memory: nothing to wait for. */
static int extend_memory(const struct session *session, struct section *section,
			 uint64_t size_bytes)
{
	uint64_t old_bytes = section->backing.size_bytes;
	uint64_t charge = section->reserve ? 0 : size_bytes - old_bytes;
	int r = registry_charge_bytes(session->registry, section, charge, session->refusal);

	if (r < 0)
		return r;
	if (section->backing_kind == BACKING_HUGETLB && !section->reserve)
		r = backing_reserve_huge(section->backing.rw_fd, size_bytes, old_bytes,
					 session->refusal);
	if (r < 0) {
		registry_refund_bytes(session->registry, section, charge);
		return r;
	}
	set_size(session->registry, section, size_bytes);
	return reply_size(session, section);
}

static void extend_run(struct job *job)
{
	job->status = backing_work_run(&((struct extension *)job)->work);
}

static int extend_finish(struct job *job, const struct session *session)
{
	struct extension *extension = (struct extension *)job;
	struct section *section = job->section;
	uint64_t had = section->backing.size_bytes, to = extension->work.to;
	uint64_t grown = !job->status && to > had ? to - had : 0;

	registry_settle_bytes(session->registry, section, extension->held,
			      extension->held ? grown : 0);
	if (job->status < 0)
		return backing_refuse_work(&extension->work, job->status, session->refusal);
	if (grown)
		set_size(session->registry, section, to);
	return session->party ? reply_size(session, section) : 0;
}

static void extend_free(struct job *job)
{
	fd_close(((struct extension *)job)->work.fd);
	free(job);
}

static struct extension *extension_new(const struct section *section, uint64_t size_bytes)
{
	struct extension *extension = calloc(1, sizeof(*extension));
	int fd;

	if (!extension)
		return NULL;
	fd = sys_result(fcntl(section->backing.rw_fd, F_DUPFD_CLOEXEC, 0));
	extension->job.run = extend_run;
	extension->job.finish = extend_finish;
	extension->job.free = extend_free;
	extension->job.key = section->id;
	extension->work = (struct backing_work){
		.fd = fd,
		.from = section->backing.size_bytes,
		.to = size_bytes,
		.kind = section->backing_kind,
	};
	return extension;
}

/* Files: blocks first. */
static int extend_file(const struct session *session, struct section *section, uint64_t size_bytes)
{
	struct extension *extension = extension_new(section, size_bytes);
	uint64_t charge = 0;
	int r;

	if (!extension)
		return refuse_memory(session->refusal);
	if (section->backing_kind != BACKING_FILE)
		charge = size_bytes - section->backing.size_bytes;
	r = extension->work.fd;
	if (r < 0)
		(void)refuse(session->refusal, r, VMSECT_DETAIL_NONE,
			     "the broker has no descriptor left");
	else
		r = registry_hold_bytes(session->registry, section, charge, session->refusal);
	if (!r) {
		extension->held = charge;
		r = jobs_start(session, &extension->job, section);
		if (r < 0)
			registry_settle_bytes(session->registry, section, charge, 0);
	}
	if (r < 0)
		extend_free(&extension->job);
	return r;
}

static int extend_section(const struct session *session, struct section *section,
			  uint64_t size_bytes)
{
	int r = session_check_memory(session, section);

	if (r < 0)
		return r;
	if (section->sealed)
		return refuse(session->refusal, -EACCES, VMSECT_DETAIL_SEAL,
			      "the section is sealed");
	if (size_bytes <= section->backing.size_bytes)
		return reply_size(session, section);
	if (section->backing_kind == BACKING_FILE)
		r = check_file(session, section, size_bytes);
	else
		r = check_page_file(session, section, &size_bytes);
	if (r < 0)
		return r;
	if (section->backing_kind == BACKING_FILE || section->backing_kind == BACKING_DIRECTORY)
		return extend_file(session, section, size_bytes);
	return extend_memory(session, section, size_bytes);
}

int session_extend(const struct session *session)
{
	const struct vmsect_req_extend *extend = &session->request->extend;
	struct handle *handle = session_find_handle(session, extend->handle);

	if (!handle)
		return session->refusal->status;
	if (!(handle->access & ACCESS_EXTEND))
		return refuse(session->refusal, -EPERM, VMSECT_DETAIL_ACCESS,
			      "the handle has no extend access");
	return extend_section(session, handle->attachment->section, extend->size_bytes);
}
