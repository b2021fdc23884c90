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
	uint64_t subject; /* enum event_subject */
	uint64_t section;
	uint64_t object; /* the peer or the offer, or 0 */
};

enum event_subject {
	SUBJECT_NONE, /* every one of these is sent */
	SUBJECT_PEER,
	SUBJECT_SIZE,
	SUBJECT_COMMITTED,
	SUBJECT_OFFER,
	SUBJECT_IO_ERROR,
	SUBJECT_NOTIFIED,
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

static struct event_key key_of(const struct vmsect_msg_event *event)
{
	struct event_key key = { .section = event->section };

	switch (event->type) {
	case VMSECT_WIRE_EVENT_PEER_JOINED:
	case VMSECT_WIRE_EVENT_PEER_LEFT:
		key.subject = SUBJECT_PEER;
		key.object = event->peer;
		break;
	case VMSECT_WIRE_EVENT_RESIZED:
		key.subject = SUBJECT_SIZE;
		break;
	case VMSECT_WIRE_EVENT_COMMITTED:
		key.subject = SUBJECT_COMMITTED;
		break;
	case VMSECT_WIRE_EVENT_OFFERED:
		key.subject = SUBJECT_OFFER;
		key.object = event->value;
		break;
	case VMSECT_WIRE_EVENT_IO_ERROR:
		key.subject = SUBJECT_IO_ERROR;
		break;
	case VMSECT_WIRE_EVENT_NOTIFIED:
		key.subject = SUBJECT_NOTIFIED;
		key.object = event->peer;
		break;
	default: /* what was revoked has to be heard of */
		break;
	}
	return key;
}

/* True, with the event and its key, if the message is one that may be merged. */
static bool read_event(const void *bytes, size_t size, struct vmsect_msg_event *ret_event,
		       struct event_key *ret_key)
{
	if (size != sizeof(*ret_event))
		return false;
	memcpy(ret_event, bytes, sizeof(*ret_event));
	if (ret_event->hdr.op != VMSECT_OP_EVENT || ret_event->hdr.flags)
		return false;
	*ret_key = key_of(ret_event);
	return ret_key->subject != SUBJECT_NONE;
}

/* One range that covers both: it may say too much, never too little. */
static void cover(struct vmsect_msg_event *range, const struct vmsect_msg_event *more)
{
	uint64_t end = range->offset + range->length;
	uint64_t more_end = more->offset + more->length;

	if (more->offset < range->offset)
		range->offset = more->offset;
	range->length = (end > more_end ? end : more_end) - range->offset;
}

static uint64_t add_saturating(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* A newer event about the same joins the one that waits. */
static void merge_into(struct peer *peer, struct outgoing *waiting,
		       const struct vmsect_msg_event *event)
{
	struct vmsect_msg_event old;

	memcpy(&old, waiting->bytes, sizeof(old));
	switch (waiting->key.subject) {
	case SUBJECT_PEER:
		if (old.type != event->type)
			outgoing_free(peer, waiting);
		break;
	case SUBJECT_COMMITTED:
		cover(&old, event);
		memcpy(waiting->bytes, &old, sizeof(old));
		break;
	case SUBJECT_NOTIFIED:
		old.value = event->value;
		old.length = add_saturating(old.length, event->length);
		memcpy(waiting->bytes, &old, sizeof(old));
		break;
	case SUBJECT_SIZE:
	case SUBJECT_IO_ERROR:
		memcpy(waiting->bytes, event, sizeof(*event));
		break;
	default: /* an offer is told of once */
		break;
	}
}

/* False: nothing that waits is about the same. */
static bool merge(struct peer *peer, const void *bytes, size_t size)
{
	struct vmsect_msg_event event;
	struct outgoing *waiting;
	struct event_key key;

	if (!read_event(bytes, size, &event, &key))
		return false;
	HASH_FIND(hh, peer->waiting_events, &key, sizeof(key), waiting);
	if (!waiting)
		return false;
	peer->owner->counters->merged++;
	merge_into(peer, waiting, &event);
	return true;
}

bool peer_queue_take_back(struct peer *peer, const void *bytes, size_t size)
{
	struct vmsect_msg_event event;
	struct outgoing *waiting;
	struct event_key key;

	if (!read_event(bytes, size, &event, &key) || key.subject != SUBJECT_OFFER || event.length)
		return false;
	HASH_FIND(hh, peer->waiting_events, &key, sizeof(key), waiting);
	if (waiting)
		outgoing_free(peer, waiting);
	return true;
}

/* Lists an event by its key, so that later ones find it.  False: no memory. */
static bool list_event(struct peer *peer, struct outgoing *outgoing)
{
	struct vmsect_msg_event event;

	outgoing->is_event = read_event(outgoing->bytes, outgoing->size, &event, &outgoing->key);
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

	if (merge(peer, bytes, size))
		return 0; /* events carry no descriptor */
	r = queue_append(peer, bytes, size, fd);
	if (r < 0)
		fd_close(fd);
	return r;
}

bool peer_queue_lose(struct peer *peer, const void *bytes, size_t size)
{
	struct vmsect_msg_event event;
	struct event_key key;

	if (!read_event(bytes, size, &event, &key) || key.subject != SUBJECT_NOTIFIED)
		return false;
	peer->lost = add_saturating(peer->lost, event.length);
	peer->owner->counters->lost = add_saturating(peer->owner->counters->lost, event.length);
	return true;
}

static int send_lost(struct peer *peer)
{
	const struct vmsect_msg_event event = {
		.hdr = { .size = sizeof(event), .op = VMSECT_OP_EVENT },
		.type = VMSECT_WIRE_EVENT_LOST,
		.value = peer->lost,
	};
	int r = fdmsg_send(peer->fd, &event, sizeof(event), NULL, 0, FDMSG_DONTWAIT);

	if (r >= 0)
		peer->lost = 0;
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
	return peer->lost ? send_lost(peer) : 0;
}

void peer_queue_drop(struct peer *peer)
{
	struct outgoing *outgoing, *next;

	for (outgoing = TAILQ_FIRST(&peer->queue); outgoing; outgoing = next) {
		next = TAILQ_NEXT(outgoing, of_peer);
		outgoing_free(peer, outgoing);
	}
}
