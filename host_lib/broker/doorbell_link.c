/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a member is told.  There is no queue of messages but a list of peers of
 * which there is something to tell, made into messages as the stream takes them:
 * one entry however many vectors there are, and none for a peer that came and
 * went unseen.  So a member that does not read waits for at most one entry for
 * each peer that there is or that it knows of; what waits is charged to its uid.
 */
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/event.h"
#include "broker/doorbell_internal.h"
#include "broker/doorbell_wire.h"

static struct account *account_of(const struct doorbell_member *member)
{
	return &member->hub->doorbells->options.registry->account;
}

/*
 * The time limit is a timer of its own: libevent forgets the descriptor of an event
 * that is added again when its time has just run out.
 */
void doorbell_member_write(struct doorbell_member *member)
{
	if (member->is_doomed || event_pending(member->writable, EV_WRITE, NULL) ||
	    event_pending(member->again, EV_TIMEOUT, NULL))
		return;
	if (event_add(member->writable, NULL) < 0)
		doorbell_member_doom(member, DOORBELL_END_ERROR);
	else if (!event_pending(member->stalled, EV_TIMEOUT, NULL))
		doorbell_member_has_read(member);
}

void doorbell_member_has_read(struct doorbell_member *member)
{
	struct timeval stall = loop_ms(member->hub->doorbells->options.stall_ms);

	if (event_add(member->stalled, &stall) < 0)
		doorbell_member_doom(member, DOORBELL_END_ERROR);
}

/* To the end of what waits. */
static int link_wait(struct doorbell_member *member, struct doorbell_link *link,
		     struct refusal *refusal)
{
	int r = account_charge(account_of(member), member->uid, RESOURCE_QUEUE, sizeof(*link),
			       refusal);

	if (r < 0)
		return r;
	link->is_waiting = true;
	TAILQ_INSERT_TAIL(&member->waiting, link, of_waiting);
	return 0;
}

static void link_wait_no_more(struct doorbell_member *member, struct doorbell_link *link)
{
	if (!link->is_waiting)
		return;
	link->is_waiting = false;
	TAILQ_REMOVE(&member->waiting, link, of_waiting);
	account_refund(account_of(member), member->uid, RESOURCE_QUEUE, sizeof(*link));
}

/* One that is in no table. */
static void link_free(struct doorbell_member *member, struct doorbell_link *link)
{
	link_wait_no_more(member, link);
	doorbell_bridge_free(link->bridge);
	free(link);
}

int doorbell_link_add(struct doorbell_member *member, uint32_t peer, const struct bells *bells,
		      struct doorbell_bridge *bridge, struct refusal *refusal)
{
	struct doorbell_link *link = calloc(1, sizeof(*link));
	int r;

	if (!link)
		return refuse_memory(refusal);
	link->peer = peer;
	link->bells = bells;
	r = link_wait(member, link, refusal);
	if (r < 0) {
		free(link);
		return r;
	}
	HASH_ADD(hh, member->links, peer, sizeof(link->peer), link);
	if (!HASH_ADDED(hh, link)) {
		link_free(member, link);
		return refuse_memory(refusal);
	}
	link->bridge = bridge;
	doorbell_member_write(member);
	return 0;
}

/* Nothing was told of it: nobody need know that it was there. */
void doorbell_link_leave(struct doorbell_member *member, uint32_t peer)
{
	struct doorbell_link *link;
	struct refusal refusal;

	HASH_FIND(hh, member->links, &peer, sizeof(peer), link);
	if (!link)
		return;
	HASH_DEL(member->links, link);
	doorbell_bridge_free(link->bridge);
	link->bridge = NULL;
	link->bells = NULL;
	link->has_left = true;
	if (!link->told) {
		link_free(member, link);
	} else if (!link->is_waiting && link_wait(member, link, &refusal) < 0) {
		link_free(member, link);
		doorbell_member_doom(member, DOORBELL_END_SLOW);
	} else {
		doorbell_member_write(member);
	}
}

void doorbell_links_free(struct doorbell_member *member)
{
	struct doorbell_link *link, *next;

	for (link = TAILQ_FIRST(&member->waiting); link; link = next) {
		next = TAILQ_NEXT(link, of_waiting);
		link_wait_no_more(member, link);
		if (link->has_left)
			free(link);
	}
	link = member->links;
	HASH_CLEAR(hh, member->links);
	for (; link; link = next) {
		next = link->hh.next; /* which HASH_CLEAR leaves alone */
		link_free(member, link);
	}
}

static int send_head(struct doorbell_member *member)
{
	int r = 0;

	switch (member->head) {
	case DOORBELL_HEAD_VERSION:
		r = doorbell_wire_send(member->fd, DOORBELL_WIRE_VERSION, -1);
		break;
	case DOORBELL_HEAD_ID:
		r = doorbell_wire_send(member->fd, member->id, -1);
		break;
	case DOORBELL_HEAD_MEMORY:
	default:
		if (member->memory_fd < 0)
			break;
		r = doorbell_wire_send(member->fd, DOORBELL_WIRE_MEMORY, member->memory_fd);
		if (!r)
			member->memory_fd = fd_close(member->memory_fd);
		break;
	}
	if (!r) {
		member->head++;
		member->sent++;
	}
	return r;
}

static int send_left(struct doorbell_member *member, struct doorbell_link *link)
{
	int r = doorbell_wire_send(member->fd, link->peer, -1);

	if (r < 0)
		return r;
	member->sent++;
	link_free(member, link);
	return 0;
}

static int send_bells(struct doorbell_member *member, struct doorbell_link *link)
{
	int r;

	while (link->told < link->bells->count) {
		r = doorbell_wire_send(member->fd, link->peer, link->bells->fds[link->told]);
		if (r < 0)
			return r;
		link->told++;
		member->sent++;
	}
	link_wait_no_more(member, link);
	return 0;
}

int doorbell_links_send(struct doorbell_member *member)
{
	struct doorbell_link *link, *next;
	int r = 0;

	while (!r && member->head != DOORBELL_HEAD_DONE)
		r = send_head(member);
	for (link = TAILQ_FIRST(&member->waiting); !r && link; link = next) {
		next = TAILQ_NEXT(link, of_waiting);
		r = link->has_left ? send_left(member, link) : send_bells(member, link);
	}
	return r;
}
