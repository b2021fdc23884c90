/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See wire_client.h. */
#include "lib/wire_client.h"

#include "lib/check.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdmsg.h"
#include "base/sys.h"

#define WAIT_MS 10000
#define SHMEM_BYTES 65536u

void wire_connect(struct wire_client *client, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memset(client, 0, sizeof(*client));
	client->reply_fd = -1;
	assert_true(strlen(path) < sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path) + 1);
	client->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_true(client->fd >= 0);
	assert_int_equal(
		sys_result(connect(client->fd, (const struct sockaddr *)&address, sizeof(address))),
		0);
}

static void copy_name(char *field, const char *name)
{
	assert_true(strlen(name) <= VMSECT_NAME_MAX);
	memcpy(field, name, strlen(name) + 1);
}

static void say_hello(struct wire_client *client, const char *name, uint32_t kind)
{
	struct vmsect_req_hello hello = { .version = VMSECT_PROTO_VERSION, .kind = kind };

	copy_name(hello.name, name);
	assert_int_equal(wire_call(client, VMSECT_OP_HELLO, &hello, sizeof(hello)), 0);
	assert_int_equal(client->reply_size, sizeof(client->reply.hello));
	client->peer = client->reply.hello.peer;
	assert_int_not_equal(client->peer, 0);
}

void wire_join(struct wire_client *client, const char *path, const char *name, uint32_t kind)
{
	wire_connect(client, path);
	say_hello(client, name, kind);
}

/* The kernel notes the effective ids of the moment of connect(). */
void wire_join_as(struct wire_client *client, const char *path, const char *name, uint32_t kind,
		  uint32_t uid)
{
	assert_int_equal(sys_result(setegid(uid)), 0);
	assert_int_equal(sys_result(seteuid(uid)), 0);
	wire_connect(client, path);
	assert_int_equal(sys_result(seteuid(0)), 0);
	assert_int_equal(sys_result(setegid(0)), 0);
	say_hello(client, name, kind);
}

void wire_close(struct wire_client *client)
{
	client->fd = fd_close(client->fd);
	client->reply_fd = fd_close(client->reply_fd);
}

void wire_send(struct wire_client *client, const void *bytes, size_t size, const int *fds,
	       unsigned int nfds)
{
	assert_int_equal(fdmsg_send(client->fd, bytes, size, fds, nfds, 0), 0);
}

/* One message: true if it is an event, which is then put aside. */
static bool take_event(struct wire_client *client)
{
	if (client->reply.hdr.op != VMSECT_OP_EVENT || client->reply.hdr.flags)
		return false;
	assert_int_equal(client->reply_size, sizeof(struct vmsect_msg_event));
	assert_true(client->event_count < WIRE_EVENTS_MAX);
	memcpy(&client->events[client->event_count++], client->reply.bytes,
	       sizeof(struct vmsect_msg_event));
	return true;
}

/* One datagram into the reply.  0, WIRE_CLOSED, or -EAGAIN at the time limit. */
static int receive(struct wire_client *client, int limit_ms)
{
	struct pollfd readable = { .fd = client->fd, .events = POLLIN };
	struct fdmsg message;
	int r;

	if (sys_retry(poll(&readable, 1, limit_ms)) == 0)
		return -EAGAIN;
	r = fdmsg_receive(client->fd, client->reply.bytes, sizeof(client->reply.bytes),
			  FDMSG_DONTWAIT, &message);
	if (r == FDMSG_E_CLOSED)
		return WIRE_CLOSED;
	assert_int_equal(r, 0);
	assert_true(message.size >= sizeof(client->reply.hdr));
	assert_int_equal(client->reply.hdr.size, message.size);
	assert_int_equal(client->reply.hdr.fds, message.nfds);
	assert_int_equal(client->reply.hdr.reserved, 0);
	assert_true(message.nfds <= 1);
	client->reply_size = message.size;
	client->reply_fd = fd_close(client->reply_fd);
	client->reply_fd = steal_fd(&message.fds[0]);
	return 0;
}

int wire_receive(struct wire_client *client)
{
	int r;

	do {
		r = receive(client, WAIT_MS);
		assert_int_not_equal(r, -EAGAIN);
	} while (!r && take_event(client));
	if (r)
		return r;
	assert_int_equal(client->reply.hdr.flags, VMSECT_MSG_REPLY);
	return client->reply.hdr.status;
}

