/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One request and its reply.
 *
 * The broker is not trusted to keep the protocol: every field of a reply's
 * header is compared with what it must be, and the first that is wrong ends
 * the connection.  A request is given CLIENT_TIMEOUT_MS in all, however many
 * events arrive meanwhile.
 */
#include "lib/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fdmsg.h"
#include "base/sys.h"

#define ERRNO_MAX 4095

_Static_assert(FDMSG_FDS_MAX == VMSECT_MSG_FDS_MAX, "descriptors of base and of the protocol");

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits until the socket is ready for `events`: 0, -ETIMEDOUT or what poll() says. */
static int wait_ready(const struct vmsect_client *client, short events, int64_t deadline_ms)
{
	struct pollfd poll_fd = { .fd = client->fd, .events = events };

	for (;;) {
		int64_t left = deadline_ms - now_ms();
		int r;

		if (left <= 0)
			return -ETIMEDOUT;
		r = sys_result(poll(&poll_fd, 1, (int)left));
		if (r > 0)
			return 0;
		if (r < 0 && r != -EINTR)
			return r;
	}
}

static int break_by(struct vmsect_client *client, int r)
{
	if (r == -ETIMEDOUT)
		return client_break(client, r,
				    "the broker does not answer; the connection is over");
	if (r == -EPIPE || r == -ECONNRESET)
		return client_break(client, -EPIPE, "the broker has gone");
	return client_break(client, r, error_words(r));
}

static int send_request(struct vmsect_client *client, const struct client_request *request,
			int64_t deadline_ms)
{
	int r;

	request->hdr->size = (uint32_t)request->size;
	request->hdr->op = (uint16_t)request->op;
	request->hdr->cookie = ++client->cookie;
	request->hdr->fds = request->nfds;
	do {
		r = fdmsg_send(client->fd, request->hdr, request->size, request->fds, request->nfds,
			       FDMSG_DONTWAIT);
		if (r == -EAGAIN && (r = wait_ready(client, POLLOUT, deadline_ms)) == 0)
			r = -EAGAIN;
	} while (r == -EAGAIN);
	return r < 0 ? break_by(client, r) : 0;
}

/* Receives messages, queueing events, until one is a reply. */
static int receive_reply(struct vmsect_client *client, int64_t deadline_ms, struct fdmsg *ret_msg)
{
	struct vmsect_msg_hdr hdr;
	int r;

	for (;;) {
		struct fdmsg msg;

		r = wait_ready(client, POLLIN, deadline_ms);
		if (r < 0)
			return break_by(client, r);
		r = fdmsg_receive(client->fd, client->buffer, sizeof(client->buffer),
				  FDMSG_DONTWAIT, &msg);
		if (r == -EAGAIN)
			continue;
		if (r == FDMSG_E_CUT)
			return client_break_protocol(client, "a message that is too large");
		if (r)
			return break_by(client, r < 0 ? r : -EPIPE);
		client->received = msg.size;
		memcpy(&hdr, client->buffer, sizeof(hdr));
		if (msg.size < sizeof(hdr) || hdr.op != VMSECT_OP_EVENT || msg.nfds) {
			*ret_msg = msg;
			return 0;
		}
		r = client_take_event(client);
		if (r < 0)
			return r;
	}
}

/* What is wrong with a reply's header, or NULL. */
static const char *reply_header_fault(const struct vmsect_client *client,
				      const struct client_request *request, const struct fdmsg *msg)
{
	struct vmsect_msg_hdr hdr;

	if (msg->size < sizeof(hdr))
		return "a message without a header";
	memcpy(&hdr, client->buffer, sizeof(hdr));
	if (hdr.size != msg->size)
		return "a reply whose size is not its size";
	if (hdr.op != request->op || hdr.flags != VMSECT_MSG_REPLY || hdr.reserved)
		return "a reply to another request";
	if (hdr.cookie != client->cookie)
		return "a reply with the wrong cookie";
	if (hdr.fds != msg->nfds)
		return "a reply with fewer or more descriptors than it says";
	if (hdr.status > 0 || hdr.status < -ERRNO_MAX)
		return "a reply with an impossible status";
	if (hdr.status && (msg->nfds || msg->size > sizeof(hdr) + VMSECT_ERROR_TEXT_MAX))
		return "an error reply with more than a sentence";
	return NULL;
}

/* The broker's sentence, with bytes that a terminal would obey made harmless. */
static int fail_by_reply(struct vmsect_client *client)
{
	char text[VMSECT_ERROR_TEXT_MAX + 1] = "";
	struct vmsect_msg_hdr hdr;
	size_t length, i;

	memcpy(&hdr, client->buffer, sizeof(hdr));
	length = client->received - sizeof(hdr);
	memcpy(text, client->buffer + sizeof(hdr), length);
	for (i = 0; i < length; i++) {
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			text[i] = '?';
	}
	return client_fail(client, hdr.status, hdr.detail, "%s",
			   length ? text : error_words(hdr.status));
}

/* Checks the reply in client->buffer against what was wanted, and copies it. */
static int take_reply(struct vmsect_client *client, const struct client_request *request,
		      struct client_reply *reply, struct fdmsg *msg)
{
	const char *fault = reply_header_fault(client, request, msg);
	struct vmsect_msg_hdr hdr;

	if (fault)
		return client_break_protocol(client, fault);
	memcpy(&hdr, client->buffer, sizeof(hdr));
	if (hdr.status)
		return fail_by_reply(client);
	if (msg->size < reply->size || (msg->size > reply->size && !reply->variable))
		return client_break_protocol(client, "a reply of the wrong size");
	if (msg->nfds > (reply->wants_fd ? 1u : 0u))
		return client_break_protocol(client, "descriptors that were not asked for");
	if (reply->data)
		memcpy(reply->data, client->buffer, reply->size);
	reply->fd = steal_fd(&msg->fds[0]);
	return 0;
}

/*
 * The kernel drops a descriptor for which the process has no number left, and
 * the handle would be lost with it.  So there must be one before it is asked.
 */
static int check_room_for_fd(struct vmsect_client *client)
{
	AUTO_FD int spare = sys_result(fcntl(client->fd, F_DUPFD_CLOEXEC, 0));

	if (spare < 0)
		return client_fail(client, -EMFILE, VMSECT_DETAIL_NONE,
				   "this process has too many open files");
	return 0;
}

int client_call(struct vmsect_client *client, const struct client_request *request,
		struct client_reply *reply)
{
	int64_t deadline_ms = now_ms() + CLIENT_TIMEOUT_MS;
	struct fdmsg msg = { .fds = { -1, -1 } };
	int r;

	if (client->broken)
		return client_fail(client, -EPIPE, VMSECT_DETAIL_NONE,
				   "the connection to the broker is over");
	if (reply->wants_fd) {
		r = check_room_for_fd(client);
		if (r < 0)
			return r;
	}
	r = send_request(client, request, deadline_ms);
	if (r < 0)
		return r;
	r = receive_reply(client, deadline_ms, &msg);
	if (r < 0)
		return r;
	r = take_reply(client, request, reply, &msg);
	fdmsg_close_fds(&msg);
	return r;
}

int client_call_simple(struct vmsect_client *client, const struct client_request *request)
{
	struct client_reply reply = { .size = sizeof(struct vmsect_msg_hdr) };

	return client_call(client, request, &reply);
}
