/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See link.h. */
#include "lib/link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "lib/client.h"
#include "lib/reach.h"
#include "lib/reply.h"

#define ATTEMPT_MS 100
#define ATTEMPT_SLOW_MS 1000
#define SLOW_AFTER_MS 60000
#define START_AFTER_MS 200 /* whoever replaces the broker comes first */
#define START_AGAIN_MS 2000

#define NO_ANSWER "the broker does not answer"

static int64_t earlier(int64_t a_ms, int64_t b_ms)
{
	return a_ms < b_ms ? a_ms : b_ms;
}

static int64_t later(int64_t a_ms, int64_t b_ms)
{
	return a_ms > b_ms ? a_ms : b_ms;
}

/* The socket, if there is one, goes. */
static void link_detach(struct link *link)
{
	if (link->fd < 0)
		return;
	poller_remove(&link->poller, link->fd);
	link->fd = fd_close(link->fd);
}

/*
 * Whoever listens after our broker has gone would hear the token, and be handed
 * memory: it must be the same user, or root.
 */
static int broker_check(struct link *link)
{
	struct ucred peer = { 0 };
	socklen_t size = sizeof(peer);
	int r = sys_result(getsockopt(link->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size));

	if (r < 0)
		return r;
	if (link->known && peer.uid != link->broker_uid && peer.uid != 0)
		return -EACCES;
	link->broker_uid = peer.uid;
	return 0;
}

/* Takes the new socket and greets the broker. */
static int link_attach(struct vmsect_client *client, int fd, enum vmsect_op greeting)
{
	struct link *link = &client->link;
	int r;

	link->fd = fd;
	r = poller_add(&link->poller, fd);
	if (!r)
		r = broker_check(link);
	if (!r)
		r = greet_send(client, greeting);
	if (r < 0)
		return r;
	link->phase = LINK_GREETING;
	link->attempt_ms = poller_now() + CLIENT_TIMEOUT_MS;
	return 0;
}

static int64_t attempt_spacing(const struct link *link, int64_t now_ms)
{
	if (link->failure == -EPROTONOSUPPORT || now_ms - link->lost_ms >= SLOW_AFTER_MS)
		return ATTEMPT_SLOW_MS;
	return ATTEMPT_MS;
}

void link_lose(struct vmsect_client *client, int failure, const char *reason)
{
	struct link *link = &client->link;
	int64_t now_ms = poller_now();

	link_detach(link);
	link->failure = failure;
	(void)snprintf(link->reason, sizeof(link->reason), "%s", reason);
	if (link->phase == LINK_CONNECTED) {
		link->lost_ms = now_ms;
		link->start_ms = later(link->start_ms, now_ms + START_AFTER_MS);
		client_push_event(client,
				  &(struct vmsect_event){ .type = VMSECT_EVENT_DISCONNECTED });
	}
	link->phase = LINK_LOST;
	link->attempt_ms = later(now_ms, link->tried_ms + attempt_spacing(link, now_ms));
	pending_unsend(client);
}

void link_close(struct vmsect_client *client)
{
	link_detach(&client->link);
	client->link.phase = LINK_LOST;
	client->broken = true;
	client_push_event(client, &(struct vmsect_event){ .type = VMSECT_EVENT_DISCONNECTED,
							  .status = -EPROTO });
	pending_fail(client, -EPROTO, true);
}

/* Looks after the process that starts a broker. */
static void starter_look(struct link *link, int64_t now_ms)
{
	if (link->starter.pidfd < 0)
		return;
	if (starter_wait(&link->starter, 0) == -ETIMEDOUT &&
	    now_ms - (link->start_ms - START_AGAIN_MS) > START_TIMEOUT_MS)
		starter_kill(&link->starter);
}

/* Nobody listens: starts a broker, if one was not started just now. */
static void link_start(struct link *link, int64_t now_ms)
{
	if (!link->may_start || link->starter.pidfd >= 0 || now_ms < link->start_ms)
		return;
	link->start_ms = now_ms + START_AGAIN_MS;
	if (place_prepare(&link->place) == 0)
		(void)starter_begin(&link->starter, link->place.path);
}

static const char *attempt_words(int r)
{
	if (reach_is_nobody(r))
		return "no broker listens";
	return r == -EACCES ? "the place of the broker is another user's, or the broker is"
			    : error_words(r);
}

static void link_attempt(struct vmsect_client *client, int64_t now_ms)
{
	struct link *link = &client->link;
	int r;

	link->tried_ms = now_ms;
	r = reach_again(&link->place);
	if (reach_is_nobody(r))
		link_start(link, now_ms);
	if (r >= 0)
		r = link_attach(client, r, link->known ? VMSECT_OP_RESUME : VMSECT_OP_HELLO);
	if (r < 0)
		link_lose(client, r, attempt_words(r));
}

void link_drive(struct vmsect_client *client)
{
	struct link *link = &client->link;
	int64_t now_ms = poller_now();

	starter_look(link, now_ms);
	if (client->broken)
		return;
	if (link->phase != LINK_CONNECTED && now_ms >= link->attempt_ms) {
		if (link->phase == LINK_LOST)
			link_attempt(client, now_ms);
		else
			link_lose(client, -ETIMEDOUT, NO_ANSWER);
	}
	if (link->phase == LINK_CONNECTED)
		pending_send(client);
}

