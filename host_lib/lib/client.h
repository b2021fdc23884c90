/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One client of the broker: inside.
 *
 * Phases of its connection: lost (there is none; the next attempt is due at a
 * time), greeting (RESUME or HELLO was sent), connected; and broken, for good:
 * a broker said something that is no protocol.  link.h drives them; nothing in
 * there waits.  Waiting is done in call.c alone.
 *
 * Requests stand in one queue, by cookie, until they are answered (pending.h):
 * a new broker is asked again what the old one has not answered.
 *
 * Owner: the caller of vmsect_connect().  One thread at a time; no lock.
 */
#ifndef LIB_CLIENT_H
#define LIB_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vmsect/vmsect.h>
#include <vmsect/vmsect_proto.h>
#include "lib/link.h"
#include "lib/object.h"
#include "lib/pending.h"

#define CLIENT_TIMEOUT_MS 5000 /* for one request and its reply */
#define CLIENT_EVENTS_MAX 256u
#define CLIENT_ERROR_MAX 512u

/* Events that wait for the caller; the oldest give way. */
struct event_queue {
	struct vmsect_event events[CLIENT_EVENTS_MAX];
	size_t first;
	size_t count;
	uint64_t lost; /* since the caller was told */
};

struct vmsect_client {
	struct link link;
	bool broken; /* for good */
	uint32_t peer_id;
	uint64_t cookie; /* of the last request */
	uint64_t last_ticket;
	int reconnect_ms; /* how long a call waits for a new broker; 0: not at all */
	struct client_objects objects;
	struct pending_queue pending;
	struct event_queue events;
	uint32_t detail; /* of the last failure, as is error */
	char error[CLIENT_ERROR_MAX];
	size_t received; /* bytes in buffer */
	_Alignas(uint64_t) unsigned char buffer[VMSECT_MSG_MAX];
};

struct client_request {
	enum vmsect_op op;
	struct vmsect_msg_hdr *hdr; /* the request starts here; filled in by the call */
	size_t size;
	const int *fds; /* borrowed */
	unsigned int nfds;
};

struct client_reply {
	void *data; /* a good reply is copied here, its header included */
	size_t size;
	bool variable; /* more may follow; it is in client->buffer until the next call */
	bool wants_fd; /* a descriptor may come with it */
	int fd; /* the caller's on success; -1: none came */
};

/*
 * Sends a request and waits for its reply; events that come before it are
 * handled and queued.  Without a connection it waits for a new one first, as
 * long as reconnect_ms says, and if the connection ends in between the request
 * is repeated on the next.  `reply` is written on success only.  Returns 0, the
 * broker's -errno, -EPIPE, -ETIMEDOUT, -ESTALE, -EPROTO, -EMFILE or -EINVAL,
 * with the sentence set.
 */
int client_call(struct vmsect_client *client, const struct client_request *request,
		struct client_reply *reply);

/* The same for a request whose good reply is a header only. */
int client_call_simple(struct vmsect_client *client, const struct client_request *request);

/*
 * The same for a request about a handle or view: fails as object_check() says,
 * also if that comes true during the call (but a handle that is revoked after
 * the broker has done what was asked for does not make the call fail).
 */
int client_call_on(struct client_object *object, const struct client_request *request,
		   struct client_reply *reply);
int client_call_simple_on(struct client_object *object, const struct client_request *request);

/*
 * Sends a request about an object whose good reply is a header only, and does
 * not wait: VMSECT_EVENT_DONE will tell.  The request and its descriptors are
 * copied.  -EDQUOT (LIMIT): PENDING_TICKETS_MAX have not been told yet.
 */
int client_call_async(struct client_object *object, const struct client_request *request,
		      uint64_t *ret_ticket);

/*
 * Gives a handle or view back (CLOSE, UNMAP, REVOKED): does not wait and does
 * not fail.  Without a connection the broker is told when there is one again.
 * Nothing is sent for what the broker does not have any more (a stale object, a
 * revoked view).
 */
void client_release(struct client_object *object, const struct client_request *request);

/* Notes a failure with its sentence and returns `r`. */
int client_fail(struct vmsect_client *client, int r, uint32_t detail, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The broker said something that the protocol does not allow: ends the connection for good. */
int client_break_protocol(struct vmsect_client *client, const char *what);

/* Handles the event message in client->buffer; breaks the connection if it is none. */
int client_take_event(struct vmsect_client *client);

/* An event for the caller. */
void client_push_event(struct vmsect_client *client, const struct vmsect_event *event);

/* The words for an errno that is not this thread's; never NULL. */
const char *error_words(int r);

#endif
