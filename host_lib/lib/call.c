/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls: the one place where the library waits.
 *
 * A request is given CLIENT_TIMEOUT_MS for its answer, however many events
 * arrive meanwhile; one that may wait for a disk is given for ever, or until
 * the connection ends.  The time without a connection, or with a broker that
 * has not got the section's memory back, counts against reconnect_ms.
 */
#include "lib/client.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "lib/reply.h"

_Static_assert(FDMSG_FDS_MAX == VMSECT_MSG_FDS_MAX, "descriptors of base and of the protocol");

/* One call that waits. */
struct call {
	struct vmsect_client *client;
	struct client_object *object; /* NULL: about none */
	struct pending pending;
	bool may_wait_long;
	int64_t budget_ms; /* of time without service */
	int64_t without_ms; /* since when; 0: with service */
};

/* May the answer have to wait for a disk? */
static bool may_wait_long(const struct client_request *request)
{
	enum vmsect_op op = request->op;
	const struct vmsect_req_map *map = (const void *)request->hdr;

	if (op == VMSECT_OP_MAP)
		return map->commit != 0;
	return op == VMSECT_OP_CREATE || op == VMSECT_OP_EXTEND || op == VMSECT_OP_COMMIT ||
	       op == VMSECT_OP_FLUSH || op == VMSECT_OP_PUBLISH;
}

/* Counts the time without service; false: there was too much of it. */
static bool call_count(struct call *call, int64_t now_ms)
{
	bool served = call->client->link.phase == LINK_CONNECTED && !call->pending.retry_ms;

	if (!served && !call->without_ms)
		call->without_ms = now_ms;
	if (served && call->without_ms) {
		call->budget_ms -= now_ms - call->without_ms;
		call->without_ms = 0;
	}
	return served || now_ms - call->without_ms < call->budget_ms;
}

static int call_give_up(struct call *call)
{
	struct vmsect_client *client = call->client;

	if (call->pending.retry_ms && client->link.phase == LINK_CONNECTED)
		return client_fail(client, -EAGAIN, VMSECT_DETAIL_RECOVERY,
				   "the broker was replaced, and has not got the section's memory "
				   "back yet");
	return client_fail(client, -EPIPE, VMSECT_DETAIL_NONE,
			   "the broker has gone, and no new one has come: %s", client->link.reason);
}

/* A call whose object has gone, before it was sent, or whose time is over: the failure; else 0. */
static int call_check(struct call *call)
{
	struct vmsect_client *client = call->client;
	struct link *link = &client->link;
	int64_t now_ms = poller_now();
	int r;

	r = call->pending.sent ? 0 : object_check(call->object);
	if (r < 0)
		return r;
	if (link->phase == LINK_LOST && link->failure == -EPROTONOSUPPORT)
		return client_fail(client, link->failure, link->failure_detail, "%s", link->reason);
	if (!call_count(call, now_ms))
		return call_give_up(call);
	if (call->may_wait_long || call->without_ms ||
	    now_ms - call->pending.sent_ms < CLIENT_TIMEOUT_MS)
		return 0;
	link_lose(client, -ETIMEDOUT, "the broker does not answer");
	return client_fail(client, -ETIMEDOUT, VMSECT_DETAIL_NONE,
			   "the broker does not answer; the connection is over");
}

/* When call_check() will fail if nothing comes. */
static int64_t call_deadline(const struct call *call)
{
	if (call->without_ms)
		return call->without_ms + call->budget_ms;
	return call->may_wait_long ? INT64_MAX : call->pending.sent_ms + CLIENT_TIMEOUT_MS;
}

/* Waits until there is something to do, at most until the call's time is over. */
static void call_poll(const struct call *call)
{
	const struct vmsect_client *client = call->client;
	struct pollfd poll_fd = { .fd = client->link.fd, .events = POLLIN };
	int64_t until_ms = link_due(client);
	int64_t left_ms;

	if (call_deadline(call) < until_ms)
		until_ms = call_deadline(call);
	left_ms = until_ms == INT64_MAX ? -1 : until_ms - poller_now();
	if (until_ms != INT64_MAX && left_ms <= 0)
		return;
	if (client->pending.blocked)
		poll_fd.events |= POLLOUT;
	(void)poll(&poll_fd, 1, left_ms > INT_MAX ? INT_MAX : (int)left_ms);
}

/* The broker lacks the section's memory: it will be asked again. */
static bool call_is_early(struct call *call)
{
	struct vmsect_msg_hdr hdr;

	if (!call->budget_ms || call->pending.failure)
		return false;
	memcpy(&hdr, call->client->buffer, sizeof(hdr));
	return hdr.status == -EAGAIN && hdr.detail == VMSECT_DETAIL_RECOVERY;
}