int wire_call(struct wire_client *client, uint16_t op, void *request, size_t size)
{
	struct vmsect_msg_hdr hdr = {
		.size = (uint32_t)size,
		.op = op,
		.cookie = ++client->cookie,
	};
	int r;

	memcpy(request, &hdr, sizeof(hdr));
	wire_send(client, request, size, NULL, 0);
	r = wire_receive(client);
	assert_int_not_equal(r, WIRE_CLOSED);
	assert_int_equal(client->reply.hdr.cookie, client->cookie);
	assert_int_equal(client->reply.hdr.op, op);
	return r;
}

/* EXACT: the flags as they are; else COMMIT where nothing is said. */
static uint32_t wire_create_flags(uint32_t flags)
{
	if (flags & VMSECT_CREATE_EXACT)
		return flags & ~VMSECT_CREATE_EXACT;
	return flags & VMSECT_CREATE_RESERVE ? flags : flags | VMSECT_CREATE_COMMIT;
}

int wire_create(struct wire_client *client, const struct wire_create *create)
{
	struct vmsect_req_create request = {
		.hdr = { .size = sizeof(request),
			 .op = VMSECT_OP_CREATE,
			 .cookie = ++client->cookie,
			 .fds = create->nfds },
		.size_bytes = create->size_bytes,
		.backing = create->backing,
		.protection = create->protection,
		.max_bytes = create->max_bytes,
		.flags = wire_create_flags(create->flags),
		.access = create->access,
		.mode = create->mode,
		.page_shift = create->page_shift,
	};

	if (create->name)
		copy_name(request.name, create->name);
	wire_send(client, &request, sizeof(request), create->fds, create->nfds);
	return wire_receive(client);
}

int wire_create_shmem(struct wire_client *client, const char *name, uint32_t access)
{
	const struct wire_create create = {
		.name = name,
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = SHMEM_BYTES,
		.access = access,
		.mode = 0600,
	};

	return wire_create(client, &create);
}

int wire_open(struct wire_client *client, const char *name, uint32_t access)
{
	struct vmsect_req_open request = { .access = access };

	copy_name(request.name, name);
	return wire_call(client, VMSECT_OP_OPEN, &request, sizeof(request));
}

int wire_close_handle(struct wire_client *client, uint32_t handle)
{
	struct vmsect_req_handle request = { .handle = handle };

	return wire_call(client, VMSECT_OP_CLOSE, &request, sizeof(request));
}

int wire_remove(struct wire_client *client, const char *name)
{
	struct vmsect_req_remove request = { 0 };

	copy_name(request.name, name);
	return wire_call(client, VMSECT_OP_REMOVE, &request, sizeof(request));
}

int wire_query(struct wire_client *client, uint32_t handle)
{
	struct vmsect_req_handle request = { .handle = handle };

	return wire_call(client, VMSECT_OP_QUERY, &request, sizeof(request));
}

int wire_map(struct wire_client *client, uint32_t handle, uint32_t protection, uint64_t offset,
	     uint64_t length)
{
	struct vmsect_req_map request = {
		.handle = handle,
		.protection = protection,
		.offset = offset,
		.length = length,
		.place = 0x123000,
	};

	return wire_call(client, VMSECT_OP_MAP, &request, sizeof(request));
}

int wire_map_with(struct wire_client *client, const struct vmsect_req_map *map)
{
	struct vmsect_req_map request = *map;

	return wire_call(client, VMSECT_OP_MAP, &request, sizeof(request));
}

int wire_unmap(struct wire_client *client, uint64_t view)
{
	struct vmsect_req_unmap request = { .view = view };

	return wire_call(client, VMSECT_OP_UNMAP, &request, sizeof(request));
}

int wire_revoked(struct wire_client *client, uint64_t view)
{
	struct vmsect_req_unmap request = { .view = view };

	return wire_call(client, VMSECT_OP_REVOKED, &request, sizeof(request));
}

int wire_protect(struct wire_client *client, uint64_t view, uint64_t offset, uint64_t length,
		 uint32_t protection)
{
	struct vmsect_req_protect request = {
		.view = view,
		.offset = offset,
		.length = length,
		.protection = protection,
	};

	return wire_call(client, VMSECT_OP_PROTECT, &request, sizeof(request));
}

