/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See pending.h.
 *
 * A request of which sending says that the broker has gone is left as it is:
 * what the broker said before its end is still to be read, and reading finds
 * the end.
 */
#include "lib/pending.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "lib/client.h"

void pending_init(struct vmsect_client *client)
{
	TAILQ_INIT(&client->pending.list);
}

static void pending_free(struct pending *pending)
{
	if (pending->file)
		(void)section_file_unref(pending->file);
	else
		while (pending->nfds)
			fd_close(pending->fds[--pending->nfds]);
	free(pending);
}

void pending_deinit(struct vmsect_client *client)
{
	struct pending *pending;

	while ((pending = TAILQ_FIRST(&client->pending.list))) {
		TAILQ_REMOVE(&client->pending.list, pending, of_client);
		pending_free(pending);
	}
}

static void header_fill(struct vmsect_msg_hdr *hdr, const struct client_request *request)
{
	hdr->size = (uint32_t)request->size;
	hdr->op = (uint16_t)request->op;
	hdr->cookie = 0; /* when it is sent */
	hdr->fds = request->nfds;
}

void pending_add(struct vmsect_client *client, struct pending *pending,
		 const struct client_request *request)
{
	unsigned int i;

	*pending = (struct pending){ .kind = PENDING_WAITED,
				     .hdr = request->hdr,
				     .size = request->size,
				     .nfds = request->nfds,
				     .sent_ms = poller_now(),
				     .reply = { .fds = { -1, -1 } } };
	for (i = 0; i < request->nfds; i++)
		pending->fds[i] = request->fds[i];
	header_fill(pending->hdr, request);
	TAILQ_INSERT_TAIL(&client->pending.list, pending, of_client);
}

void pending_remove(struct vmsect_client *client, struct pending *pending)
{
	if (!pending->answered)
		TAILQ_REMOVE(&client->pending.list, pending, of_client);
	pending->answered = true;
}

_Static_assert(sizeof(struct pending) % _Alignof(struct vmsect_msg_hdr) == 0, "a copy behind it");

/* An owned request without descriptors, not queued. */
static struct pending *pending_copy(enum pending_kind kind, const struct client_request *request)
{
	struct pending *pending = calloc(1, sizeof(*pending) + request->size);

	if (!pending)
		return NULL;
	pending->kind = kind;
	pending->hdr = (void *)(pending + 1);
	pending->size = request->size;
	memcpy(pending->hdr, request->hdr, request->size);
	header_fill(pending->hdr, request);
	return pending;
}

static int pending_take_fds(struct pending *pending, const struct client_request *request)
{
	unsigned int i;

	for (i = 0; i < request->nfds; i++) {
		int fd = sys_result(fcntl(request->fds[i], F_DUPFD_CLOEXEC, 0));

		if (fd < 0)
			return fd;
		pending->fds[pending->nfds++] = fd;
	}
	return 0;
}

int pending_add_copy(struct vmsect_client *client, enum pending_kind kind,
		     const struct client_request *request, struct pending **ret_pending)
{
	struct pending *pending = pending_copy(kind, request);
	int r;

	if (!pending)
		return -ENOMEM;
	r = pending_take_fds(pending, request);
	if (r < 0) {
		pending_free(pending);
		return r;
	}
	if (kind == PENDING_TICKET) {
		pending->ticket = ++client->last_ticket;
		client->pending.tickets++;
	}
	TAILQ_INSERT_TAIL(&client->pending.list, pending, of_client);
	*ret_pending = pending;
	return 0;
}

void pending_add_hand_back(struct vmsect_client *client, uint64_t section_id,
			   struct section_file *file)
{
	struct vmsect_req_hand_back hand_back = { .section = section_id };
	struct client_request request = { VMSECT_OP_HAND_BACK, &hand_back.hdr, sizeof(hand_back),
					  NULL, 1 };
	struct pending *pending = pending_copy(PENDING_FORGOTTEN, &request);

	if (!pending)
		return;
	pending->file = section_file_ref(file);
	pending->fds[0] = file->fd;
	pending->nfds = 1;
	TAILQ_INSERT_HEAD(&client->pending.list, pending, of_client);
}

/* Ends a request: without a reply (`status` says why), or with one that is a header. */
static void pending_end(struct vmsect_client *client, struct pending *pending, int status)
{
	TAILQ_REMOVE(&client->pending.list, pending, of_client);
	if (pending->kind == PENDING_WAITED) {
		pending->answered = true;
		pending->failure = status;
		return;
	}
	if (pending->kind == PENDING_TICKET)
		client_push_event(client, &(struct vmsect_event){ .type = VMSECT_EVENT_DONE,
								  .value = pending->ticket,
								  .status = status });
	pending_free(pending);
}

static bool is_gone(int r)
{
	return r == -EPIPE || r == -ECONNRESET;
}

