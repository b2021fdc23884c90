/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FILE: what sections there are of a data file, and changes that respect them.
 * Sections are counted by inode, whatever paths it has; a permanent section
 * that nobody has open counts as a section and hinders nothing.
 */
#include "broker/session.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"
#include "broker/rights.h"

static void count_views(const struct section *section, struct vmsect_rep_file *rep)
{
	const struct view *view;

	TAILQ_FOREACH (view, &section->views, of_section) {
		rep->views++;
		rep->writers += rights_is_writable(view->protection);
	}
}

static void count_handles(const struct section *section, struct vmsect_rep_file *rep)
{
	const struct attachment *attachment;
	const struct handle *handle;

	TAILQ_FOREACH (attachment, &section->attachments, of_section) {
		TAILQ_FOREACH (handle, &attachment->handles, of_attachment) {
			rep->handles++;
			rep->writers += rights_can_write(handle->access, section->protection);
		}
	}
}

static void count_sections(const struct registry *registry, const struct stat *st,
			   struct vmsect_rep_file *rep)
{
	const struct section *section;

	for (section = registry->sections; section; section = section->hh.next) {
		if (section->backing_kind != BACKING_FILE || section->backing.dev != st->st_dev ||
		    section->backing.ino != st->st_ino)
			continue;
		rep->sections++;
		count_handles(section, rep);
		count_views(section, rep);
	}
}

/* The one descriptor, of a regular file; one that may write for TRUNCATE. */
static int check_descriptor(const struct session *session, struct stat *ret_stat)
{
	const struct fdmsg *message = session->message;
	bool truncate = session->request->file.action == VMSECT_FILE_TRUNCATE;
	int flags, r;

	if (message->nfds != 1)
		return refuse(session->refusal, -EINVAL, VMSECT_DETAIL_FILE,
			      "%u descriptors came with the file, not 1", message->nfds);
	flags = fcntl(message->fds[0], F_GETFL);
	if (truncate && (flags & O_PATH || (flags & O_ACCMODE) != O_RDWR))
		return refuse(session->refusal, -EPERM, VMSECT_DETAIL_FILE,
			      "the descriptor of the file is not read-write");
	r = backing_check_file(message->fds[0], session->refusal);
	if (!r && fstat(message->fds[0], ret_stat) < 0)
		return refuse(session->refusal, -ENODEV, VMSECT_DETAIL_FILE,
			      "the file cannot be looked at");
	return r;
}

static int refuse_mapped(const struct session *session, int status, const char *what)
{
	const struct vmsect_rep_file *rep = &session->reply->file;

	return refuse(session->refusal, status, VMSECT_DETAIL_MAPPED,
		      "the file is not %s: its sections have %u handles and %u views", what,
		      rep->handles, rep->views);
}

static bool is_open(const struct vmsect_rep_file *rep)
{
	return rep->handles || rep->views;
}

static int truncate_file(const struct session *session, const struct stat *st)
{
	struct vmsect_rep_file *rep = &session->reply->file;
	uint64_t length = session->request->file.size_bytes;
	int r;

	if (length < (uint64_t)st->st_size && is_open(rep))
		return refuse_mapped(session, -ETXTBSY, "made shorter");
	if (length > BACKING_BYTES_MAX)
		return refuse(session->refusal, -EFBIG, VMSECT_DETAIL_SIZE,
			      "a file does not have %" PRIu64 " bytes", length);
	r = sys_retry(ftruncate(session->message->fds[0], (off_t)length));
	if (r < 0)
		return refuse(session->refusal, r, VMSECT_DETAIL_SIZE,
			      "the file cannot have %" PRIu64 " bytes: %s", length, strerror(-r));
	rep->size_bytes = length;
	return 0;
}

int session_file(const struct session *session)
{
	struct vmsect_rep_file *rep = &session->reply->file;
	struct stat st = { .st_size = 0 };
	int r = check_descriptor(session, &st);

	if (r < 0)
		return r;
	reply_start(session->reply, session->request, sizeof(*rep));
	rep->size_bytes = (uint64_t)st.st_size;
	count_sections(session->registry, &st, rep);
	switch (session->request->file.action) {
	case VMSECT_FILE_TRUNCATE:
		return truncate_file(session, &st);
	case VMSECT_FILE_REMOVE:
		return is_open(rep) ? refuse_mapped(session, -EBUSY, "removed") : 0;
	default:
		return 0;
	}
}
