/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One connection: datagrams in, datagrams out, and an end.
 *
 * States: READING until messages wait to be sent; then WRITING, in which no
 * request is read, so that a client that does not read cannot make the broker
 * keep replies; DOOMED once it is to end, which happens in the loop and never
 * inside a call, so that a peer cannot vanish under its caller.
 *
 * What waits is charged to the client's uid, and a client beyond that limit is
 * doomed.  Events that undo or repeat each other become one or none while they
 * wait, so that a busy peer cannot fill the queue of a slow one.  A notification
 * that finds no room costs nobody the connection: the peer hears LOST instead.
 *
 * Owned by the broker; its one thread.
 */
#ifndef BROKER_PEER_H
#define BROKER_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "base/fdmsg.h"
#include "broker/account.h"
#include "broker/registry.h"

struct event;
struct event_base;

enum peer_state {
	PEER_READING,
	PEER_WRITING,
	PEER_DOOMED,
};

/* Why a connection ended. */
enum peer_end {
	PEER_END_CLOSED, /* by the client */
	PEER_END_REFUSED, /* by the broker, with an answer */
	PEER_END_SLOW, /* the client does not read */
	PEER_END_SILENT, /* no HELLO in time */
	PEER_END_ERROR, /* of the socket, or no memory */
	PEER_END_COUNT,
};

struct peer;

/* What has happened to events that waited, of all peers. */
struct peer_counters {
	uint64_t merged; /* joined one that waited */
	uint64_t lost; /* notifications without room, of which LOST tells */
};

/* What the broker does with what comes. */
struct peer_owner {
	/* A datagram; descriptors that are left in the message are closed. */
	void (*message)(struct peer *peer, const void *bytes, struct fdmsg *message, void *arg);
	/* One that was cut. */
	void (*cut)(struct peer *peer, void *arg);
	/* The end: the owner frees the peer. */
	void (*gone)(struct peer *peer, enum peer_end why, void *arg);
	void *arg;
	struct event_base *base;
	struct account *account;
	struct peer_counters *counters;
	void *buffer; /* of VMSECT_MSG_MAX bytes, shared by all peers */
};

TAILQ_HEAD(outgoing_list, outgoing);

struct peer {
	struct party party;
	enum peer_state state;
	enum peer_end end;
	bool over_limit; /* waits for its HELLO to be told so */
	int fd; /* owned */
	const struct peer_owner *owner; /* borrowed */
	struct event *readable;
	struct event *writable;
	struct outgoing_list queue;
	struct outgoing *waiting_events; /* those in the queue, by what they are about */
	uint64_t lost; /* notifications of which the peer is to hear by LOST */
	TAILQ_ENTRY(peer) of_broker;
};

/*
 * Takes the descriptor on success and reads who is at its other end.  The peer
 * waits `hello_ms` for its first message.  -errno.
 */
int peer_new_take_fd(const struct peer_owner *owner, int fd, unsigned int hello_ms,
		     struct peer **ret_peer);

/* Forgets what waits to be sent. */
void peer_drop_queue(struct peer *peer);

/* Closes; the registry has forgotten the party by now. */
void peer_free(struct peer *peer);

/* No time limit from now on: HELLO was said. */
void peer_welcome(struct peer *peer);

/*
 * Sends or queues.  @fd: taken in any case, or -1.  A peer that cannot be sent
 * to is doomed; the caller need not care.
 */
void peer_send_take_fd(struct peer *peer, const void *bytes, size_t size, int fd);

/* Ends the connection from the loop; the first reason stays. */
void peer_doom(struct peer *peer, enum peer_end why);

#endif
