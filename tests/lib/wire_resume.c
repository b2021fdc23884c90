/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See wire_resume.h. */
#include "lib/wire_resume.h"

#include "lib/check.h"

#include <string.h>

void wire_join_noted(struct wire_client *client, const char *path, const char *name,
		     struct wire_identity *ret_identity)
{
	wire_join(client, path, name, VMSECT_PEER_PROCESS);
	ret_identity->peer = client->reply.hello.peer;
	ret_identity->generation = client->reply.hello.broker_generation;
	memcpy(ret_identity->token, client->reply.hello.token, VMSECT_TOKEN_BYTES);
}

int wire_say_resume(struct wire_client *client, const struct wire_identity *identity)
{
	struct vmsect_req_resume request = {
		.version = VMSECT_PROTO_VERSION,
		.peer = identity->peer,
		.broker_generation = identity->generation,
	};

	memcpy(request.token, identity->token, sizeof(request.token));
	return wire_call(client, VMSECT_OP_RESUME, &request, sizeof(request));
}

int wire_resume(struct wire_client *client, const char *path, const struct wire_identity *identity)
{
	uint64_t cookie = client->cookie;

	wire_close(client);
	wire_connect(client, path);
	client->cookie = cookie;
	client->peer = identity->peer;
	return wire_say_resume(client, identity);
}

uint32_t wire_wanted_count(const struct wire_client *client)
{
	struct vmsect_rep_resume reply;

	memcpy(&reply, client->reply.bytes, sizeof(reply));
	assert_int_equal(reply.hdr.op, VMSECT_OP_RESUME);
	assert_int_equal(client->reply_size, sizeof(reply) + reply.count * sizeof(uint64_t));
	return reply.count;
}

uint64_t wire_wanted(const struct wire_client *client, uint32_t index)
{
	uint64_t section;

	assert_true(index < wire_wanted_count(client));
	memcpy(&section,
	       client->reply.bytes + sizeof(struct vmsect_rep_resume) + index * sizeof(section),
	       sizeof(section));
	return section;
}

int wire_hand_back(struct wire_client *client, uint64_t section, int fd)
{
	const struct vmsect_req_hand_back request = {
		.hdr = { .size = sizeof(request),
			 .op = VMSECT_OP_HAND_BACK,
			 .cookie = ++client->cookie,
			 .fds = fd >= 0 },
		.section = section,
	};

	wire_send(client, &request, sizeof(request), &fd, fd >= 0);
	return wire_receive(client);
}
