/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See peer.h.  The queue is in peer_queue.c. */
#include "broker/peer.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/event.h"
#include "broker/credentials.h"
#include "broker/peer_queue.h"

#define MESSAGES_PER_TURN 16 /* then the other peers have a turn */

/* One datagram, or the end.  False when there is none now. */
static bool peer_receive(struct peer *peer)
{
	const struct peer_owner *owner = peer->owner;
	struct fdmsg message;
	int r;

	r = fdmsg_receive(peer->fd, owner->buffer, VMSECT_MSG_MAX, FDMSG_DONTWAIT, &message);
	if (r == -EAGAIN)
		return false;
	if (r == FDMSG_E_CUT) {
		owner->cut(peer, owner->arg);
	} else if (r) {
		peer_doom(peer, PEER_END_CLOSED);
	} else {
		owner->message(peer, owner->buffer, &message, owner->arg);
		fdmsg_close_fds(&message);
	}
	return true;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct peer *peer = arg;
	int turns = MESSAGES_PER_TURN;

	(void)fd;
	if (what & EV_TIMEOUT && peer->state != PEER_DOOMED)
		peer_doom(peer, PEER_END_SILENT);
	while (peer->state == PEER_READING && turns-- && peer_receive(peer))
		continue;
	if (peer->state == PEER_DOOMED)
		peer->owner->gone(peer, peer->end, peer->owner->arg);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct peer *peer = arg;
	int r = peer_queue_flush(peer);

	(void)fd;
	(void)what;
	if (r == -EAGAIN)
		return;
	(void)event_del(peer->writable);
	if (r < 0)
		peer_doom(peer, PEER_END_ERROR);
	else if (peer->state == PEER_WRITING)
		peer->state = PEER_READING;
	if (peer->state == PEER_READING && event_add(peer->readable, NULL) < 0)
		peer_doom(peer, PEER_END_ERROR);
}

static int peer_watch(struct peer *peer, unsigned int hello_ms)
{
	struct event_base *base = peer->owner->base;
	struct timeval limit = loop_ms(hello_ms);

	peer->readable = event_new(base, peer->fd, EV_READ | EV_PERSIST, on_readable, peer);
	peer->writable = event_new(base, peer->fd, EV_WRITE | EV_PERSIST, on_writable, peer);
	if (!peer->readable || !peer->writable || event_add(peer->readable, &limit) < 0)
		return -ENOMEM;
	return 0;
}

int peer_new_take_fd(const struct peer_owner *owner, int fd, unsigned int hello_ms,
		     struct peer **ret_peer)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	int r;

	if (!peer)
		return -ENOMEM;
	peer->fd = -1;
	peer->owner = owner;
	TAILQ_INIT(&peer->queue);
	r = credentials_read(fd, &peer->party.subject);
	if (r >= 0) {
		peer->fd = fd;
		r = peer_watch(peer, hello_ms);
	}
	if (r < 0) {
		peer->fd = -1; /* still the caller's */
		peer_free(peer);
		return r;
	}
	*ret_peer = peer;
	return 0;
}

/*
 * A socket that is closed with unread datagrams gives its other end ECONNRESET
 * before the answers that wait there.  So nothing more may come, and what has
 * come is thrown away, descriptors with it.
 */
static void peer_hang_up(int fd)
{
	char byte;

	(void)shutdown(fd, SHUT_RDWR);
	while (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT | MSG_TRUNC) > 0)
		continue;
	fd_close(fd);
}

void peer_drop_queue(struct peer *peer)
{
	peer_queue_drop(peer);
}

void peer_free(struct peer *peer)
{
	peer_queue_drop(peer);
	if (peer->readable)
		event_free(peer->readable);
	if (peer->writable)
		event_free(peer->writable);
	free(peer->party.subject.groups);
	if (peer->fd >= 0)
		peer_hang_up(peer->fd);
	free(peer);
}

void peer_welcome(struct peer *peer)
{
	/* Not event_del() and event_add(): EV_PERSIST keeps its limit through these. */
	if (event_remove_timer(peer->readable) < 0)
		peer_doom(peer, PEER_END_ERROR);
}

void peer_doom(struct peer *peer, enum peer_end why)
{
	if (peer->state == PEER_DOOMED)
		return;
	peer->state = PEER_DOOMED;
	peer->end = why;
	event_active(peer->readable, EV_READ, 0);
}

/* From now on only what waits is sent. */
static void peer_start_writing(struct peer *peer)
{
	if (peer->state != PEER_READING)
		return;
	peer->state = PEER_WRITING;
	(void)event_del(peer->readable);
	if (event_add(peer->writable, NULL) < 0)
		peer_doom(peer, PEER_END_ERROR);
}

void peer_send_take_fd(struct peer *peer, const void *bytes, size_t size, int fd)
{
	int r = -EAGAIN;

	if (peer->state == PEER_DOOMED) {
		fd_close(fd);
		return;
	}
	if (peer_queue_take_back(peer, bytes, size))
		return;
	if (TAILQ_EMPTY(&peer->queue))
		r = fdmsg_send(peer->fd, bytes, size, &fd, fd >= 0, FDMSG_DONTWAIT);
	if (r != -EAGAIN) {
		fd_close(fd);
		if (r < 0)
			peer_doom(peer, r == -EPIPE || r == -ECONNRESET ? PEER_END_CLOSED
									: PEER_END_ERROR);
		return;
	}
	r = peer_queue_add_take_fd(peer, bytes, size, fd);
	if (r < 0 && !peer_queue_lose(peer, bytes, size))
		peer_doom(peer, r == -ENOMEM ? PEER_END_ERROR : PEER_END_SLOW);
	else
		peer_start_writing(peer);
}
