/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One connection to the broker: inside.
 *
 * States: connected, then broken, for good: the broker hung up, did not answer
 * in time, or answered with something that is no answer.  A broken connection
 * is shut down but its descriptor stays open until vmsect_client_free(), so
 * that a caller who polls it never polls a stranger's.
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

#define CLIENT_TIMEOUT_MS 5000 /* for one request and its reply */
#define CLIENT_EVENTS_MAX 256u
#define CLIENT_ERROR_MAX 512u

/* Events that came while a reply was awaited; the oldest give way. */
struct event_queue {
	struct vmsect_event events[CLIENT_EVENTS_MAX];
	size_t first;
	size_t count;
	uint64_t lost; /* since the caller was told */
};

struct vmsect_client {
	int fd; /* owned */
	bool broken;
	bool disconnect_told;
	uint32_t peer_id;
	uint64_t cookie; /* of the last request */
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
 * queued.  `reply` is written on success only.  Returns 0, the broker's
 * -errno, -EPIPE, -ETIMEDOUT, -EPROTO, -EMFILE or -EINVAL, with the sentence set.
 */
int client_call(struct vmsect_client *client, const struct client_request *request,
		struct client_reply *reply);

/* The same for a request whose good reply is a header only. */
int client_call_simple(struct vmsect_client *client, const struct client_request *request);

/* Notes a failure with its sentence and returns `r`. */
int client_fail(struct vmsect_client *client, int r, uint32_t detail, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Ends the connection for good; notes the failure; returns `r`. */
int client_break(struct vmsect_client *client, int r, const char *reason);

/* The broker said something that the protocol does not allow. */
int client_break_protocol(struct vmsect_client *client, const char *what);

/* Takes the event message in client->buffer; breaks the connection if it is none. */
int client_take_event(struct vmsect_client *client);

/* The words for an errno that is not this thread's; never NULL. */
const char *error_words(int r);

#endif
