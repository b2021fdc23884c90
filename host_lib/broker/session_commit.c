/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * COMMIT, and the part of MAP that commits.  Being committed is a state of the
 * section: its pages are charged, then allocated by a job, then noted, and then
 * all who have a view are told.  Two jobs may commit the same pages; what was
 * charged twice is given back by the second.
 */
#include "broker/session.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <vmsect/vmsect.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "broker/job.h"
#include "broker/rights.h"

struct commitment {
	struct job job;
	struct backing_work work; /* of the section's bytes; its descriptor is owned */
	uint64_t held; /* bytes, for this */
	uint64_t view; /* MAP: to be replied, or to be taken away */
};

static void commit_run(struct job *job)
{
	job->status = backing_work_run(&((struct commitment *)job)->work);
}

static int refuse_full(struct refusal *refusal)
{
	return refuse(refusal, -EDQUOT, VMSECT_DETAIL_LIMIT,
		      "a section may have %u committed ranges apart from one another",
		      COMMIT_RANGES_MAX);
}

static void tell_committed(const struct session *session, const struct commitment *commitment)
{
	const struct section *section = commitment->job.section;
	const struct registry_event event = {
		.type = VMSECT_WIRE_EVENT_COMMITTED,
		.section = section->id,
		.offset = commitment->work.from,
		.length = commitment->work.to - commitment->work.from,
	};
	struct attachment *attachment;

	if (!session->registry->tell)
		return;
	TAILQ_FOREACH (attachment, &section->attachments, of_section) {
		if (attachment->view_count)
			session->registry->tell(session->registry->tell_arg, attachment->party,
						&event);
	}
}

/* Notes what is there now.  The pages themselves stay if that cannot be noted. */
static int note_committed(const struct session *session, struct commitment *commitment)
{
	struct section *section = commitment->job.section;
	uint64_t offset = commitment->work.from, length = commitment->work.to - offset;
	uint64_t added = commit_map_missing(&section->committed, offset, length);
	int r = commit_map_add(&section->committed, offset, length);

	if (r == -EDQUOT)
		return refuse_full(session->refusal);
	if (r < 0)
		return refuse_memory(session->refusal);
	registry_settle_bytes(session->registry, section, commitment->held, added);
	commitment->held = 0;
	if (!added)
		return 0;
	section->generation++;
	registry_changed(session->registry, REGISTRY_SECTION, section);
	tell_committed(session, commitment);
	return 0;
}

static void reply_map(const struct session *session, const struct view *view)
{
	reply_start(session->reply, session->request, sizeof(session->reply->map));
	session->reply->map.view = view->id;
	session->reply->map.length = view->length;
}

/* The view of a MAP, if it still is there: the reply's or, on failure, gone. */
static int finish_map(const struct session *session, uint64_t id, int r)
{
	struct view *view = registry_find_view(session->registry, id);

	/* The client does not know its number yet, and could not answer REVOKED. */
	if (view && view->flags & VMSECT_VIEW_REVOKED) {
		registry_unmap(session->registry, view);
		view = NULL;
	}
	if (!view)
		return r < 0 ? r
			     : refuse(session->refusal, -ENXIO, VMSECT_DETAIL_REVOKED,
				      "the view was taken away before it was mapped");
	if (r < 0)
		registry_unmap(session->registry, view);
	else
		reply_map(session, view);
	return r;
}

static int commit_finish(struct job *job, const struct session *session)
{
	struct commitment *commitment = (struct commitment *)job;
	int r = job->status;

	if (r < 0)
		r = backing_refuse_work(&commitment->work, r, session->refusal);
	else
		r = note_committed(session, commitment);
	registry_settle_bytes(session->registry, job->section, commitment->held, 0);
	if (commitment->view)
		return finish_map(session, commitment->view, r);
	if (!r)
		reply_start(session->reply, session->request, sizeof(struct vmsect_msg_hdr));
	return r;
}

