/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client's requests do: the operations of the protocol on the registry.
 * Knows no socket.  One function per operation, in session_section.c,
 * session_view.c and session_list.c.
 *
 * States of a client: a stranger until HELLO has been answered (its party has
 * no id), then a party until it goes.
 */
#ifndef BROKER_SESSION_H
#define BROKER_SESSION_H

#include "base/fdmsg.h"
#include "broker/proto.h"
#include "broker/refusal.h"
#include "broker/registry.h"
#include "broker/reply.h"

/* Positive outcome of session_run(): a job will answer, see job.h. */
#define SESSION_E_LATER 1

struct broker_jobs;
struct doorbells;
struct journal;

/* One request of one client. */
struct session {
	struct registry *registry;
	struct broker_jobs *jobs; /* for what may wait for a disk */
	struct doorbells *doorbells;
	struct journal *journal; /* NULL: nothing is kept */
	const char *page_file_dir; /* NULL: there is none */
	const char *state_dir; /* for what has to outlive the host; may be missing still */
	const char *runtime_dir; /* for what has to outlive the broker */
	struct party *party;
	const struct request *request;
	struct fdmsg *message; /* descriptors that came; what is left is closed by the caller */
	struct reply *reply;
	struct refusal *refusal;
};

/*
 * Runs the request.  0: the reply is complete; -errno: the refusal is, and
 * nothing has changed; SESSION_E_LATER: neither is, a job owns the request now.
 */
int session_run(const struct session *session);

/* The operations: request -> reply, as session_run(). */
int session_create(const struct session *session);
int session_open(const struct session *session);
int session_close(const struct session *session);
int session_remove(const struct session *session);
int session_query(const struct session *session);
int session_map(const struct session *session);
int session_unmap(const struct session *session);
int session_view_stats(const struct session *session);
int session_list_sections(const struct session *session);
int session_list_views(const struct session *session);
int session_list_peers(const struct session *session);
int session_resume(const struct session *session);
int session_hand_back(const struct session *session);
int session_duplicate(const struct session *session);
int session_pass(const struct session *session);
int session_accept(const struct session *session);
int session_grant(const struct session *session);
int session_list_grants(const struct session *session);
int session_extend(const struct session *session);
int session_commit(const struct session *session);
int session_protect(const struct session *session);
int session_flush(const struct session *session);
int session_publish(const struct session *session);
int session_seal(const struct session *session);
int session_revoked(const struct session *session);
int session_file(const struct session *session);
int session_notify(const struct session *session);
int session_doorbell(const struct session *session);
int session_export(const struct session *session);
int session_unexport(const struct session *session);
int session_list_exports(const struct session *session);

/* The party's handle of that number, or NULL and a refusal (EBADF). */
struct handle *session_find_handle(const struct session *session, uint32_t id);

/* The party's view of that number, or NULL and a refusal (ENXIO). */
struct view *session_find_view(const struct session *session, uint64_t id);

/* -EAGAIN (RECOVERY) while the section's memory has not been handed back. */
int session_check_memory(const struct session *session, const struct section *section);

/*
 * Commits the pages of a range of the view (0: nothing was to do, the reply is
 * the caller's; or SESSION_E_LATER).  For COMMIT and MAP, whose replies it then
 * makes; a MAP that fails later loses its view.  -EEXIST, -EINVAL (RANGE),
 * -EDQUOT, -ENOMEM.
 */
int session_commit_range(const struct session *session, struct view *view, uint64_t offset,
			 uint64_t length);

/* May the client know of the section? */
bool session_may_see(const struct session *session, const struct section *section);

/* The first section behind `after`. */
struct section *session_section_after(const struct session *session, uint64_t after);

/* Opens a section that is there, as OPEN does. */
int session_open_section(const struct session *session, struct section *section, uint32_t access);

/* Makes a handle with its descriptor, and the reply (vmsect_rep_handle) that tells of both. */
int session_give_handle(const struct session *session, struct section *section, uint32_t access,
			uint64_t expires_ms);

/*
 * Notes that the request was done, so that it is answered and not done again if
 * the client repeats it.  session_run() does it; for a job, whoever sends its
 * reply.
 */
void session_done(const struct session *session);

#endif
