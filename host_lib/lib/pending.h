/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests that have not been answered yet, in the order in which they are
 * sent.  A request gets its cookie when it is first sent and keeps it: on a new
 * connection it is repeated with it.
 *
 * Owner: the client.  One thread at a time; no lock.
 */
#ifndef LIB_PENDING_H
#define LIB_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <vmsect/vmsect_proto.h>
#include "base/fdmsg.h"

#define PENDING_TICKETS_MAX 64u /* not answered, or answered and not told */
#define PENDING_RETRY_MS 20 /* while a new broker lacks a section's memory */

struct vmsect_client;
struct client_request;
struct section_file;

enum pending_kind {
	PENDING_WAITED, /* a call waits for it, and owns it */
	PENDING_TICKET, /* owned by the queue; the caller gets an event */
	PENDING_FORGOTTEN, /* owned by the queue; the answer does not matter */
};

struct pending {
	enum pending_kind kind;
	struct vmsect_msg_hdr *hdr; /* the request: of the call that waits, or a copy behind this */
	size_t size;
	int fds[VMSECT_MSG_FDS_MAX]; /* owned unless a call waits */
	unsigned int nfds;
	struct section_file *file; /* HAND_BACK: what fds[0] is of; its reference */
	uint64_t ticket; /* TICKET: the caller's number of it */
	bool is_bound; /* WAITED: to a handle or view, and of no use without */
	bool sent; /* on this connection */
	bool was_sent; /* on any */
	int64_t sent_ms; /* or, not sent: waits since */
	int64_t retry_ms; /* not before that; 0: at once */
	int64_t give_up_ms; /* TICKET: no more retries then; 0: none was needed yet */
	bool answered; /* WAITED: out of the queue; the answer is in the next two */
	int failure; /* 0, or -errno: there is no reply */
	struct fdmsg reply; /* descriptors of the reply in client->buffer */
	TAILQ_ENTRY(pending) of_client;
};

struct pending_queue {
	TAILQ_HEAD(, pending) list;
	unsigned int tickets; /* not answered, or answered and not told */
	bool blocked; /* the socket takes no more just now */
};

void pending_init(struct vmsect_client *client);

/* Frees what the queue owns. */
void pending_deinit(struct vmsect_client *client);

/* Queues the request of a call that waits, until it is answered or removed. */
void pending_add(struct vmsect_client *client, struct pending *pending,
		 const struct client_request *request);
void pending_remove(struct vmsect_client *client, struct pending *pending);

/* Queues a copy.  0, -ENOMEM, or -EMFILE and the like. */
int pending_add_copy(struct vmsect_client *client, enum pending_kind kind,
		     const struct client_request *request, struct pending **ret_pending);

/* Queues a HAND_BACK, before all others; without memory the broker has to ask again. */
void pending_add_hand_back(struct vmsect_client *client, uint64_t section_id,
			   struct section_file *file);

/* Sends what is due, as far as the socket takes it. */
void pending_send(struct vmsect_client *client);

/* The request that was sent with this cookie, or NULL. */
struct pending *pending_find(const struct vmsect_client *client, uint64_t cookie);

/* The reply in client->buffer answers it; takes the descriptors. */
void pending_answer(struct vmsect_client *client, struct pending *pending, struct fdmsg *reply);

/* Sends it anew a little later: a request that was refused may keep its cookie. */
void pending_retry(struct vmsect_client *client, struct pending *pending);

/* The connection has ended: all are to be sent again. */
void pending_unsend(struct vmsect_client *client);

/*
 * Ends with `failure` what was sent or is about a handle or view, or (all)
 * everything: calls and tickets learn of it, the rest is dropped.
 */
void pending_fail(struct vmsect_client *client, int failure, bool all);

/* When the next retry is due: milliseconds of poller_now(), or INT64_MAX. */
int64_t pending_due(const struct vmsect_client *client);

#endif
