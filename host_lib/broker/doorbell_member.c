/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A member, from its stream to its end.
 *
 * States: new (it has a stream), started (it is in its hub, and the others know
 * it), greeted (all that there was at first has gone out), doomed (the loop is to
 * end it), and gone.  It has nothing to say: what comes, but for the end, ends it.
 */
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/event.h"
#include "base/sys.h"
#include "broker/doorbell_internal.h"

/*
 * Descriptors that wait in a stream count for the broker's user, whom the kernel
 * allows so many as one process may have open.  So a stream has room for a few
 * dozen messages, and what is more waits here.
 */
#define STREAM_BYTES 8192
#define AGAIN_MS 50u /* after descriptors could not be sent */

static const char *const ends[DOORBELL_END_COUNT] = {
	[DOORBELL_END_CLOSED] = "it has closed its stream",
	[DOORBELL_END_SPOKE] = "it has sent something",
	[DOORBELL_END_SLOW] = "it does not read",
	[DOORBELL_END_REVOKED] = "it has no right any more",
	[DOORBELL_END_REPLACED] = "its client has asked for another stream",
	[DOORBELL_END_FULL] = "too many descriptors are on their way to readers",
	[DOORBELL_END_ENDED] = "the broker ends",
	[DOORBELL_END_ERROR] = "its stream has failed, or there is no memory",
};

static const struct doorbell_options *options_of(const struct doorbell_member *member)
{
	return &member->hub->doorbells->options;
}

static struct account *account_of(const struct doorbell_member *member)
{
	return &options_of(member)->registry->account;
}

static void end_unit(const struct doorbells *doorbells)
{
	if (doorbells->options.ended)
		doorbells->options.ended(doorbells->options.arg);
}

static void log_end(const struct doorbell_member *member, enum doorbell_end why)
{
	uint64_t dropped;

	if (why == DOORBELL_END_CLOSED || why == DOORBELL_END_ENDED)
		log_debug("section %" PRIu64 ": member %u has gone: %s", member->hub->section_id,
			  member->id, ends[why]);
	else if (log_allowed(&member->hub->doorbells->log_limit, &dropped))
		log_info("section %" PRIu64 ": member %u (uid %u) was dropped: %s",
			 member->hub->section_id, member->id, member->uid, ends[why]);
}

static void free_event(struct event *event)
{
	if (event)
		event_free(event);
}

/* Handle and view of an outside member go with its party. */
static void leave_registry(struct doorbell_member *member)
{
	registry_remove_party(options_of(member)->registry, &member->party);
	if (member->is_client)
		account_refund(account_of(member), member->uid, RESOURCE_CLIENTS, 1);
	free(member->party.subject.groups);
}

void doorbell_member_free(struct doorbell_member *member)
{
	doorbell_links_free(member);
	free_event(member->readable);
	free_event(member->writable);
	free_event(member->stalled);
	free_event(member->again);
	bells_deinit(&member->bells);
	account_refund(account_of(member), member->uid, RESOURCE_DESCRIPTORS, member->charged_fds);
	leave_registry(member);
	fd_close(member->memory_fd);
	fd_close(member->fd);
	free(member);
}

void doorbell_member_drop(struct doorbell_member *member, enum doorbell_end why)
{
	struct doorbell_hub *hub = member->hub;
	const struct doorbell_link *link;
	struct doorbell_member *other;

	log_end(member, why);
	for (link = member->links; link; link = link->hh.next) {
		if (link->bridge)
			doorbell_bridge_flush(link->bridge);
	}
	options_of(member)->stats->ended[why]++;
	TAILQ_REMOVE(&hub->members, member, of_hub);
	HASH_DEL(hub->by_id, member);
	TAILQ_FOREACH (other, &hub->members, of_hub)
		doorbell_link_leave(other, member->id);
	hub->holds++;
	doorbell_member_free(member);
	doorbell_hub_note(hub); /* its client may be a native peer now */
	hub->holds--;
	doorbell_hub_put(hub);
}

void doorbell_member_doom(struct doorbell_member *member, enum doorbell_end why)
{
	if (member->is_doomed)
		return;
	member->is_doomed = true;
	member->end = why;
	event_active(member->readable, EV_READ, 0);
}

/* From the loop alone. */
static void end(struct doorbell_member *member, enum doorbell_end why)
{
	struct doorbells *doorbells = member->hub->doorbells;

	doorbell_member_drop(member, why);
	end_unit(doorbells);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct doorbell_member *member = arg;
	char byte;
	ssize_t r;

	(void)what;
	if (member->is_doomed) {
		end(member, member->end);
		return;
	}
	r = sys_retry(recv(fd, &byte, sizeof(byte), MSG_DONTWAIT));
	if (r == -EAGAIN)
		return;
	if (r > 0)
		end(member, DOORBELL_END_SPOKE);
	else
		end(member, !r || r == -ECONNRESET ? DOORBELL_END_CLOSED : DOORBELL_END_ERROR);
}

