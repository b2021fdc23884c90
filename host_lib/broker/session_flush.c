/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FLUSH.  The first write-back that fails marks the section for ever: the
 * kernel tells of it once, and a later flush that succeeds proves nothing for
 * what was lost before.
 */
#include "broker/session.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "broker/flush.h"
#include "broker/job.h"
#include "broker/rights.h"
#include "broker/session_io.h"

struct flush {
	struct job job;
	int fd; /* owned; shares the description, and so its errors, with the section */
	uint64_t offset;
	uint64_t length;
	bool durable;
};

void session_note_io_error(const struct session *session, struct section *section, int status)
{
	struct registry_event event = {
		.type = VMSECT_WIRE_EVENT_IO_ERROR,
		.section = section->id,
		.value = (uint64_t)-status,
	};

	if (section->io_error || !flush_is_loss(status))
		return;
	section->io_error = (uint32_t)-status;
	section->generation++;
	registry_changed(session->registry, REGISTRY_SECTION, section);
	registry_tell_section(session->registry, section, false, &event);
}

int session_check_io(const struct session *session, const struct section *section)
{
	int status = -(int)section->io_error;

	if (!status)
		return 0;
	return refuse(session->refusal, status, VMSECT_DETAIL_IO,
		      "the section could not be written back: %s", strerror(-status));
}

static int reply_done(const struct session *session)
{
	reply_start(session->reply, session->request, sizeof(struct vmsect_msg_hdr));
	return 0;
}

static void flush_job_run(struct job *job)
{
	const struct flush *flush = (struct flush *)job;

	job->status =
		flush_run(&flush_system, flush->fd, flush->offset, flush->length, flush->durable);
}

static int flush_finish(struct job *job, const struct session *session)
{
	int r;

	session_note_io_error(session, job->section, job->status);
	r = session_check_io(session, job->section);
	if (!r && job->status < 0)
		r = refuse(session->refusal, job->status, VMSECT_DETAIL_IO, "not flushed: %s",
			   strerror(-job->status));
	return r ? r : reply_done(session);
}

static void flush_free(struct job *job)
{
	fd_close(((struct flush *)job)->fd);
	free(job);
}

/* The range of the section that the request means. */
struct flush_range {
	struct section *section;
	uint64_t offset;
	uint64_t length;
};

/* `room` bytes from `base` on; the request's range is of these. */
static int settle_range(const struct session *session, struct flush_range *range, uint64_t base,
			uint64_t room)
{
	const struct vmsect_req_flush *flush = &session->request->flush;

	if (flush->offset > room || flush->length > room - flush->offset)
		return refuse(session->refusal, -EINVAL, VMSECT_DETAIL_RANGE,
			      "the range is not within %" PRIu64 " bytes", room);
	range->offset = base + flush->offset;
	range->length = flush->length ? flush->length : room - flush->offset;
	return 0;
}

/* What the refusal says; never 0. */
static int refused(const struct session *session)
{
	int status = session->refusal->status;

	return status < 0 ? status : -EBADF;
}

static int find_range(const struct session *session, struct flush_range *ret_range)
{
	const struct vmsect_req_flush *flush = &session->request->flush;
	const struct handle *handle;
	const struct view *view;

	if (flush->view) {
		view = session_find_view(session, flush->view);
		if (!view)
			return refused(session);
		ret_range->section = view->attachment->section;
		return settle_range(session, ret_range, view->offset, view->length);
	}
	handle = session_find_handle(session, flush->handle);
	if (!handle)
		return refused(session);
	ret_range->section = handle->attachment->section;
	if (!(handle->access & (ACCESS_READ | ACCESS_WRITE)))
		return refuse(session->refusal, -EPERM, VMSECT_DETAIL_ACCESS,
			      "the handle has neither read nor write access");
	return settle_range(session, ret_range, 0, ret_range->section->backing.size_bytes);
}

static int start_flush(const struct session *session, const struct flush_range *range)
{
	const struct backing *backing = &range->section->backing;
	int own = backing->rw_fd >= 0 ? backing->rw_fd : backing->ro_fd;
	struct flush *flush = calloc(1, sizeof(*flush));
	int r;

	if (!flush)
		return refuse_memory(session->refusal);
	flush->job.run = flush_job_run;
	flush->job.finish = flush_finish;
	flush->job.free = flush_free;
	flush->offset = range->offset;
	flush->length = range->length;
	flush->durable = session->request->flush.flags & VMSECT_FLUSH_DURABLE;
	flush->fd = sys_result(fcntl(own, F_DUPFD_CLOEXEC, 0));
	r = flush->fd;
	if (r >= 0)
		r = jobs_start(session, &flush->job, range->section);
	else
		(void)refuse(session->refusal, r, VMSECT_DETAIL_NONE,
			     "the broker has no descriptor left");
	if (r < 0)
		flush_free(&flush->job);
	return r;
}

int session_flush(const struct session *session)
{
	struct flush_range range = { .section = NULL };
	int r = find_range(session, &range);

	if (r < 0)
		return r;
	r = session_check_memory(session, range.section);
	if (!r)
		r = session_check_io(session, range.section);
	if (r < 0)
		return r;
	if (range.section->backing_kind != BACKING_FILE || !range.length)
		return reply_done(session);
	return start_flush(session, &range);
}
