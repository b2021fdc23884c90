/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Events: taken from the socket, or from the queue where they wait when they
 * came ahead of a reply.  A caller who never asks loses the oldest and is told
 * so, rather than having the queue grow or the reply wait.
 */
#include "lib/client.h"

#include <errno.h>
#include <string.h>

#include "base/fdmsg.h"

#define RECEIVE_MAX 64 /* messages for one call: a broker that floods cannot keep the caller */

static void queue_push(struct event_queue *queue, const struct vmsect_event *event)
{
	if (queue->count == CLIENT_EVENTS_MAX) {
		queue->first = (queue->first + 1) % CLIENT_EVENTS_MAX;
		queue->count--;
		queue->lost++;
	}
	queue->events[(queue->first + queue->count) % CLIENT_EVENTS_MAX] = *event;
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
	/* A newer broker may tell of more; what is not known here is not for this program. */
	if (message.type != VMSECT_WIRE_EVENT_PEER_JOINED &&
	    message.type != VMSECT_WIRE_EVENT_PEER_LEFT)
		return 0;
	event.type = message.type == VMSECT_WIRE_EVENT_PEER_JOINED ? VMSECT_EVENT_PEER_JOINED
								   : VMSECT_EVENT_PEER_LEFT;
	event.peer_id = message.peer;
	event.section_id = message.section;
	event.value = message.value;
	event.offset = message.offset;
	event.length = message.length;
	queue_push(&client->events, &event);
	return 0;
}

/* One message from the socket to the queue.  0, or a failure that ends the connection. */
static int receive_event(struct vmsect_client *client)
{
	struct vmsect_msg_hdr hdr;
	struct fdmsg msg;
	int r;

	r = fdmsg_receive(client->fd, client->buffer, sizeof(client->buffer), FDMSG_DONTWAIT, &msg);
	if (r == -EAGAIN)
		return r;
	if (r == FDMSG_E_CUT)
		return client_break_protocol(client, "a message that is too large");
	if (r)
		return client_break(client, -EPIPE, "the broker has gone");
	client->received = msg.size;
	if (msg.nfds) {
		fdmsg_close_fds(&msg);
		return client_break_protocol(client, "descriptors that were not asked for");
	}
	if (msg.size < sizeof(hdr))
		return client_break_protocol(client, "a message without a header");
	memcpy(&hdr, client->buffer, sizeof(hdr));
	if (hdr.op != VMSECT_OP_EVENT)
		return client_break_protocol(client, "a reply to nothing");
	return client_take_event(client);
}

int vmsect_client_next_event(struct vmsect_client *client, struct vmsect_event *ret_event)
{
	int i;

	/* Events of a kind that is not known here leave the queue empty: look again. */
	for (i = 0; i < RECEIVE_MAX && !client->events.count && !client->broken; i++) {
		if (receive_event(client) == -EAGAIN)
			break;
	}
	if (queue_pop(&client->events, ret_event))
		return 1;
	if (!client->broken || client->disconnect_told)
		return 0;
	client->disconnect_told = true;
	*ret_event = (struct vmsect_event){ .type = VMSECT_EVENT_DISCONNECTED };
	return 1;
}
