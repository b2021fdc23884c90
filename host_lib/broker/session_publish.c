/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PUBLISH: the checks; publish.h has the work. */
#include "broker/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "broker/job.h"
#include "broker/publish.h"
#include "broker/rights.h"
#include "broker/session_io.h"

struct publication {
	struct job job;
	struct publish publish; /* its descriptors are owned */
	bool is_committed;
};

static void publish_job_run(struct job *job)
{
	struct publication *publication = (struct publication *)job;

	job->status = publish_run(&publication->publish, &publication->is_committed);
}

/* Half of it may be there: that is damage, until the next broker has ended it. */
static int publish_finish(struct job *job, const struct session *session)
{
	const struct publication *publication = (struct publication *)job;

	if (job->status >= 0) {
		reply_start(session->reply, session->request, sizeof(struct vmsect_msg_hdr));
		return 0;
	}
	if (publication->is_committed)
		session_note_io_error(session, job->section, job->status);
	return refuse(session->refusal, job->status,
		      publication->is_committed ? VMSECT_DETAIL_IO : VMSECT_DETAIL_NONE,
		      "not published: %s", strerror(-job->status));
}

static void publish_free(struct job *job)
{
	struct publication *publication = (struct publication *)job;

	fd_close(publication->publish.target);
	fd_close(publication->publish.patch);
	free(publication);
}

static int refuse_patch(const struct session *session, const char *why)
{
	return refuse(session->refusal, -EINVAL, VMSECT_DETAIL_RANGE, "%s", why);
}

/* A RESERVE section takes nothing where it has no page. */
static int check_committed(const struct session *session, const struct section *section,
			   const struct vmsect_wire_range *ranges, uint32_t count)
{
	uint32_t i;

	for (i = 0; section->reserve && i < count; i++) {
		if (commit_map_missing(&section->committed, ranges[i].offset, ranges[i].length))
			return refuse(session->refusal, -EINVAL, VMSECT_DETAIL_COMMIT,
				      "a page of the patch is not committed");
	}
	return 0;
}

static int check_patch(const struct session *session, const struct section *section)
{
	const struct fdmsg *message = session->message;
	const struct publish_bounds bounds = {
		.size_bytes = section->backing.size_bytes,
		.page_bytes = UINT64_C(1) << section->page_shift,
	};
	AUTO_FREE struct vmsect_wire_range *ranges = NULL;
	uint32_t count = session->request->publish.count;
	const char *why = NULL;
	int r;

	if (message->nfds != 1)
		return refuse(session->refusal, -EINVAL, VMSECT_DETAIL_FILE,
			      "%u descriptors came with the patch, not 1", message->nfds);
	r = publish_check(message->fds[0], count, &bounds, &ranges, &why);
	if (r == -ENOMEM)
		return refuse_memory(session->refusal);
	if (r < 0)
		return refuse_patch(session, why);
	return check_committed(session, section, ranges, count);
}

static int check_section(const struct session *session, const struct section *section)
{
	int r = session_check_memory(session, section);

	if (r < 0)
		return r;
	if (section->sealed)
		return refuse(session->refusal, -EACCES, VMSECT_DETAIL_SEAL,
			      "the section is sealed");
	/* The right to write is worth what the section's protection allows. */
	if (!rights_is_writable(section->protection))
		return refuse(session->refusal, -EACCES, VMSECT_DETAIL_PROTECTION,
			      "the section is not to be written");
	return session_check_io(session, section);
}

static struct publication *publication_new(const struct session *session,
					   const struct section *section)
{
	struct publication *publication = calloc(1, sizeof(*publication));
	bool is_file = section->backing_kind == BACKING_FILE;
	int fd;

	if (!publication)
		return NULL;
	fd = sys_result(fcntl(section->backing.rw_fd, F_DUPFD_CLOEXEC, 0));
	publication->job.run = publish_job_run;
	publication->job.finish = publish_finish;
	publication->job.free = publish_free;
	publication->job.key = section->id;
	publication->publish = (struct publish){
		.dir = is_file ? session->state_dir : session->runtime_dir,
		.target = fd,
		.patch = steal_fd(&session->message->fds[0]),
		.count = session->request->publish.count,
		.is_file = is_file,
		.is_mapped = section->backing_kind == BACKING_HUGETLB,
	};
	return publication;
}

static int start_publication(const struct session *session, struct section *section)
{
	struct publication *publication = publication_new(session, section);
	int r;

	if (!publication)
		return refuse_memory(session->refusal);
	if (!publication->publish.dir)
		r = refuse(session->refusal, -EOPNOTSUPP, VMSECT_DETAIL_NONE,
			   "this broker has no folder for what is published");
	else if (publication->publish.target < 0)
		r = refuse(session->refusal, publication->publish.target, VMSECT_DETAIL_NONE,
			   "the broker has no descriptor left");
	else
		r = jobs_start(session, &publication->job, section);
	if (r < 0)
		publish_free(&publication->job);
	return r;
}

int session_publish(const struct session *session)
{
	const struct handle *handle =
		session_find_handle(session, session->request->publish.handle);
	struct section *section;
	int r;

	if (!handle)
		return session->refusal->status;
	if (!(handle->access & ACCESS_WRITE))
		return refuse(session->refusal, -EPERM, VMSECT_DETAIL_ACCESS,
			      "the handle has no write access");
	section = handle->attachment->section;
	r = check_section(session, section);
	if (!r)
		r = check_patch(session, section);
	return r ? r : start_publication(session, section);
}
