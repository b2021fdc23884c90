/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See peer_queue.h. */
#include "broker/peer_queue.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "broker/hash.h"
#include "broker/peer.h"

/* What an event is about: at most one such event waits. */
struct event_key {
	uint64_t section;
	uint64_t peer;
};

struct outgoing {
	TAILQ_ENTRY(outgoing) of_peer;
	struct event_key key;
	UT_hash_handle hh; /* by key; in the table only if it is such an event */
	bool is_event;
	size_t size;
	int fd; /* owned, or -1 */
	unsigned char bytes[] __attribute__((aligned(8)));
};

static size_t outgoing_cost(const struct outgoing *outgoing)
{
	return sizeof(*outgoing) + outgoing->size;
}

static void outgoing_free(struct peer *peer, struct outgoing *outgoing)
{
	TAILQ_REMOVE(&peer->queue, outgoing, of_peer);
	if (outgoing->is_event) {
		assert(peer->waiting_events);
		HASH_DEL(peer->waiting_events, outgoing);
	}
	account_refund(peer->owner->account, peer->party.subject.uid, RESOURCE_QUEUE,
		       outgoing_cost(outgoing));
	fd_close(outgoing->fd);
	free(outgoing);
}

/* True, with the key and the type, if the message says that a peer came or went. */
static bool read_event(const void *bytes, size_t size, struct event_key *ret_key,
		       uint32_t *ret_type)
{
	struct vmsect_msg_event event;

	if (size != sizeof(event))
		return false;
	memcpy(&event, bytes, sizeof(event));
	if (event.hdr.op != VMSECT_OP_EVENT || event.hdr.flags ||
	    (event.type != VMSECT_WIRE_EVENT_PEER_JOINED &&
	     event.type != VMSECT_WIRE_EVENT_PEER_LEFT))
		return false;
	*ret_key = (struct event_key){ .section = event.section, .peer = event.peer };
	*ret_type = event.type;
	return true;
}

/* Takes away the waiting event that this one undoes; false if there is none. */
static bool cancel_reverse(struct peer *peer, const void *bytes, size_t size)
{
	struct outgoing *waiting;
	struct event_key key;
	uint32_t type, waiting_type;

	if (!read_event(bytes, size, &key, &type))
		return false;
	HASH_FIND(hh, peer->waiting_events, &key, sizeof(key), waiting);
	if (!waiting || !read_event(waiting->bytes, waiting->size, &key, &waiting_type) ||
	    waiting_type == type)
		return false;
	outgoing_free(peer, waiting);
	return true;
}

/* Lists an event by its key, so that its reverse finds it.  False: no memory. */
static bool list_event(struct peer *peer, struct outgoing *outgoing)
{
	uint32_t type;

	outgoing->is_event = read_event(outgoing->bytes, outgoing->size, &outgoing->key, &type);
	if (!outgoing->is_event)
		return true;
	HASH_ADD(hh, peer->waiting_events, key, sizeof(outgoing->key), outgoing);
	return HASH_ADDED(hh, outgoing);
}

static int queue_append(struct peer *peer, const void *bytes, size_t size, int fd)
{
	struct outgoing *outgoing = calloc(1, sizeof(*outgoing) + size);
	struct refusal refusal;
	int r;

	if (!outgoing)
		return -ENOMEM;
	outgoing->size = size;
	outgoing->fd = fd;
	memcpy(outgoing->bytes, bytes, size);
	r = account_charge(peer->owner->account, peer->party.subject.uid, RESOURCE_QUEUE,
			   outgoing_cost(outgoing), &refusal);
	if (r < 0) {
		free(outgoing);
		return r;
	}
	if (!list_event(peer, outgoing)) {
		account_refund(peer->owner->account, peer->party.subject.uid, RESOURCE_QUEUE,
			       outgoing_cost(outgoing));
		free(outgoing);
		return -ENOMEM;
	}
	TAILQ_INSERT_TAIL(&peer->queue, outgoing, of_peer);
	return 0;
}

int peer_queue_add_take_fd(struct peer *peer, const void *bytes, size_t size, int fd)
{
	int r;

	if (cancel_reverse(peer, bytes, size))
		return 0; /* events carry no descriptor */
	r = queue_append(peer, bytes, size, fd);
	if (r < 0)
		fd_close(fd);
	return r;
}

int peer_queue_flush(struct peer *peer)
{
	struct outgoing *first, *next;
	int r;

	for (first = TAILQ_FIRST(&peer->queue); first; first = next) {
		next = TAILQ_NEXT(first, of_peer);
		r = fdmsg_send(peer->fd, first->bytes, first->size, &first->fd, first->fd >= 0,
			       FDMSG_DONTWAIT);
		if (r < 0)
			return r;
		outgoing_free(peer, first);
	}
	return 0;
}

void peer_queue_drop(struct peer *peer)
{
	struct outgoing *outgoing, *next;

	for (outgoing = TAILQ_FIRST(&peer->queue); outgoing; outgoing = next) {
		next = TAILQ_NEXT(outgoing, of_peer);
		outgoing_free(peer, outgoing);
	}
}