/* 0, or what sending says. */
static int send_one(struct vmsect_client *client, struct pending *pending)
{
	int r;

	if (!pending->hdr->cookie)
		pending->hdr->cookie = ++client->cookie;
	r = fdmsg_send(client->link.fd, pending->hdr, pending->size, pending->fds, pending->nfds,
		       FDMSG_DONTWAIT);
	if (r < 0)
		return r;
	pending->sent = pending->was_sent = true;
	pending->sent_ms = poller_now();
	pending->retry_ms = 0;
	return 0;
}

/*
 * Until it is answered nothing is sent behind it: a broker that takes over knows
 * the answer to the last request that changed what the client has, and only to
 * that.  The others change nothing of it, and may take long.
 */
static bool holds_back(const struct pending *pending)
{
	return pending->kind == PENDING_WAITED && pending->hdr->op != VMSECT_OP_EXTEND &&
	       pending->hdr->op != VMSECT_OP_COMMIT && pending->hdr->op != VMSECT_OP_FLUSH &&
	       pending->hdr->op != VMSECT_OP_PUBLISH;
}

void pending_send(struct vmsect_client *client)
{
	struct pending *pending, *next;
	int64_t now_ms = poller_now();
	int r;

	client->pending.blocked = false;
	for (pending = TAILQ_FIRST(&client->pending.list); pending; pending = next) {
		next = holds_back(pending) ? NULL : TAILQ_NEXT(pending, of_client);
		if (pending->sent || pending->retry_ms > now_ms)
			continue;
		r = send_one(client, pending);
		client->pending.blocked = r == -EAGAIN;
		if (r == -EAGAIN || is_gone(r))
			return;
		if (r < 0)
			pending_end(client, pending, r);
	}
}

struct pending *pending_find(const struct vmsect_client *client, uint64_t cookie)
{
	struct pending *pending;

	TAILQ_FOREACH (pending, &client->pending.list, of_client) {
		if (pending->sent && pending->hdr->cookie == cookie)
			return pending;
	}
	return NULL;
}

void pending_retry(struct vmsect_client *client, struct pending *pending)
{
	if (pending->answered) /* a call has seen the reply */
		TAILQ_INSERT_HEAD(&client->pending.list, pending, of_client);
	pending->answered = pending->sent = false;
	pending->retry_ms = poller_now() + PENDING_RETRY_MS;
}

/* The memory is not handed back yet, and it is not too late. */
static bool ticket_is_early(const struct vmsect_client *client, struct pending *pending,
			    const struct vmsect_msg_hdr *hdr)
{
	int64_t now_ms = poller_now();

	if (pending->kind != PENDING_TICKET || hdr->status != -EAGAIN ||
	    hdr->detail != VMSECT_DETAIL_RECOVERY)
		return false;
	if (!pending->give_up_ms)
		pending->give_up_ms = now_ms + client->reconnect_ms;
	return now_ms < pending->give_up_ms;
}

void pending_answer(struct vmsect_client *client, struct pending *pending, struct fdmsg *reply)
{
	struct vmsect_msg_hdr hdr;

	memcpy(&hdr, client->buffer, sizeof(hdr));
	if (pending->kind == PENDING_WAITED) {
		pending_end(client, pending, 0);
		pending->reply = *reply;
		*reply = (struct fdmsg){ .fds = { -1, -1 } };
		return;
	}
	if (reply->nfds || (!hdr.status && reply->size != sizeof(hdr))) {
		client_break_protocol(client, "a reply with more than was asked for");
		return;
	}
	if (ticket_is_early(client, pending, &hdr))
		pending_retry(client, pending);
	else
		pending_end(client, pending, hdr.status);
}

void pending_unsend(struct vmsect_client *client)
{
	struct pending *pending, *next;

	client->pending.blocked = false;
	for (pending = TAILQ_FIRST(&client->pending.list); pending; pending = next) {
		next = TAILQ_NEXT(pending, of_client);
		pending->sent = false;
		pending->sent_ms = poller_now();
		if (!pending->file)
			continue;
		TAILQ_REMOVE(&client->pending.list, pending, of_client); /* asked for anew */
		pending_free(pending);
	}
}

void pending_fail(struct vmsect_client *client, int failure, bool all)
{
	struct pending *pending, *next;

	for (pending = TAILQ_FIRST(&client->pending.list); pending; pending = next) {
		next = TAILQ_NEXT(pending, of_client);
		if (all || pending->was_sent || pending->is_bound ||
		    pending->kind != PENDING_WAITED)
			pending_end(client, pending, failure);
	}
}

int64_t pending_due(const struct vmsect_client *client)
{
	struct pending *pending;
	int64_t due_ms = INT64_MAX;

	if (client->link.phase != LINK_CONNECTED || client->pending.blocked)
		return due_ms;
	TAILQ_FOREACH (pending, &client->pending.list, of_client) {
		if (!pending->sent && pending->retry_ms && pending->retry_ms < due_ms)
			due_ms = pending->retry_ms;
	}
	return due_ms;
}