/* There is no reply, and why. */
static int call_failed(struct call *call)
{
	int r = call->pending.failure;

	if (call->client->broken) /* with its sentence */
		return r;
	if (r == -ESTALE && object_check(call->object) < 0)
		return r;
	if (r == -ESTALE)
		return client_fail(call->client, r, VMSECT_DETAIL_NONE,
				   "the broker was replaced, and the new one does not know what "
				   "was asked of the old");
	return client_fail(call->client, r, VMSECT_DETAIL_NONE, "cannot ask the broker: %s",
			   error_words(r));
}

/* Waits for the reply: 0 and it is in client->buffer, or a failure with its sentence. */
static int call_wait(struct call *call)
{
	struct vmsect_client *client = call->client;
	int r;

	for (;;) {
		link_drive(client);
		if (!call->pending.answered && !link_receive(client))
			call_poll(call);
		if (call->pending.answered && call_is_early(call))
			pending_retry(client, &call->pending);
		if (call->pending.answered)
			return call->pending.failure ? call_failed(call) : 0;
		r = call_check(call);
		if (r < 0)
			return r;
	}
}

/*
 * The kernel drops a descriptor for which the process has no number left, and
 * the handle would be lost with it.  So there must be one before it is asked.
 */
static int check_room_for_fd(struct vmsect_client *client)
{
	AUTO_FD int spare = sys_result(fcntl(client->link.poller.epoll_fd, F_DUPFD_CLOEXEC, 0));

	if (spare < 0)
		return client_fail(client, -EMFILE, VMSECT_DETAIL_NONE,
				   "this process has too many open files");
	return 0;
}

/* May it be asked at all? */
static int check_before(struct vmsect_client *client, const struct client_object *object)
{
	if (client->broken)
		return client_fail(client, -EPIPE, VMSECT_DETAIL_NONE,
				   "the connection to the broker is over");
	return object_check(object);
}

static int call_run(struct call *call, const struct client_request *request,
		    struct client_reply *reply)
{
	struct vmsect_client *client = call->client;
	int r;

	call->may_wait_long = may_wait_long(request);
	pending_add(client, &call->pending, request);
	call->pending.is_bound = call->object != NULL;
	r = call_wait(call);
	pending_remove(client, &call->pending);
	if (!r)
		r = reply_take(client, reply, &call->pending.reply);
	fdmsg_close_fds(&call->pending.reply);
	/* A view that was taken away meanwhile stays away. */
	if (!r && call->object && call->object->kind == OBJECT_VIEW)
		r = object_check(call->object);
	return r;
}

static int call(struct vmsect_client *client, struct client_object *object,
		const struct client_request *request, struct client_reply *reply)
{
	struct call call = { .client = client,
			     .object = object,
			     .budget_ms = client->reconnect_ms };
	int r;

	r = check_before(client, object);
	if (!r && reply->wants_fd)
		r = check_room_for_fd(client);
	if (r < 0)
		return r;
	r = call_run(&call, request, reply);
	link_settle(client);
	return r;
}

int client_call(struct vmsect_client *client, const struct client_request *request,
		struct client_reply *reply)
{
	return call(client, NULL, request, reply);
}

int client_call_simple(struct vmsect_client *client, const struct client_request *request)
{
	struct client_reply reply = { .size = sizeof(struct vmsect_msg_hdr) };

	return call(client, NULL, request, &reply);
}

int client_call_on(struct client_object *object, const struct client_request *request,
		   struct client_reply *reply)
{
	return call(object->client, object, request, reply);
}

int client_call_simple_on(struct client_object *object, const struct client_request *request)
{
	struct client_reply reply = { .size = sizeof(struct vmsect_msg_hdr) };

	return call(object->client, object, request, &reply);
}

int client_call_async(struct client_object *object, const struct client_request *request,
		      uint64_t *ret_ticket)
{
	struct vmsect_client *client = object->client;
	struct pending *pending;
	int r;

	r = check_before(client, object);
	if (r < 0)
		return r;
	if (client->pending.tickets == PENDING_TICKETS_MAX)
		return client_fail(client, -EDQUOT, VMSECT_DETAIL_LIMIT,
				   "%u requests of this client wait already", PENDING_TICKETS_MAX);
	r = pending_add_copy(client, PENDING_TICKET, request, &pending);
	if (r < 0)
		return client_fail(client, r, VMSECT_DETAIL_NONE, "cannot ask the broker: %s",
				   error_words(r));
	*ret_ticket = pending->ticket;
	link_settle(client);
	return 0;
}

void client_release(struct client_object *object, const struct client_request *request)
{
	struct vmsect_client *client = object->client;
	struct client_reply reply = { .size = sizeof(struct vmsect_msg_hdr) };
	struct call call = { .client = client };
	struct pending *pending;
	int r = -EPIPE;

	if (client->broken || object->state == OBJECT_STALE ||
	    (object->state == OBJECT_REVOKED && object->kind == OBJECT_VIEW))
		return;
	if (client->link.phase == LINK_CONNECTED)
		r = call_run(&call, request, &reply);
	if (r == -EPIPE) /* told later; if there is no memory for that, when the client ends */
		(void)pending_add_copy(client, PENDING_FORGOTTEN, request, &pending);
	link_settle(client);
}