static void commit_free(struct job *job)
{
	fd_close(((struct commitment *)job)->work.fd);
	free(job);
}

static struct commitment *commitment_new(const struct session *session,
					 const struct section *section, uint64_t offset,
					 uint64_t length)
{
	struct commitment *commitment = calloc(1, sizeof(*commitment));
	int fd;

	if (!commitment) {
		(void)refuse_memory(session->refusal);
		return NULL;
	}
	fd = sys_result(fcntl(section->backing.rw_fd, F_DUPFD_CLOEXEC, 0));
	commitment->job.run = commit_run;
	commitment->job.finish = commit_finish;
	commitment->job.free = commit_free;
	commitment->job.key = section->id;
	commitment->work = (struct backing_work){
		.fd = fd,
		.from = offset,
		.to = offset + length,
		.kind = section->backing_kind,
	};
	if (commitment->work.fd >= 0)
		return commitment;
	(void)refuse(session->refusal, commitment->work.fd, VMSECT_DETAIL_NONE,
		     "the broker has no descriptor left");
	free(commitment);
	return NULL;
}

static int commit_pages(const struct session *session, struct section *section, uint64_t offset,
			uint64_t length, uint64_t view)
{
	struct commitment *commitment;
	int r;

	if (commit_map_is_full(&section->committed, offset, length))
		return refuse_full(session->refusal);
	commitment = commitment_new(session, section, offset, length);
	if (!commitment)
		return session->refusal->status;
	commitment->view = view;
	commitment->held = commit_map_missing(&section->committed, offset, length);
	r = registry_hold_bytes(session->registry, section, commitment->held, session->refusal);
	if (r < 0) {
		commit_free(&commitment->job);
		return r;
	}
	r = jobs_start(session, &commitment->job, section);
	if (r < 0) {
		registry_settle_bytes(session->registry, section, commitment->held, 0);
		commit_free(&commitment->job);
	}
	return r;
}

/* Whole pages of the view; past it is where something else may be. */
static int round_range(const struct session *session, const struct view *view, uint64_t *offset,
		       uint64_t *length)
{
	uint64_t page = UINT64_C(1) << view->attachment->section->page_shift;
	uint64_t from = *offset & ~(page - 1), to;

	if (!*length)
		return refuse(session->refusal, -EINVAL, VMSECT_DETAIL_RANGE,
			      "no byte is to be committed");
	if (*offset >= view->length || *length > view->length - *offset)
		return refuse(session->refusal, -EEXIST, VMSECT_DETAIL_RANGE,
			      "the range is past the view's %" PRIu64 " bytes", view->length);
	to = (*offset + *length + page - 1) & ~(page - 1);
	*offset = from;
	*length = to - from;
	return 0;
}

int session_commit_range(const struct session *session, struct view *view, uint64_t offset,
			 uint64_t length)
{
	struct section *section = view->attachment->section;
	bool is_map = session->request->op == VMSECT_OP_MAP;
	int r = session_check_memory(session, section);

	if (!r)
		r = round_range(session, view, &offset, &length);
	if (r < 0 || !section->reserve)
		return r;
	offset += view->offset;
	if (!commit_map_missing(&section->committed, offset, length))
		return 0;
	return commit_pages(session, section, offset, length, is_map ? view->id : 0);
}

int session_commit(const struct session *session)
{
	const struct vmsect_req_commit *commit = &session->request->commit;
	struct view *view = session_find_view(session, commit->view);
	int r;

	if (!view)
		return session->refusal->status;
	if (view->attachment->section->backing_kind == BACKING_FILE)
		return refuse(session->refusal, -EPERM, VMSECT_DETAIL_COMMIT,
			      "the pages of a data file are not committed");
	r = session_commit_range(session, view, commit->offset, commit->length);
	if (!r)
		reply_start(session->reply, session->request, sizeof(struct vmsect_msg_hdr));
	return r;
}