/* Other readers have to read first: a newcomer goes, the others wait for a while. */
static void send_again(struct doorbell_member *member)
{
	struct timeval period = loop_ms(AGAIN_MS);

	(void)event_del(member->writable);
	if (!member->is_greeted)
		end(member, DOORBELL_END_FULL);
	else if (event_add(member->again, &period) < 0)
		end(member, DOORBELL_END_ERROR);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct doorbell_member *member = arg;
	uint64_t sent = member->sent;
	int r;

	(void)fd;
	(void)what;
	r = doorbell_links_send(member);
	if (member->sent != sent)
		doorbell_member_has_read(member);
	if (r == -EAGAIN)
		return;
	if (r == -ETOOMANYREFS) {
		send_again(member);
	} else if (r < 0) {
		end(member,
		    r == -EPIPE || r == -ECONNRESET ? DOORBELL_END_CLOSED : DOORBELL_END_ERROR);
	} else {
		member->is_greeted = true;
		(void)event_del(member->writable);
		(void)event_del(member->stalled);
	}
}

static void on_stalled(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	end(arg, DOORBELL_END_SLOW);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct doorbell_member *member = arg;

	(void)fd;
	(void)what;
	doorbell_bridge_wake(member);
	if (!TAILQ_EMPTY(&member->waiting))
		doorbell_member_write(member);
}

static int member_watch(struct doorbell_member *member)
{
	struct event_base *base = options_of(member)->base;

	member->readable = event_new(base, member->fd, EV_READ | EV_PERSIST, on_readable, member);
	member->writable = event_new(base, member->fd, EV_WRITE | EV_PERSIST, on_writable, member);
	member->stalled = event_new(base, -1, 0, on_stalled, member);
	member->again = event_new(base, -1, 0, on_again, member);
	if (!member->readable || !member->writable || !member->stalled || !member->again ||
	    event_add(member->readable, NULL) < 0)
		return -ENOMEM;
	return 0;
}

int doorbell_member_new_take_fd(struct doorbell_hub *hub, int fd,
				struct doorbell_member **ret_member)
{
	struct doorbell_member *member = calloc(1, sizeof(*member));
	int room = STREAM_BYTES;
	int r;

	if (!member) {
		fd_close(fd);
		return -ENOMEM;
	}
	member->fd = fd;
	member->memory_fd = -1;
	member->hub = hub;
	TAILQ_INIT(&member->waiting);
	TAILQ_INIT(&member->resting);
	r = sys_result(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)));
	if (!r)
		r = member_watch(member);
	if (r < 0) {
		doorbell_member_free(member);
		return r;
	}
	*ret_member = member;
	return 0;
}

/* Its own eventfds, and its stream. */
static int make_bells(struct doorbell_member *member, struct refusal *refusal)
{
	uint32_t vectors = member->hub->vectors;
	int r;

	r = ringer_prepare(&member->hub->doorbells->ringer);
	if (r < 0)
		return refuse(refusal, r, VMSECT_DETAIL_NONE,
			      "the host has no asynchronous reads (fs.aio-max-nr): %s",
			      strerror(-r));
	r = account_charge(account_of(member), member->uid, RESOURCE_DESCRIPTORS, vectors + 1,
			   refusal);
	if (r < 0)
		return r;
	member->charged_fds = vectors + 1;
	r = bells_init(&member->bells, vectors);
	if (r < 0)
		return refuse(refusal, r, VMSECT_DETAIL_NONE, "no eventfds: %s", strerror(-r));
	return 0;
}

/* In this order: the other members, the native peers, itself. */
static int learn_peers(struct doorbell_member *member, struct refusal *refusal)
{
	struct doorbell_member *other;
	int r = 0;

	TAILQ_FOREACH (other, &member->hub->members, of_hub) {
		if (other->id == member->id)
			continue; /* it makes room */
		r = doorbell_link_add(member, other->id, &other->bells, NULL, refusal);
		if (r < 0)
			return r;
	}
	r = doorbell_native_bridge(member, refusal);
	if (!r)
		r = doorbell_link_add(member, member->id, &member->bells, NULL, refusal);
	return r;
}

/* One that has no room for it does not read. */
static void introduce(struct doorbell_member *member)
{
	struct doorbell_member *other;
	struct refusal refusal;
	int r;

	TAILQ_FOREACH (other, &member->hub->members, of_hub) {
		r = doorbell_link_add(other, member->id, &member->bells, NULL, &refusal);
		if (r < 0)
			doorbell_member_doom(other,
					     r == -ENOMEM ? DOORBELL_END_ERROR : DOORBELL_END_SLOW);
	}
}

int doorbell_member_prepare(struct doorbell_member *member, struct refusal *refusal)
{
	int r = make_bells(member, refusal);

	return r < 0 ? r : learn_peers(member, refusal);
}

int doorbell_member_enter(struct doorbell_member *member, struct refusal *refusal)
{
	struct doorbell_hub *hub = member->hub;

	HASH_ADD(hh, hub->by_id, id, sizeof(member->id), member);
	if (!HASH_ADDED(hh, member))
		return refuse_memory(refusal);
	introduce(member);
	TAILQ_INSERT_TAIL(&hub->members, member, of_hub);
	options_of(member)->stats->joined++;
	return 0;
}
