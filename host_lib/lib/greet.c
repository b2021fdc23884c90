/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * HELLO and RESUME: the first request on a connection, and what its answer
 * makes of the client.  See link.h.
 *
 * A broker that refuses RESUME (it knows nothing of us; or it is an older one,
 * which does not know RESUME) hears HELLO next, on the same connection: either
 * we start anew, or it says which version it speaks.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/client.h"
#include "lib/reply.h"

static int resume_send(struct vmsect_client *client)
{
	struct link *link = &client->link;
	struct vmsect_req_resume resume = {
		.hdr = { .size = sizeof(resume),
			 .op = VMSECT_OP_RESUME,
			 .cookie = link->greeting_cookie },
		.version = VMSECT_PROTO_VERSION,
		.peer = client->peer_id,
		.broker_generation = link->broker_generation,
	};

	memcpy(resume.token, link->token, sizeof(resume.token));
	return fdmsg_send(link->fd, &resume, sizeof(resume), NULL, 0, FDMSG_DONTWAIT);
}

static int hello_send(struct vmsect_client *client)
{
	struct link *link = &client->link;
	struct vmsect_req_hello hello = link->hello;

	hello.hdr.size = sizeof(hello);
	hello.hdr.op = VMSECT_OP_HELLO;
	hello.hdr.cookie = link->greeting_cookie;
	return fdmsg_send(link->fd, &hello, sizeof(hello), NULL, 0, FDMSG_DONTWAIT);
}

int greet_send(struct vmsect_client *client, enum vmsect_op op)
{
	client->link.greeting = op;
	client->link.greeting_cookie = ++client->cookie;
	return op == VMSECT_OP_RESUME ? resume_send(client) : hello_send(client);
}

/* Ends the attempt with what client->error says. */
static void greet_fail(struct vmsect_client *client, int r)
{
	client->link.failure_detail = client->detail;
	link_lose(client, r, client->error);
}

static void greet_fail_version(struct vmsect_client *client, uint32_t version)
{
	greet_fail(client, client_fail(client, -EPROTONOSUPPORT, VMSECT_DETAIL_VERSION,
				       "the broker speaks version %u of the protocol, and this "
				       "library version %u",
				       version, VMSECT_PROTO_VERSION));
}

/* There is a connection, the first (`again` is false) or a new one. */
static void greet_done(struct vmsect_client *client, bool again, int status)
{
	client->link.phase = LINK_CONNECTED;
	client->link.failure = 0;
	client->link.known = true;
	if (again)
		client_push_event(client, &(struct vmsect_event){ .type = VMSECT_EVENT_RECONNECTED,
								  .status = status });
	pending_send(client);
}

/* A broker that did not know us, or not even RESUME: who is it? */
static void ask_who(struct vmsect_client *client)
{
	int r = greet_send(client, VMSECT_OP_HELLO);

	if (r < 0)
		link_lose(client, r, error_words(r));
}

/* Hands back what we have of the sections in the reply. */
static void hand_back(struct vmsect_client *client, uint32_t count)
{
	const unsigned char *ids = client->buffer + sizeof(struct vmsect_rep_resume);
	uint32_t i;

	for (i = 0; i < count; i++) {
		struct section_file *file;
		uint64_t id;

		memcpy(&id, ids + i * sizeof(id), sizeof(id));
		file = object_find_file(client, id);
		if (file)
			pending_add_hand_back(client, id, file);
	}
}

static void take_resume(struct vmsect_client *client)
{
	struct vmsect_rep_resume reply;

	if (client->received < sizeof(reply)) {
		client_break_protocol(client, "an answer to RESUME that is none");
		return;
	}
	memcpy(&reply, client->buffer, sizeof(reply));
	if (reply.version != VMSECT_PROTO_VERSION) {
		greet_fail_version(client, reply.version);
		return;
	}
	if (client->received != sizeof(reply) + reply.count * sizeof(uint64_t)) {
		client_break_protocol(client, "an answer to RESUME whose count is not its count");
		return;
	}
	hand_back(client, reply.count);
	greet_done(client, true, 0);
}

/* A later version may have a longer answer: the version is looked at first. */
static void take_hello(struct vmsect_client *client)
{
	struct vmsect_rep_hello reply = { 0 };

	if (client->received < offsetof(struct vmsect_rep_hello, peer)) {
		client_break_protocol(client, "an answer to HELLO that is none");
		return;
	}
	memcpy(&reply, client->buffer,
	       client->received < sizeof(reply) ? client->received : sizeof(reply));
	if (reply.version != VMSECT_PROTO_VERSION) {
		greet_fail_version(client, reply.version);
		return;
	}
	if (client->received != sizeof(reply) || !reply.peer) {
		client_break_protocol(client, "an answer to HELLO that is none");
		return;
	}
	if (client->link.known) { /* what was ours is no more */
		objects_make_stale(client);
		pending_fail(client, -ESTALE, false);
	}
	client->peer_id = reply.peer;
	client->link.broker_generation = reply.broker_generation;
	memcpy(client->link.token, reply.token, sizeof(reply.token));
	greet_done(client, client->link.known, -ESTALE);
}

static bool resume_is_refused(int status)
{
	return status == -ESTALE || status == -EINVAL || status == -EOPNOTSUPP;
}

void greet_take(struct vmsect_client *client, const struct vmsect_msg_hdr *hdr,
		const struct fdmsg *msg)
{
	struct link *link = &client->link;

	if (hdr->cookie != link->greeting_cookie || hdr->op != link->greeting || msg->nfds)
		client_break_protocol(client, "an answer to something else than the greeting");
	else if (link->greeting == VMSECT_OP_RESUME && resume_is_refused(hdr->status))
		ask_who(client);
	else if (hdr->status)
		greet_fail(client, reply_fail(client));
	else if (link->greeting == VMSECT_OP_RESUME)
		take_resume(client);
	else
		take_hello(client);
}
