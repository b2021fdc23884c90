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

/* One request of one client. */
struct session {
	struct registry *registry;
	struct party *party;
	const struct request *request;
	struct fdmsg *message; /* descriptors that came; what is left is closed by the caller */
	struct reply *reply;
	struct refusal *refusal;
};

/*
 * Runs the request.  0: the reply is complete; -errno: the refusal is, and
 * nothing has changed.
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

/* The party's handle of that number, or NULL and a refusal (EBADF). */
struct handle *session_find_handle(const struct session *session, uint32_t id);

#endif
