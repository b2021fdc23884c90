/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Events: what the broker tells is done at once, then it waits for the caller
 * in a queue.  A caller who never asks loses the oldest and is told so, rather
 * than having the queue grow or a reply wait; but the outcomes of what it asked
 * for (of which there are never more than PENDING_TICKETS_MAX) stay.
 * Notifications of a sender and section become one while they wait, and are the
 * last to be lost.
 */
#include "lib/client.h"

#include <errno.h>
#include <string.h>

#define RECEIVE_MAX 64 /* messages for one call: a broker that floods cannot keep the caller */

_Static_assert(PENDING_TICKETS_MAX < CLIENT_EVENTS_MAX, "something can always give way");

static struct vmsect_event *queue_at(struct event_queue *queue, size_t index)
{
	return &queue->events[(queue->first + index) % CLIENT_EVENTS_MAX];
}

static uint64_t add_saturating(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* The oldest that may be lost; a notification only if all are. */
static size_t queue_victim(struct event_queue *queue)
{
	size_t i, notified = queue->count;

	for (i = 0; i < queue->count; i++) {
		enum vmsect_event_type type = queue_at(queue, i)->type;

		if (type != VMSECT_EVENT_DONE && type != VMSECT_EVENT_NOTIFIED)
			return i;
		if (type == VMSECT_EVENT_NOTIFIED && notified == queue->count)
			notified = i;
	}
	return notified;
}

static void queue_drop(struct event_queue *queue)
{
	size_t i = queue_victim(queue);

	for (; i > 0; i--)
		*queue_at(queue, i) = *queue_at(queue, i - 1);
	queue->first = (queue->first + 1) % CLIENT_EVENTS_MAX;
	queue->count--;
	queue->lost = add_saturating(queue->lost, 1);
}

/*
 * The notification that waits and that a newer one joins, or NULL.  Whoever
 * forgets a peer that has left would miss what joins a word from before.
 */
static struct vmsect_event *queue_notified(struct event_queue *queue,
					   const struct vmsect_event *event)
{
	size_t i;

	for (i = queue->count; i > 0; i--) {
		struct vmsect_event *waiting = queue_at(queue, i - 1);

		if (waiting->peer_id != event->peer_id || waiting->section_id != event->section_id)
			continue;
		if (waiting->type == VMSECT_EVENT_NOTIFIED)
			return waiting;
		if (waiting->type == VMSECT_EVENT_PEER_LEFT ||
		    waiting->type == VMSECT_EVENT_PEER_JOINED)
			return NULL;
	}
	return NULL;
}

static bool queue_merge(struct event_queue *queue, const struct vmsect_event *event)
{
	struct vmsect_event *waiting = NULL;

	if (event->type == VMSECT_EVENT_NOTIFIED)
		waiting = queue_notified(queue, event);
	if (!waiting)
		return false;
	waiting->value = event->value;
	waiting->length = add_saturating(waiting->length, event->length);
	return true;
}

void client_push_event(struct vmsect_client *client, const struct vmsect_event *event)
{
	struct event_queue *queue = &client->events;

	if (queue_merge(queue, event))
		return;
	if (queue->count == CLIENT_EVENTS_MAX)
		queue_drop(queue);
	*queue_at(queue, queue->count) = *event;
	queue->count++;
}

static bool queue_pop(struct event_queue *queue, struct vmsect_event *ret_event)
{
	if (queue->lost) {
		*ret_event =
			(struct vmsect_event){ .type = VMSECT_EVENT_LOST, .value = queue->lost };
		queue->lost = 0;
		return true;
	}
	if (!queue->count)
		return false;
	*ret_event = queue->events[queue->first];
	queue->first = (queue->first + 1) % CLIENT_EVENTS_MAX;
	queue->count--;
	return true;
}

/* A section has a new size: its views follow. */
static void views_resize(struct vmsect_client *client, uint64_t section_id, uint64_t size_bytes)
{
	struct client_object *object;

	TAILQ_FOREACH (object, &client->objects, of_client) {
		if (object->section_id == section_id && object->state == OBJECT_LIVE &&
		    object->ops && object->ops->resized)
			object->ops->resized(object, size_bytes);
	}
}

/* The answer to REVOKE_VIEW; without memory for it the broker goes on waiting. */
static void answer_revoked(struct vmsect_client *client, uint64_t view_id)
{
	struct vmsect_req_unmap revoked = { .view = view_id };
	struct client_request request = { VMSECT_OP_REVOKED, &revoked.hdr, sizeof(revoked), NULL,
					  0 };
	struct pending *pending;

	(void)pending_add_copy(client, PENDING_FORGOTTEN, &request, &pending);
}

/* Takes a mapped view away.  false: the program has unmapped it meanwhile. */
static bool view_revoke(struct vmsect_client *client, uint64_t view_id)
{
	struct client_object *object = object_find(client, OBJECT_VIEW, view_id);

	if (!object)
		return false;
	if (!object->ops || !object->ops->revoke)
		return true;
	object->ops->revoke(object);
	object->state = OBJECT_REVOKED;
	answer_revoked(client, view_id);
	return true;
}

static bool handle_revoke(struct vmsect_client *client, uint64_t handle)
{
	struct client_object *object = object_find(client, OBJECT_HANDLE, handle);

	if (!object)
		return false;
	object->state = OBJECT_REVOKED;
	object->file = section_file_unref(object->file);
	return true;
}

/* Does what the event asks for; true: the program is told. */
static bool event_obey(struct vmsect_client *client, const struct vmsect_msg_event *message)
{
	switch (message->type) {
	case VMSECT_WIRE_EVENT_RESIZED:
		views_resize(client, message->section, message->value);
		return true;
	case VMSECT_WIRE_EVENT_REVOKE_VIEW:
		return view_revoke(client, message->view);
	case VMSECT_WIRE_EVENT_REVOKE_HANDLE:
		return handle_revoke(client, message->value);
	case VMSECT_WIRE_EVENT_PEER_JOINED:
	case VMSECT_WIRE_EVENT_PEER_LEFT:
	case VMSECT_WIRE_EVENT_COMMITTED:
	case VMSECT_WIRE_EVENT_OFFERED:
	case VMSECT_WIRE_EVENT_IO_ERROR:
	case VMSECT_WIRE_EVENT_NOTIFIED:
		return true;
	case VMSECT_WIRE_EVENT_LOST:
		client->events.lost = add_saturating(client->events.lost, message->value);
		return false;
	default:
		/* A newer broker may tell of more; what is not known here is for nobody. */
		return false;
	}
}

/* The numbers of the wire are those of the API. */
#define SAME(name) ((int)VMSECT_WIRE_EVENT_##name == (int)VMSECT_EVENT_##name)
_Static_assert(SAME(PEER_JOINED) && SAME(PEER_LEFT) && SAME(RESIZED) && SAME(COMMITTED) &&
		       SAME(OFFERED) && SAME(IO_ERROR) && SAME(NOTIFIED),
	       "events");
_Static_assert((int)VMSECT_WIRE_EVENT_REVOKE_VIEW == (int)VMSECT_EVENT_VIEW_REVOKED &&
		       (int)VMSECT_WIRE_EVENT_REVOKE_HANDLE == (int)VMSECT_EVENT_HANDLE_REVOKED,
	       "events");

static bool event_header_is_clean(const struct vmsect_msg_hdr *hdr)
{
	return !hdr->flags && !hdr->cookie && !hdr->status && !hdr->detail && !hdr->fds &&
	       !hdr->reserved;
}

int client_take_event(struct vmsect_client *client)
{
	struct vmsect_msg_event message;
	struct vmsect_event event = { 0 };

	if (client->received != sizeof(message))
		return client_break_protocol(client, "an event of the wrong size");
	memcpy(&message, client->buffer, sizeof(message));
	if (message.hdr.size != sizeof(message) || !event_header_is_clean(&message.hdr))
		return client_break_protocol(client, "an event with a bad header");
	if (!event_obey(client, &message))
		return 0;
	event.type = (enum vmsect_event_type)message.type;
	event.peer_id = message.peer;
	event.section_id = message.section;
	event.view_id = message.view;
	event.value = message.value;
	event.offset = message.offset;
	event.length = message.length;
	client_push_event(client, &event);
	return 0;
}

int vmsect_client_next_event(struct vmsect_client *client, struct vmsect_event *ret_event)
{
	bool found;
	int i;

	link_drive(client);
	/* Events of a kind that is not known here leave the queue empty: look again. */
	for (i = 0; i < RECEIVE_MAX && !client->events.count; i++) {
		if (!link_receive(client))
			break;
	}
	found = queue_pop(&client->events, ret_event);
	if (found && ret_event->type == VMSECT_EVENT_DONE)
		client->pending.tickets--;
	link_settle(client);
	return found;
}