int wire_duplicate(struct wire_client *client, uint32_t handle, uint32_t access)
{
	struct vmsect_req_duplicate request = { .handle = handle, .access = access };

	return wire_call(client, VMSECT_OP_DUPLICATE, &request, sizeof(request));
}

int wire_pass(struct wire_client *client, uint32_t handle, uint32_t peer, uint32_t access,
	      uint64_t expires_ms)
{
	struct vmsect_req_pass request = {
		.handle = handle,
		.access = access,
		.peer = peer,
		.expires_ms = expires_ms,
	};

	return wire_call(client, VMSECT_OP_PASS, &request, sizeof(request));
}

int wire_accept(struct wire_client *client, uint64_t offer)
{
	struct vmsect_req_accept request = { .offer = offer };

	return wire_call(client, VMSECT_OP_ACCEPT, &request, sizeof(request));
}

int wire_seal(struct wire_client *client, uint32_t handle)
{
	struct vmsect_req_handle request = { .handle = handle };

	return wire_call(client, VMSECT_OP_SEAL, &request, sizeof(request));
}

int wire_notify(struct wire_client *client, uint32_t handle, uint32_t peer, uint64_t value)
{
	struct vmsect_req_notify request = { .handle = handle, .peer = peer, .value = value };

	return wire_call(client, VMSECT_OP_NOTIFY, &request, sizeof(request));
}

int wire_grant(struct wire_client *client, uint32_t handle, const struct wire_grant *grant)
{
	struct vmsect_req_grant request = {
		.handle = handle,
		.flags = grant->flags,
		.grant = { .grantee = grant->grantee, .id = grant->id, .access = grant->access },
	};

	if (grant->name)
		copy_name(request.grant.name, grant->name);
	return wire_call(client, VMSECT_OP_GRANT, &request, sizeof(request));
}

int wire_list_grants(struct wire_client *client, uint32_t handle)
{
	struct vmsect_req_handle request = { .handle = handle };

	return wire_call(client, VMSECT_OP_LIST_GRANTS, &request, sizeof(request));
}

int wire_list(struct wire_client *client, uint16_t op, uint64_t after, uint64_t section)
{
	struct vmsect_req_list request = { .after = after, .section = section };

	return wire_call(client, op, &request, sizeof(request));
}

static const void *listed(const struct wire_client *client, uint32_t index, size_t bytes)
{
	const struct vmsect_rep_list *list = &client->reply.list;

	assert_int_equal(client->reply_size, sizeof(*list) + list->count * bytes);
	assert_true(index < list->count);
	return client->reply.bytes + sizeof(*list) + index * bytes;
}

const struct vmsect_wire_section *wire_listed_section(const struct wire_client *client,
						      uint32_t index)
{
	return listed(client, index, sizeof(struct vmsect_wire_section));
}

const struct vmsect_wire_view *wire_listed_view(const struct wire_client *client, uint32_t index)
{
	return listed(client, index, sizeof(struct vmsect_wire_view));
}

const struct vmsect_wire_peer *wire_listed_peer(const struct wire_client *client, uint32_t index)
{
	return listed(client, index, sizeof(struct vmsect_wire_peer));
}

const struct vmsect_wire_grant *wire_listed_grant(const struct wire_client *client, uint32_t index)
{
	return listed(client, index, sizeof(struct vmsect_wire_grant));
}

struct vmsect_msg_event wire_expect_event(struct wire_client *client, uint32_t type)
{
	struct vmsect_msg_event event = { .type = 0 };

	do {
		if (!wire_next_event(client, &event, WAIT_MS))
			fail_msg("event %u did not come", type);
	} while (event.type != type);
	return event;
}

bool wire_next_event(struct wire_client *client, struct vmsect_msg_event *ret_event, int limit_ms)
{
	int r;

	if (!client->event_count) {
		r = receive(client, limit_ms);
		if (r == -EAGAIN)
			return false;
		assert_int_equal(r, 0);
		assert_true(take_event(client));
	}
	*ret_event = client->events[0];
	client->event_count--;
	memmove(client->events, client->events + 1,
		client->event_count * sizeof(client->events[0]));
	return true;
}

const char *wire_text(struct wire_client *client)
{
	if (client->reply_size >= sizeof(client->reply.bytes))
		fail_msg("this is no error reply");
	client->reply.bytes[client->reply_size] = '\0';
	return (const char *)client->reply.bytes + sizeof(client->reply.hdr);
}