/* Takes the reply in client->buffer, or finds that it answers nothing. */
static void take_message(struct vmsect_client *client, struct fdmsg *msg)
{
	const char *fault = reply_fault(client, msg);
	struct vmsect_msg_hdr hdr;
	struct pending *pending;

	if (fault) {
		client_break_protocol(client, fault);
		return;
	}
	memcpy(&hdr, client->buffer, sizeof(hdr));
	if (client->link.phase == LINK_GREETING) {
		greet_take(client, &hdr, msg);
		return;
	}
	pending = pending_find(client, hdr.cookie);
	if (!pending || pending->hdr->op != hdr.op) {
		client_break_protocol(client, "a reply to nothing that was asked");
		return;
	}
	pending_answer(client, pending, msg);
}

bool link_receive(struct vmsect_client *client)
{
	struct vmsect_msg_hdr hdr = { 0 };
	struct fdmsg msg;
	int r;

	if (client->link.fd < 0)
		return false;
	r = fdmsg_receive(client->link.fd, client->buffer, sizeof(client->buffer), FDMSG_DONTWAIT,
			  &msg);
	if (r == -EAGAIN)
		return false;
	if (r == FDMSG_E_CUT) {
		client_break_protocol(client, "a message that is too large");
		return true;
	}
	if (r) {
		link_lose(client, -EPIPE, "the broker has gone");
		return true;
	}
	client->received = msg.size;
	if (msg.size >= sizeof(hdr))
		memcpy(&hdr, client->buffer, sizeof(hdr));
	if (hdr.op == VMSECT_OP_EVENT && !msg.nfds)
		(void)client_take_event(client);
	else
		take_message(client, &msg);
	fdmsg_close_fds(&msg);
	return true;
}

int64_t link_due(const struct vmsect_client *client)
{
	const struct link *link = &client->link;
	int64_t due_ms = INT64_MAX;

	if (link->starter.pidfd >= 0)
		due_ms = poller_now() + ATTEMPT_MS;
	if (client->broken)
		return due_ms;
	if (link->phase != LINK_CONNECTED)
		return earlier(due_ms, link->attempt_ms);
	return earlier(due_ms, pending_due(client));
}

void link_settle(struct vmsect_client *client)
{
	struct link *link = &client->link;

	if (link->phase == LINK_CONNECTED) {
		pending_send(client);
		poller_want_room(&link->poller, link->fd, client->pending.blocked);
	}
	poller_wake(&link->poller, client->events.count || client->events.lost);
	poller_set_timer(&link->poller, link_due(client));
}

/* Waits for the answer to the first greeting. */
static int first_answer(struct vmsect_client *client)
{
	struct link *link = &client->link;

	while (link->phase == LINK_GREETING) {
		struct pollfd poll_fd = { .fd = link->fd, .events = POLLIN };
		int64_t left_ms = link->attempt_ms - poller_now();

		if (left_ms <= 0)
			link_lose(client, -ETIMEDOUT, NO_ANSWER);
		else if (!link_receive(client))
			(void)poll(&poll_fd, 1, (int)left_ms);
	}
	if (link->phase == LINK_CONNECTED)
		return 0;
	if (client->broken)
		return -EPROTO;
	return client_fail(client, link->failure, link->failure_detail, "%s", link->reason);
}

static int first_attempt(struct vmsect_client *client, const struct vmsect_connect_options *options)
{
	struct reached reached;
	int r, fd;

	fd = reach_broker(options, &reached, client->error, sizeof(client->error));
	if (fd < 0)
		return fd;
	client->link.place = reached.place;
	client->link.may_start = reached.may_start;
	client->link.tried_ms = poller_now();
	r = link_attach(client, fd, VMSECT_OP_HELLO);
	if (r < 0) {
		link_lose(client, r, error_words(r));
		return client_fail(client, r, VMSECT_DETAIL_NONE, "%s", error_words(r));
	}
	return first_answer(client);
}

void link_prepare(struct link *link)
{
	link->fd = link->starter.pidfd = -1;
	link->poller = (struct poller){ .epoll_fd = -1, .wake_fd = -1, .timer_fd = -1 };
}

int link_init(struct vmsect_client *client, const struct vmsect_connect_options *options)
{
	int r;

	r = poller_init(&client->link.poller);
	if (r < 0)
		return client_fail(client, r, VMSECT_DETAIL_NONE, "%s", error_words(r));
	r = first_attempt(client, options);
	if (r == -EPIPE || r == -ECONNRESET) /* that broker was about to exit: idle */
		r = first_attempt(client, options);
	if (r == -ECONNRESET)
		return client_fail(client, -EPIPE, VMSECT_DETAIL_NONE,
				   "the broker has gone before it answered");
	return r;
}

void link_deinit(struct vmsect_client *client)
{
	link_detach(&client->link);
	starter_kill(&client->link.starter);
	poller_deinit(&client->link.poller);
}
